/**
 * A process of its own around a real brain and a real store, for what specs can only see from outside: kills at every boundary,
 * traces of system calls, full and failing disks. `node brain-process.js FOLDER [MARK:COUNT]`: with a mark it stands still there,
 * to be killed. With `SNAPSHOTS` in its environment it keeps one after every fact. Commands come as lines of JSON; what it prints begins with `>` and is for `bad-weather.service.spec.ts`.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { IsthmusError, type SiteId } from '@isthmus/kernel';
import type { EventStore, Position, Stored } from '@isthmus/ports';
import { TOPICS, type BrainAnswer } from '@isthmus/protocol';
import { estateFacts, noPeers, roomsCreated, sampleNode, sampleRoom } from '@isthmus/contract/samples';
import { machineTimers } from '../machine.js';
import { startBrain } from '../start.js';

const [, , folder = '', holdAt] = process.argv;
let standStill = holdAt;
const site = 'nyc' as SiteId;

/** Straight to the descriptor, so that a line is out before the next system call. */
const print = (line: string): void => void writeSync(1, `>${line}\n`);

const passed = new Map<string, number>();
/** A boundary at which a process may be killed. */
const mark = async (name: string): Promise<void> => {
  const count = (passed.get(name) ?? 0) + 1;
  passed.set(name, count);
  if (`${name}:${count}` !== standStill) return;
  print(`held ${name}`);
  await new Promise(() => undefined);
};

async function* marked<T>(name: string, items: AsyncIterable<T>): AsyncIterable<T> {
  for await (const item of items) {
    await mark(name);
    yield item;
  }
}

/** The store, with a mark at each of its boundaries. */
const withMarks = (store: EventStore): EventStore => ({
  append: async (stream, expected, facts) => {
    await mark('before-append');
    await store.append(stream, expected, facts);
    await mark('appended');
  },
  read: (stream, from) => marked('reading', store.read(stream, from)),
  adopt: (facts) => store.adopt(facts),
  follow: (category: string, after: Position | undefined, signal: AbortSignal): AsyncIterable<Stored> =>
    marked('publishing', store.follow(category, after, signal)),
  learned: (stream, after) => marked('reading', store.learned(stream, after)),
  snapshot: (name) => store.snapshot(name),
  keepSnapshot: async (name, text) => {
    await mark('before-snapshot');
    const keeping = store.keepSnapshot(name, text);
    await mark('keeping-snapshot');
    await keeping;
    await mark('snapshot-kept');
  },
  streams: (category) => store.streams(category),
  beginEpoch: () => store.beginEpoch(),
  bookmark: (name) => store.bookmark(name),
  setBookmark: async (name, position) => {
    await mark('published');
    await store.setBookmark(name, position);
  },
  close: () => store.close(),
});

const room = sampleRoom('r1', { name: 'Demo', aliases: ['demo'] });
const node = sampleNode(site, { capacity: 100 });

const bus = embeddedBus({ report: () => undefined });
const store = await sqliteEventStore({ file: join(folder, 'facts.db') });
await store.adopt(estateFacts(roomsCreated(room)));
await bus.subscribe(TOPICS.facts, { group: 'spec' }, async ({ value }) => {
  const { stream, seq, type } = value as { stream: string; seq: number; type: string };
  print(`fact ${stream} ${seq} ${type}`);
});
const report = () => void bus.publish({ topic: TOPICS.nodes, key: 'nyc-1', value: node });
await startBrain({
  ...{ site, bus, store: withMarks(store), peers: noPeers, listen: { host: '127.0.0.1', port: 0 } },
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  resumeKey: new Uint8Array(32).fill(7),
  // Nobody answers for people here, and a machine with much else to do must not sweep them before a spec has looked.
  // One after every fact, where a spec is about them.
  ...(process.env['SNAPSHOTS'] === undefined
    ? {}
    : { snapshots: { everyFacts: 1, growth: 0, lookEveryMs: 20, readBehindAfterMs: 10, heard: (what) => print(`snapshot ${what}`) } }),
  timers: { ...machineTimers, after: (ms, work) => machineTimers.after(20 * ms, work) },
});
report();
setInterval(report, 1_000);
print('ready');

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line) as { type: string; at?: string };
    if (command.type === 'Hold') standStill = `${command.at}:${(passed.get(command.at ?? '') ?? 0) + 1}`;
    if (command.type === 'Hold') return print('will hold');
    if (command.type === 'Stop') process.exit(0);
    if (command.type === 'Count') return void counted().then((counts) => print(JSON.stringify(counts)));
    bus.request({ topic: TOPICS.commands, key: 'r1', value: command }, 30_000).then(
      ({ value }) => print(`ack ${told(value as BrainAnswer)}`),
      (error: unknown) => print(`no ${error instanceof IsthmusError ? String(error.code) : String(error)}`),
    );
  })
  .on('close', () => process.exit(0));

/** How many facts of each kind its conferences have. */
const counted = async (): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const stream of await store.streams('conference')) {
    for await (const { type } of store.read(stream)) counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
};

/** The little that a spec looks at. */
const told = (answer: BrainAnswer): string => {
  if (answer.type !== 'Joined') return JSON.stringify({});
  const { leg, view } = answer;
  return JSON.stringify({ leg, locked: view.locked, seats: view.seats.map(({ person, muted }) => [person, muted !== false]) });
};
