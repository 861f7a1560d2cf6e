import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World } from './world.js';

/** Where what nobody hears is told; the runner of these specs listens as well, and would count it as an error of the spec. */
const PLACES = ['uncaughtException', 'unhandledRejection'] as const;

describe('a simulated world', () => {
  let restore: readonly (() => void)[];
  beforeEach(() => {
    restore = PLACES.map((place) => {
      const listeners = process.rawListeners(place) as ((...told: unknown[]) => void)[];
      process.removeAllListeners(place);
      return () => listeners.forEach((listener) => process.on(place, listener));
    });
  });
  afterEach(() => restore.forEach((work) => work()));

  it('counts as a failure of its seed what is thrown in a timer, and ends well', async () => {
    const world = new World(1, { sites: 2 });
    world.schedule.after(2_000, () => {
      throw new Error('a timer broke');
    });
    const { seed, violations } = await world.live();
    expect(seed).toBe(1);
    expect(violations).toEqual([expect.stringMatching(/^no failure goes unheard: Error: a timer broke/)]);
  });

  it('counts as one what breaks where nobody waits for it, and goes on', async () => {
    const world = new World(1, { sites: 2 });
    const target = new EventTarget();
    target.addEventListener('told', () => {
      throw new Error('a listener broke');
    });
    world.schedule.after(2_000, () => void Promise.reject(new Error('nobody heard')));
    world.schedule.after(3_000, () => target.dispatchEvent(new Event('told')));
    const { violations, did } = await world.live();
    expect(violations.map((text) => text.split('\n')[0])).toEqual([
      'no failure goes unheard: Error: nobody heard',
      'no failure goes unheard: Error: a listener broke',
    ]);
    expect(did.get('persons')).toBeGreaterThan(0);
  });
});
