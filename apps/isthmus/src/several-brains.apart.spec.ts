import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '@isthmus/bots';
import type { LegId } from '@isthmus/conference';
import { brokersUnderTest } from './testing/brokers-under-test.js';
import { NAMES, settled, SeveralBrains } from './testing/several-brains.js';

/** Issue 5: three brains of one site on a real broker, of which one is killed. `npm run bench -- --only brains` says how soon the others have its rooms. */
const ROOMS = Array.from({ length: 6 }, (_, n) => `room${n}`);

let world: SeveralBrains;
beforeEach(async () => {
  world = await SeveralBrains.start(ROOMS, { kafka: brokersUnderTest(1)?.[0] });
  await Promise.all(NAMES.map((name) => world.add(name)));
}, 120_000);
afterEach(() => world.close());

/** As it was acknowledged. */
const seated: { readonly room: string; readonly leg: LegId }[] = [];
/** Somebody of this name comes into each room; whom a busy machine refused comes again. */
const come = (name: string) =>
  Promise.all(
    ROOMS.map(async (room) => {
      await expect.poll(() => world.enter(room, name).then((leg) => seated.push({ room, leg })), settled).toBeGreaterThan(0);
    }),
  );
/** In every room, at both sites, those and nobody else are one meeting. */
const meet = (...names: string[]) =>
  eventually(
    () =>
      (['nyc', 'lon'] as const).flatMap((site) =>
        ROOMS.flatMap((room) => {
          const there = [...world.inReachOf(site, room)].sort();
          return there.join() === names.toSorted().join() ? [] : [`in ${room}, ${site} sees ${there.join(', ') || 'nobody'}`];
        }),
      ),
    settled.timeout,
  );

describe('three brains of a site on Kafka', () => {
  it('go on as two when one is killed, with everybody where they were, and decide everything once', async () => {
    await come('Ana');
    await meet('Ana');
    await world.kill('one');
    await come('Bo');
    // As a gateway-router does: whoever took over asks who is still there.
    await Promise.all(seated.map(({ room, leg }) => world.brain.confirm(room, leg)));
    await meet('Ana', 'Bo');
    const joined = (await world.recorded()).filter(({ type }) => type === 'LegJoined').map(({ body }) => (body as { leg: string }).leg);
    expect(joined.length).toBe(new Set(joined).size);
    expect(seated.filter(({ leg }) => !joined.includes(leg))).toEqual([]);
  }, 240_000);
});
