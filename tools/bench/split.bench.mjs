import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { Endings } from './endings.mjs';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { percentiles, untilAll } from './lib/wait.mjs';

/**
 * Three sites with two bots each, and all links of one of them cut in the relay. From the cut until the last of all bots is told that
 * those beyond it are out of reach; until none of those is on anybody's stage; and from the heal until the last of all bots has
 * everybody in reach and the pictures of its stage arrive.
 *
 * Each cut is made in a deployment of its own: a link that was cut a moment ago is watched for longer before it counts again (merge
 * rule 7), for up to a minute. The sites are apart for 4 to 6 s, longer than anything that begins with a cut takes.
 */
export const title = 'Split and rejoin';
export const seconds = 420;

const PER_SITE = 2;
const SETTLE_MS = 3_000;
const APART_MS = { least: 4_000, spread: 2_000 };
const OFF_STAGE_MS = 2_000;
const AGAIN_P95_MS = 3_000;

/** @typedef {import('@isthmus/bots').Bot} Bot */
/** @typedef {{ noticedMs: number, offStageMs: number, inReachMs: number, againMs: number }} Cut */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const cuts = context.quick ? 2 : 21;
  await prepareClips(context, 3 * PER_SITE);
  /** @type {Cut[]} */
  const all = [];
  for (let n = 0; n < cuts; n++) {
    const endings = new Endings();
    context.atEnd(() => endings.run());
    const note = (/** @type {string} */ text) => context.note(`cut ${n + 1} of ${cuts}: ${text}`);
    all.push(await cut({ ...context, note, atEnd: (ending) => endings.add(ending) }, n));
    await endings.run();
  }
  const of = (/** @type {keyof Cut} */ what) => all.map((each) => each[what]);
  const note = `${cuts} cuts, apart for ${APART_MS.least / 1000} to ${(APART_MS.least + APART_MS.spread) / 1000} s`;
  return [
    ...percentiles('split noticed', of('noticedMs'), { goals: { 0.95: OFF_STAGE_MS }, note }),
    ...percentiles('unreachable people off stage', of('offStageMs'), { goals: { 0.95: OFF_STAGE_MS } }),
    ...percentiles('re-joined, all told', of('inReachMs'), { note: 'of which a second is the damping of merge rule 7' }),
    ...percentiles('re-joined with picture', of('againMs'), { goals: { 0.95: AGAIN_P95_MS } }),
  ];
};

/** @param {import('./figures.mjs').BenchContext} context @param {number} n @returns {Promise<Cut>} */
const cut = async (context, n) => {
  const { sites, relay, alias } = await startDemo(context);
  /** @type {{ bot: Bot, site: string }[]} */
  const people = [];
  context.atEnd(() => Promise.all(people.map(({ bot }) => bot.leave())));
  for (let seat = 0; seat < 3 * PER_SITE; seat++) {
    const { id, gatewayUrl } = /** @type {import('./lib/demo.mjs').DemoSite} */ (sites[seat % sites.length]);
    const bot = await startBot({ gatewayUrl, alias, name: `${id}-${seat}`, persona: personaOf(seat), hdKbps: 300, receive: 'count' });
    people.push({ bot, site: id });
  }
  const inReach = (/** @type {Bot} */ bot) => bot.view.roster.length === people.length && bot.view.roster.every((entry) => entry.inReach);
  const isOne = (/** @type {Bot} */ bot) => inReach(bot) && bot.missing().length === 0;
  await untilAll(people, ({ bot }) => isOne(bot));
  await sleep(SETTLE_MS);

  const lonely = /** @type {import('./lib/demo.mjs').DemoSite} */ (sites[n % sites.length]).id;
  const others = sites.map(({ id }) => id).filter((id) => id !== lonely);
  const beyond = (/** @type {{ bot: Bot, site: string }} */ { bot, site }, /** @type {string} */ leg) => {
    const of = bot.view.roster.find((entry) => entry.leg === leg)?.site;
    return of === undefined || (site === lonely) !== (of === lonely);
  };
  context.note(`${lonely} is cut off`);
  const cutAt = performance.now();
  await Promise.all(others.map((other) => relay.cut(lonely, other)));
  const [told, gone] = await Promise.all([
    untilAll(people, (one) => one.bot.view.roster.every((entry) => !entry.inReach || !beyond(one, entry.leg))),
    untilAll(people, (one) => stageOf(one.bot).every((leg) => !beyond(one, leg))),
  ]);
  // Not a multiple of anything that is done again and again while apart.
  await sleep(APART_MS.least + ((n * 0.618) % 1) * APART_MS.spread);
  context.note('mended');
  const healedAt = performance.now();
  await relay.heal();
  const [reached, again] = await Promise.all([untilAll(people, ({ bot }) => inReach(bot)), untilAll(people, ({ bot }) => isOne(bot))]);
  return { noticedMs: told - cutAt, offStageMs: gone - cutAt, inReachMs: reached - healedAt, againMs: again - healedAt };
};

/** @param {Bot} bot */
const stageOf = ({ view: { stage } }) => [...(stage.main === null ? [] : [stage.main]), ...stage.thumbnails];
