import { describe, expect, it } from 'vitest';
import { jsonOf, meetsGoal, tableOf, type Figure, type Outcome } from './figures.mjs';

const figure = {
  name: 'join click to first frame, p95',
  value: 183.4,
  unit: 'ms',
  goal: { atMost: 250 },
  anchor: { name: 'bare mediasoup', value: 131 },
} satisfies Figure;
const slow = { name: 'packets/s', value: 12_000, unit: '1/s', goal: { atLeast: 20_000 }, note: 'one core' } satisfies Figure;
const outcomes: Outcome[] = [
  { title: 'Joining', figures: [figure] },
  { title: 'Voice', failed: 'Ben never had Ana large.\nAnd more about that.' },
  { title: 'Forwarding', figures: [slow] },
];

describe('the figures of a benchmark', () => {
  it('are held to their goals, in either direction', () => {
    expect([figure, slow, { name: 'memory', value: 1, unit: 'MB' }].map(meetsGoal)).toEqual([true, false, undefined]);
    expect(meetsGoal({ ...figure, value: 250 })).toBe(true);
  });

  it('are one table for people, with what failed and why', () => {
    expect(tableOf(outcomes)).toBe(
      [
        '                                 value  unit      goal          compared with',
        'join click to first frame, p95     183  ms       ≤ 250  met     bare mediasoup: 131',
        'Voice                                                   FAILED  Ben never had Ana large.',
        'packets/s                       12,000  1/s   ≥ 20,000  MISSED  one core',
      ].join('\n'),
    );
  });

  it('are a list for machines, of the same five things each, with null where there is nothing', () => {
    expect(jsonOf(outcomes)).toEqual([
      figure,
      { name: 'Voice: failed', value: null, unit: '', goal: null, anchor: null },
      { name: 'packets/s', value: 12_000, unit: '1/s', goal: { atLeast: 20_000 }, anchor: null },
    ]);
  });
});
