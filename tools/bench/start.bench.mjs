import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Brain } from '@isthmus/conference-brain/application';
import { noBus, noPeers, sha256 } from '@isthmus/contract/samples';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { seal, streamNameOf, writerIdOf } from '@isthmus/kernel';
import { productionHistory } from './lib/histories.mjs';
import { percentile } from './lib/statistics.mjs';

/**
 * How long a brain takes to come back to a meeting that has gone on for long: 50 legs of two sites, in the mix of production
 * (lib/histories.mjs), on SQLite. Measured is what it does before it answers anybody: it reads what its site knows and folds it, from a
 * snapshot that is some facts old (ADR 0074). Anchor: the same without a snapshot.
 */
export const title = 'A brain that comes back';
export const seconds = 30;

const LEGS = 50;
const SINCE = 400;
const GOAL_MS = 250;
const KEPT_WITHIN_MS = 30_000;
const NYC = /** @type {import('@isthmus/kernel').SiteId} */ ('nyc');

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const { quick, note } = context;
  const count = quick ? 10_000 : 40_000;
  const rounds = quick ? 3 : 9;
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  context.atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const store = await sqliteEventStore({ file: join(folder, 'store.sqlite') });
  context.atEnd(() => store.close());

  note('writing a history');
  const facts = productionHistory({ facts: count, legs: LEGS, sites: ['nyc', 'lon'] });
  const opening = { conference: 'bench_1', room: 'bench', reach: ['nyc', 'lon'] };
  const stream = streamNameOf('room', 'bench', writerIdOf(NYC, 1));
  const opened = { stream, seq: 0, at: 1, prev: null, after: [], by: 'system', type: 'ConferenceOpened', v: 1, body: opening };
  await store.adopt([seal(opened, sha256), ...facts.slice(0, -SINCE)]);

  note('without a snapshot');
  const without = [];
  for (let round = 0; round < rounds; round++) without.push(await comesBack(store, 'read'));
  await keeps(store);
  await store.adopt(facts.slice(-SINCE));
  note('from a snapshot');
  const from = [];
  for (let round = 0; round < rounds; round++) from.push(await comesBack(store, 'used'));

  return [
    {
      name: `a brain back in a meeting of ${count.toLocaleString('en-US')} facts`,
      value: percentile(from, 0.5),
      unit: 'ms',
      goal: { atMost: GOAL_MS },
      anchor: { name: 'without a snapshot', value: percentile(without, 0.5) },
      note: `from a snapshot and ${SINCE} facts since`,
    },
  ];
};

/** @param {import('@isthmus/ports').EventStore} store @param {import('@isthmus/ports').Timers} timers @param {(what: string) => void} heard */
const brainOn = async (store, timers, heard) =>
  new Brain(
    {
      ...{ site: NYC, store, timers, snapshots: { heard }, chance: { bytes: (size) => new Uint8Array(size) } },
      ...{ bus: noBus, peers: noPeers },
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
    },
    await store.beginEpoch(),
  );
const never = () => () => undefined;

/** Ms until it could answer. @param {import('@isthmus/ports').EventStore} store @param {'read' | 'used'} how */
const comesBack = async (store, how) => {
  let did = 'read';
  const brain = await brainOn(store, { after: never, every: never }, (what) => (did = what));
  const begun = performance.now();
  await brain.start();
  const ms = performance.now() - begun;
  if (did !== how || brain.histories('bench').length === 0) throw new Error(`It should have come back by "${how}", and did by "${did}".`);
  await brain.close();
  return ms;
};

/** One snapshot. @param {import('@isthmus/ports').EventStore} store */
const keeps = async (store) => {
  /** @type {(() => void)[]} */
  const work = [];
  /** @type {import('@isthmus/ports').Timers['every']} */
  const every = (_, wake) => (work.push(wake), () => undefined);
  let kept = false;
  const brain = await brainOn(store, { after: never, every }, (what) => (kept ||= what === 'kept'));
  await brain.start();
  await brain.open();
  for (const wake of work) wake();
  const deadline = performance.now() + KEPT_WITHIN_MS;
  while (!kept) {
    if (performance.now() > deadline) throw new Error(`No snapshot was kept within ${KEPT_WITHIN_MS} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await brain.close();
};
