import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { percentile } from './lib/statistics.mjs';

/**
 * Three sites with two bots each, and all links of one of them cut in the relay, again and again. From the cut until the last of all
 * bots is told that those beyond it are out of reach; until none of those is on anybody's stage; and from the heal until the last of
 * all bots has everybody in reach and the pictures of its stage arrive.
 */
export const title = 'Split and rejoin';
export const seconds = 400;

const PER_SITE = 2;
const APART_MS = 4_000;
const QUIET_MS = 62_000;
const LOOK_EVERY_MS = 20;
const PATIENCE_MS = 60_000;
const OFF_STAGE_MS = 2_000;
const AGAIN_P95_MS = 3_000;

/** @typedef {import('@isthmus/bots').Bot} Bot */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const cuts = context.quick ? 1 : 6;
  await prepareClips(context, 3 * PER_SITE);
  const { sites, relay, alias } = await startDemo(context);
  /** @type {{ bot: Bot, site: string }[]} */
  const people = [];
  context.atEnd(() => Promise.all(people.map(({ bot }) => bot.leave())));
  for (let n = 0; n < 3 * PER_SITE; n++) {
    const { id, gatewayUrl } = /** @type {import('./lib/demo.mjs').DemoSite} */ (sites[n % sites.length]);
    const bot = await startBot({ gatewayUrl, alias, name: `${id}-${n}`, persona: personaOf(n), hdKbps: 300, receive: 'count' });
    people.push({ bot, site: id });
  }
  const isOne = (/** @type {Bot} */ bot) =>
    bot.view.roster.length === people.length && bot.view.roster.every(({ inReach }) => inReach) && bot.missing().length === 0;
  await untilAll(people, ({ bot }) => isOne(bot));

  const noticed = [];
  const offStage = [];
  const again = [];
  for (let n = 0; n < cuts; n++) {
    context.note(`cut ${n + 1} of ${cuts}`);
    const lonely = /** @type {import('./lib/demo.mjs').DemoSite} */ (sites[n % sites.length]).id;
    const others = sites.map(({ id }) => id).filter((id) => id !== lonely);
    const beyond = (/** @type {{ bot: Bot, site: string }} */ { bot, site }, /** @type {string} */ leg) => {
      const of = bot.view.roster.find((entry) => entry.leg === leg)?.site;
      return of === undefined || (site === lonely) !== (of === lonely);
    };
    const cutAt = performance.now();
    await Promise.all(others.map((other) => relay.cut(lonely, other)));
    const [told, gone] = await Promise.all([
      untilAll(people, (one) => one.bot.view.roster.every(({ leg, inReach }) => !inReach || !beyond(one, leg))),
      untilAll(people, (one) => stageOf(one.bot).every((leg) => !beyond(one, leg))),
    ]);
    noticed.push(told - cutAt);
    offStage.push(gone - cutAt);
    await sleep(APART_MS);
    const healedAt = performance.now();
    await relay.heal();
    again.push((await untilAll(people, ({ bot }) => isOne(bot))) - healedAt);
    // A link that flaps is watched for longer before it counts as mended.
    if (n + 1 < cuts) await sleep(QUIET_MS);
  }
  return [
    ...rows('split noticed', noticed, {}),
    ...rows('unreachable people off stage', offStage, { 0.95: OFF_STAGE_MS }),
    ...rows('re-joined with picture', again, { 0.95: AGAIN_P95_MS }),
  ];
};

/** @param {Bot} bot */
const stageOf = ({ view: { stage } }) => [...(stage.main === null ? [] : [stage.main]), ...stage.thumbnails];

/** @param {{ bot: Bot, site: string }[]} people @param {(one: { bot: Bot, site: string }) => boolean} holds @returns {Promise<number>} when it held for the last of them, monotonic ms */
const untilAll = async (people, holds) => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const waiting = people.filter((one) => !holds(one));
    const now = performance.now();
    if (waiting.length === 0) return now;
    if (now > deadline)
      throw new Error(`${waiting.map(({ bot }) => bot.name).join(', ')} did not get there: ${waiting[0]?.bot.missing().join(', ')}`);
    await sleep(LOOK_EVERY_MS);
  }
};

/** @param {string} name @param {readonly number[]} samples @param {Readonly<Record<number, number>>} goals @returns {import('./figures.mjs').Figure[]} */
const rows = (name, samples, goals) =>
  [0.5, 0.95, 0.99].map((share) => {
    const atMost = goals[share];
    return {
      name: `${name}, p${Math.round(share * 100)}`,
      value: percentile(samples, share),
      unit: 'ms',
      ...(atMost === undefined ? {} : { goal: { atMost } }),
      ...(share === 0.5 ? { note: `${samples.length} cuts` } : {}),
    };
  });
