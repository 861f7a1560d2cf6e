/**
 * A conference-brain in a process of its own, with its store and bus and no peers, run by start-brain.mjs, which tells it what to do.
 * Whoever commands it does so over the bus, as a gateway-router does; nothing else runs here.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { startBrain } from '@isthmus/conference-brain';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { seal, streamNameOf, writerIdOf } from '@isthmus/kernel';
import { TOPICS } from '@isthmus/protocol';

/** @typedef {import('@isthmus/protocol').BrainCommand} BrainCommand @typedef {import('@isthmus/kernel').Fact} Fact */

const [folder = '', rooms = '1'] = process.argv.slice(2);
const NYC = /** @type {import('@isthmus/kernel').SiteId} */ ('nyc');
const ANSWER_WITHIN_MS = 30_000;
/** So many rooms are filled at once. */
const AT_ONCE = 64;

const sha256 = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');

/** @returns {Fact[]} the estate: rooms `r0`, `r1`, … without PINs */
const estate = () => {
  /** @type {Fact[]} */
  const facts = [];
  const stream = streamNameOf('estate', 'main', writerIdOf(/** @type {any} */ ('management'), 1));
  for (let n = 0; n < Number(rooms); n++) {
    const room = {
      ...{ id: `r${n}`, name: `Room ${n}`, description: '', aliases: [`room-${n}`], hostPinHash: null, guestPinHash: null },
      ...{ guestsWaitForHost: true, seatsMax: 50, disabled: false },
    };
    const prev = facts.at(-1)?.hash ?? null;
    facts.push(seal({ stream, seq: n, at: 1, prev, after: [], by: 'system', type: 'RoomCreated', v: 1, body: { room } }, sha256));
  }
  return facts;
};

const bus = embeddedBus({ queueLimit: 1_000_000 });
const store = await sqliteEventStore({ file: join(folder, 'store.sqlite') });
await store.adopt(estate());
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
/** @type {import('@isthmus/ports').Peers} */
const alone = {
  start: async () => undefined,
  setPeers: () => undefined,
  send: () => undefined,
  states: () => [],
  close: async () => undefined,
};
const brain = await startBrain({ site: NYC, listen: { host: '127.0.0.1', port: 0 }, bus, store, peers: alone, clock });
const report = () =>
  bus.publish({
    topic: TOPICS.nodes,
    key: 'nyc-0',
    value: {
      ...{ node: 'nyc-0', site: NYC, clientUrl: 'ws://127.0.0.1/media', linkUrl: 'wss://127.0.0.1', rtpCapabilities: {} },
      ...{ capacity: 1_000_000, legs: 0, cpu: 0, draining: false, pipes: [], at: 0 },
    },
  });
await report();
const reporting = setInterval(() => void report(), 1_000);

/** @param {BrainCommand} command @returns {Promise<any>} */
const ask = async (command) => (await bus.request({ topic: TOPICS.commands, key: command.room, value: command }, ANSWER_WITHIN_MS)).value;

/** The legs of each room, by its number. @type {Map<number, string[]>} */
const seated = new Map();

const seat = async (/** @type {number} */ room, /** @type {number} */ people) => {
  const legs = [];
  for (let n = 0; n < people; n++) {
    const person = /** @type {any} */ (`p${room}x${n}`);
    const joined = await ask({
      ...{ type: 'Join', room: `r${room}`, person, name: `Guest ${n}`, role: 'host', connect: 1, muted: false, cameraOff: false },
    });
    if (joined.type !== 'Joined') throw new Error(`Guest ${n} was not let into room ${room}: ${joined.type}.`);
    legs.push(joined.leg);
  }
  seated.set(room, legs);
};

/** Everybody switches their microphone off and on again, without a pause, one command under way in each room. @param {number} ms */
const talk = async (ms) => {
  const until = performance.now() + ms;
  let commands = 0;
  await Promise.all(
    [...seated].map(async ([room, legs]) => {
      for (let n = 0; performance.now() < until; n++) {
        const leg = /** @type {any} */ (legs[n % legs.length]);
        const type = Math.floor(n / legs.length) % 2 === 0 ? 'mute' : 'unmute';
        await ask({ type: 'Act', room: `r${room}`, leg, act: { type, leg } });
        commands++;
      }
    }),
  );
  return commands;
};

const orders = {
  /** @param {{ rooms: number, people: number }} wish */
  fill: async (wish) => {
    const next = Array.from({ length: wish.rooms }, (_, n) => seated.size + n).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const room of next) await seat(room, wish.people);
      }),
    );
    return {};
  },
  /** @param {{ ms: number }} wish */
  talk: async ({ ms }) => {
    await talk(500);
    const [begun, cpu] = [performance.now(), process.cpuUsage()];
    const commands = await talk(ms);
    const seconds = (performance.now() - begun) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { perSecond: commands / seconds, cpuUsEach: (user + system) / commands };
  },
  memory: async () => {
    // Twice: what the first lets go of may hold what only the second finds.
    for (let n = 0; n < 2; n++) globalThis.gc?.();
    return { heap: process.memoryUsage().heapUsed };
  },
  close: async () => {
    clearInterval(reporting);
    await brain.close();
    await bus.close();
    await store.close();
    setImmediate(() => process.exit(0));
    return {};
  },
};

process.on('message', (/** @type {any} */ { order, ...wish }) => {
  orders[/** @type {keyof typeof orders} */ (order)](wish).then(
    (done) => process.send?.({ done }),
    (error) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
process.send?.({ done: {} });
