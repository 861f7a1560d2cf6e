import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addToLog, rangesLeft, readLog } from './range-log.mjs';

describe('the log of seeds', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-range-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('says what has been lived of one kind of worlds, and what failed', () => {
    const file = join(folder, 'log');
    expect(readLog(file, { restores: false })).toEqual([]);
    addToLog(file, { restores: false }, { from: 1, count: 500, failed: [17, 203], commit: 'abc', seconds: 9.84 });
    addToLog(file, { restores: true }, { from: 501, count: 10, failed: [], commit: 'abc', seconds: 1 });
    addToLog(file, { restores: false }, { from: 501, count: 100, failed: [], commit: 'abc', seconds: 2 });
    expect(readLog(file, { restores: false })).toEqual([
      { from: 1, count: 500, failed: [17, 203] },
      { from: 501, count: 100, failed: [] },
    ]);
  });

  it('is refused in words, before anything has been lived, where it cannot be written', () => {
    expect(() => readLog(join(folder, 'nowhere', 'log'), {})).toThrow('cannot be kept');
  });

  it('leaves exactly the seeds that nobody has lived, in parts that are small enough', () => {
    const range = fc.record({
      from: fc.integer({ min: 0, max: 60 }),
      count: fc.integer({ min: 1, max: 20 }),
    });
    const seedsOf = ({ from, count }: { from: number; count: number }) => Array.from({ length: count }, (_, i) => from + i);
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (wanted, lived, most) => {
        const left = rangesLeft(wanted, lived, most);
        const known = new Set(lived.flatMap(seedsOf));
        expect(left.flatMap(seedsOf)).toEqual(seedsOf(wanted).filter((seed) => !known.has(seed)));
        expect(left.every(({ count }) => count >= 1 && count <= most)).toBe(true);
      }),
    );
  });
});
