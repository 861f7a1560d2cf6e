import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { canonical, isFact, seal, verify } from './canonical.js';
import type { Fact, StreamName } from './fact.js';

const RUNS = Number(process.env['ISTHMUS_PROPERTY_RUNS'] ?? 200);
vi.setConfig({ testTimeout: 60_000 + 100 * RUNS });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a fact', () => {
  const fact = () => {
    const body = { text: 'ü\ud800', list: [1, { b: 1, a: 2 }] };
    return seal(
      { stream: 'conference-c1@nyc.3' as StreamName, seq: 0, at: 1e12, prev: null, after: [], by: 'nyc-1', type: 'Said', v: 1, body },
      sha256,
    );
  };

  it('is what its name says, however its members are ordered', () => {
    const { body, ...rest } = JSON.parse(JSON.stringify(fact())) as Fact;
    expect(verify({ body, ...rest }, sha256)).toBe(true);
    expect(verify({ ...fact(), at: 5 }, sha256)).toBe(false);
    expect(verify({ ...fact(), body: { text: 'other' } }, sha256)).toBe(false);
  });

  it('has one text: sorted keys, no white space, numbers as ECMAScript writes them (RFC 8785 §3.2)', () => {
    expect(canonical({ '€': 1e21, '\r': -0, '1': [true, null], ö: 0.1, absent: undefined })).toBe(
      '{"\\r":0,"1":[true,null],"ö":0.1,"€":1e+21}',
    );
  });

  it('survives a journey as JSON byte for byte', () =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => canonical(JSON.parse(canonical(value))) === canonical(value)),
      { numRuns: RUNS },
    ));

  it('is recognised by its shape, and nothing else is taken for one', () => {
    const good = fact();
    expect(isFact(good)).toBe(true);
    expect(isFact({ ...good, at: -5e20 })).toBe(true);
    const bad: readonly Readonly<Record<string, unknown>>[] = [
      { hash: 'short' },
      { hash: good.hash.toUpperCase() },
      { stream: 'conference-c1' },
      { stream: 'conference-c1@nyc' },
      { stream: 'conference-c1@NYC.1' },
      { stream: `conference-${'c'.repeat(200)}@nyc.1` },
      { seq: -1 },
      { seq: 1.5 },
      { seq: 2 ** 53 },
      { seq: 1 },
      { prev: good.hash },
      { prev: undefined },
      { at: '1' },
      { at: null },
      { after: {} },
      { after: [null] },
      { after: [{ stream: good.stream, seq: 0 }] },
      { after: [{ stream: good.stream, seq: 0, hash: good.hash, more: 1 }] },
      { by: '' },
      { by: 7 },
      { type: '' },
      { type: 'x'.repeat(65) },
      { v: -1 },
      { v: '1' },
      { body: undefined },
      { body: () => 1 },
      { extra: 1 },
      { body: Array.from({ length: 40 }).reduce<unknown>((inner) => [inner], 1) },
    ];
    for (const change of bad) expect(isFact({ ...good, ...change }), JSON.stringify(change)).toBe(false);
    for (const other of [null, undefined, 1, 'fact', [], {}, Object.create(good)]) expect(isFact(other)).toBe(false);
  });

  it('is never made of anything that fast-check can think of', () =>
    fc.assert(
      fc.property(fc.anything(), (value) => !isFact(value)),
      { numRuns: RUNS },
    ));
});
