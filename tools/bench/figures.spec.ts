import { describe, expect, it } from 'vitest';
import { jsonOf, meetsGoal, tableOf } from './figures.mjs';

const figure = {
  name: 'join click to first frame, p95',
  value: 183.4,
  unit: 'ms',
  goal: { atMost: 250 },
  anchor: { name: 'bare mediasoup', value: 131 },
};
const slow = { name: 'packets/s', value: 12_000, unit: '1/s', goal: { atLeast: 20_000 } };

describe('the figures of a benchmark', () => {
  it('are held to their goals, in either direction', () => {
    expect([figure, slow, { name: 'memory', value: 1, unit: 'MB' }].map(meetsGoal)).toEqual([true, false, undefined]);
    expect(meetsGoal({ ...figure, value: 250 })).toBe(true);
  });

  it('are one table for people', () => {
    expect(tableOf([figure, slow])).toBe(
      [
        '                                 value  unit      goal          compared with',
        'join click to first frame, p95     183  ms       ≤ 250  met     bare mediasoup: 131',
        'packets/s                       12,000  1/s   ≥ 20,000  MISSED',
      ].join('\n'),
    );
  });

  it('are a list for machines, with null where there is nothing', () => {
    expect(jsonOf([figure, slow])).toEqual([figure, { ...slow, anchor: null }]);
  });
});
