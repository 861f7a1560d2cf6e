import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson } from './strict-json.js';

const refusalOf = (text: string): string => {
  try {
    parseStrictJson(text);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('reading JSON from a stranger', () => {
  it('reads what JSON.parse reads, when there is nothing odd about it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        if (text.includes('__proto__')) return;
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('never throws anything but a refusal, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', '1', ' ') })),
        (text) => {
          expect(refusalOf(text)).toMatch(/^(accepted|protocol\.[a-z-]+)$/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['not JSON at all', 'hello', 'protocol.malformed'],
    ['nothing', '', 'protocol.malformed'],
    ['half of an object', '{"id":', 'protocol.malformed'],
    ['10,000 levels of arrays', '['.repeat(10_000) + ']'.repeat(10_000), 'protocol.too-deep'],
    ['10,000 levels of objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000), 'protocol.too-deep'],
    ['one key twice', '{"id":1,"id":2}', 'protocol.duplicate-key'],
    ['one key twice, once in disguise', '{"id":1,"\\u0069d":2}', 'protocol.duplicate-key'],
    ['__proto__', '{"a":{"__proto__":{"role":"host"}}}', 'protocol.forbidden-key'],
    ['__proto__ in disguise', '{"\\u005f_proto__" : 1}', 'protocol.forbidden-key'],
  ])('refuses %s', (_what, text, code) => {
    expect(refusalOf(text)).toBe(code);
  });

  it('lets the same key stand in two objects, and brackets and colons in strings', () => {
    expect(parseStrictJson('[{"a":"{[\\""},{"a":":"},"a","a"]')).toEqual([{ a: '{["' }, { a: ':' }, 'a', 'a']);
  });

  it('does not quote what it refuses', () => {
    expect(() => parseStrictJson('{"pin":"4711"')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('4711') as string }) as Error,
    );
  });
});
