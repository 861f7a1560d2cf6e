import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from './statistics.mjs';

const LOOK_EVERY_MS = 20;

/**
 * When something held for the last of all bots, monotonic ms.
 * @template {{ bot: import('@isthmus/bots').Bot }} One
 * @param {readonly One[]} people @param {(one: One) => boolean} holds @param {number} [patienceMs] @returns {Promise<number>}
 */
export const untilAll = async (people, holds, patienceMs = 60_000) => {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const waiting = people.filter((one) => !holds(one));
    const now = performance.now();
    if (waiting.length === 0) return now;
    if (now > deadline)
      throw new Error(`${waiting.map(({ bot }) => bot.name).join(', ')} did not get there: ${waiting[0]?.bot.missing().join(', ')}`);
    await sleep(LOOK_EVERY_MS);
  }
};

/**
 * The median, p95 and p99 of samples in ms, as figures.
 * @param {string} name @param {readonly number[]} samples @param {{ goals?: Readonly<Record<number, number>>, note?: string }} [more]
 * @returns {import('../figures.mjs').Figure[]}
 */
export const percentiles = (name, samples, { goals = {}, note } = {}) =>
  [0.5, 0.95, 0.99].map((share) => {
    const atMost = goals[share];
    return {
      name: `${name}, p${Math.round(share * 100)}`,
      value: percentile(samples, share),
      unit: 'ms',
      ...(atMost === undefined ? {} : { goal: { atMost } }),
      ...(share === 0.5 && note !== undefined ? { note } : {}),
    };
  });
