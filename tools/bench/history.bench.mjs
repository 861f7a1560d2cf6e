import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conference } from '@isthmus/conference';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { createTimeline, isFact, verify } from '@isthmus/kernel';
import { productionHistory } from './lib/histories.mjs';
import { percentile } from './lib/statistics.mjs';

/**
 * How fast facts become a state, and how soon two sites that wrote 40,000 facts each while apart are one again.
 *
 * Folding: the history of a conference of 50 legs over three sites, in the mix of production (lib/histories.mjs), as a brain reads it
 * from its store: every fact is given its place in the one order, read and folded. Anchor: `JSON.parse` of the same facts, which
 * anybody who reads them must do.
 *
 * Re-join: what one site does when the link is back: takes the other's facts off the wire in batches (parsed, checked, their hashes
 * verified), keeps them in SQLite (fsynced), gives them their places among its own and folds. Anchor: folding its own half alone.
 */
export const title = 'Histories';
export const seconds = 40;

const LEGS = 50;
const GOAL_FACTS_PER_SECOND = 1_000_000;
const GOAL_REJOIN_MS = 2_000;
const BATCH = 500;

/** @typedef {import('@isthmus/kernel').Fact} Fact */

const sha256 = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const { quick, note } = context;
  note('writing histories');
  const facts = productionHistory({ facts: quick ? 30_000 : 200_000, legs: LEGS, sites: ['nyc', 'lon', 'cpt'] });
  const texts = facts.map((fact) => JSON.stringify(fact));
  const rounds = quick ? 5 : 15;
  note('folding');
  const fold = perSecond(facts.length, rounds, () => folded(facts));
  const parse = perSecond(facts.length, rounds, () => texts.forEach((text) => void JSON.parse(text)));

  const half = quick ? 10_000 : 40_000;
  const shared = productionHistory({ facts: 500, legs: LEGS, sites: ['nyc', 'lon'] });
  const apart = (/** @type {string} */ site, /** @type {number} */ seed) =>
    productionHistory({ facts: half, legs: LEGS, sites: [site], seed, epoch: 2, over: shared });
  const [ours, theirs] = [apart('nyc', 2), apart('lon', 3)];
  /** @type {number[]} */
  const rejoins = [];
  for (let round = 0; round < (quick ? 2 : 5); round++) {
    note(`re-join ${round + 1}`);
    rejoins.push(await rejoin(context, [...shared, ...ours], theirs));
  }
  const alone = percentile(
    Array.from({ length: 5 }, () => timed(() => folded([...shared, ...ours]))),
    0.5,
  );
  return [
    {
      name: 'facts folded',
      value: fold,
      unit: '/s',
      goal: { atLeast: GOAL_FACTS_PER_SECOND },
      anchor: { name: 'JSON.parse of the same facts', value: parse },
      note: `${facts.length} facts of ${LEGS} legs at three sites`,
    },
    {
      name: `re-join of two histories of ${half.toLocaleString('en-US')} facts`,
      value: percentile(rejoins, 0.5),
      unit: 'ms',
      goal: { atMost: GOAL_REJOIN_MS },
      anchor: { name: 'folding its own half', value: alone },
      note: 'verified, on disk, in order, folded',
    },
  ];
};

/** @param {readonly Fact[]} facts */
const folded = (facts) => {
  const timeline = createTimeline(conference);
  timeline.add(facts);
  return timeline.state;
};

/** @param {() => unknown} work */
const timed = (work) => {
  const begun = performance.now();
  work();
  return performance.now() - begun;
};

/** In the median round; the first ones only warm up. @param {number} count @param {number} rounds @param {() => unknown} work */
const perSecond = (count, rounds, work) => {
  for (let warm = 0; warm < 3; warm++) work();
  return (
    (count * 1_000) /
    percentile(
      Array.from({ length: rounds }, () => timed(work)),
      0.5,
    )
  );
};

/** @param {import('./figures.mjs').BenchContext} context @param {readonly Fact[]} known @param {readonly Fact[]} theirs */
const rejoin = async (context, known, theirs) => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  context.atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const store = await sqliteEventStore({ file: join(folder, 'store.sqlite') });
  await store.adopt(known);
  const timeline = createTimeline(conference);
  timeline.add(known);
  const mine = timeline.state.legs.size;
  const wire = [];
  for (let at = 0; at < theirs.length; at += BATCH) wire.push(JSON.stringify(theirs.slice(at, at + BATCH)));

  const begun = performance.now();
  for (const text of wire) {
    /** @type {unknown[]} */
    const received = JSON.parse(text);
    const facts = received.filter(isFact);
    if (facts.length < received.length || !facts.every((fact) => verify(fact, sha256))) throw new Error('A fact did not survive the wire.');
    timeline.add(await store.adopt(facts));
  }
  const { legs } = timeline.state;
  const ms = performance.now() - begun;

  if (legs.size <= mine || timeline.waiting > 0) throw new Error('The two histories did not become one.');
  await store.close();
  return ms;
};
