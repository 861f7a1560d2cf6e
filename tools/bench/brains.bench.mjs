import { setTimeout as sleep } from 'node:timers/promises';
import { NAMES, SeveralBrains } from '../../apps/isthmus/dist/testing/several-brains.js';
import { startBrokers } from './lib/brokers.mjs';
import { percentiles } from './lib/wait.mjs';

/**
 * Three brains of one site, in processes of their own, on a real broker and one store. One after another is killed (SIGKILL); from then
 * until somebody who asked at once has got into every room, whichever brain had it. At the end the broker is killed, and it is measured
 * in the same way how soon callers get in past it. Signalling only. The store is the server for specs (`event-store-esdb`): it says
 * nothing of EventStoreDB's own speed, which takes a few calls of each room that changes hands.
 */
export const title = 'Several brains of a site';
export const seconds = 150;

const ROOMS = Array.from({ length: 12 }, (_, n) => `room${n}`);
const GOAL_MS = 5_000;
/** Rooms change hands when a brain comes, too. */
const SETTLE_MS = 4_000;
const PATIENCE_MS = 60_000;
const AGAIN_MS = 20;

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const kills = context.quick ? 2 : 9;
  const [broker] = await startBrokers(context, 1);
  if (!broker) throw new Error('There is no broker.');
  context.note('starting three brains');
  const world = await SeveralBrains.start(ROOMS, { kafka: broker.address });
  context.atEnd(() => world.close());
  await Promise.all(NAMES.map((name) => world.add(name)));
  await everywhere(world, 'first');
  /** @type {number[]} */
  const takeovers = [];
  for (let n = 0; n < kills; n++) {
    context.note(`killing brain ${n + 1} of ${kills}`);
    await sleep(SETTLE_MS);
    const name = /** @type {(typeof NAMES)[number]} */ (NAMES[n % NAMES.length]);
    const gone = world.kill(name);
    takeovers.push(await everywhere(world, `after-${n}`));
    await gone;
    await world.add(name);
  }
  await sleep(SETTLE_MS);
  context.note('killing the broker');
  process.kill(broker.pid, 'SIGKILL');
  const past = await everywhere(world, 'past-the-broker');
  const legs = (await world.recorded())
    .filter(({ type }) => type === 'LegJoined')
    .map(({ body }) => /** @type {{ leg: string }} */ (body).leg);
  return [
    ...percentiles('one brain of three killed, until every room is decided by another', takeovers, {
      goals: { 0.95: GOAL_MS },
      note: `${kills} kills, ${ROOMS.length} rooms; of which 3 s is the silence that counts as dead`,
    }),
    { name: 'decided twice', value: legs.length - new Set(legs).size, unit: 'joins', goal: { atMost: 0 }, note: `of ${legs.length}` },
    { name: 'broker killed, until somebody has got into every room', value: past, unit: 'ms', note: 'once' },
  ];
};

/** Somebody comes into every room. @param {SeveralBrains} world @param {string} name @returns {Promise<number>} how long that took, ms */
const everywhere = async (world, name) => {
  const beganAt = performance.now();
  const come = async (/** @type {string} */ room) => {
    for (let n = 0; ; n++) {
      try {
        return await world.enter(room, `${name}-${n}`);
      } catch (error) {
        // A bus that is closed will not be open again, and refuses at once: asking on without a pause, nothing else would have its turn.
        const isOver = /** @type {{ code?: unknown }} */ (error).code === 'bus.closed';
        if (isOver || performance.now() - beganAt > PATIENCE_MS) throw error;
        await sleep(AGAIN_MS);
      }
    }
  };
  await Promise.all(ROOMS.map(come));
  return performance.now() - beganAt;
};
