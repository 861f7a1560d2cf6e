import { describe, expect, it } from 'vitest';
import { percentile, slope } from './statistics.mjs';

describe('a percentile', () => {
  it('is a sample that was measured, and the largest one where there are few', () => {
    expect(percentile([30, 10, 20], 0.5)).toBe(20);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(percentile([5, 1, 3, 2, 4], 0.95)).toBe(5);
  });

  it('of nothing is refused', () => {
    expect(() => percentile([], 0.5)).toThrow('There are no samples.');
  });
});

describe('a slope', () => {
  it('is what one more costs, whatever there was before', () => {
    expect(
      slope([
        [0, 100],
        [1, 102],
        [2, 104],
      ]),
    ).toBeCloseTo(2);
    expect(
      slope([
        [0, 1],
        [10, 3],
        [20, 1],
      ]),
    ).toBeCloseTo(0);
  });

  it('needs two different places', () => {
    expect(() =>
      slope([
        [3, 1],
        [3, 2],
      ]),
    ).toThrow('two different places');
  });
});
