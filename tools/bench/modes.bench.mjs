import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { startBrokers } from './lib/brokers.mjs';
import { startBrowser } from './lib/browser.mjs';
import { Caller } from './lib/caller.mjs';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { clickToFrame, enterMeeting } from './lib/meeting-page.mjs';
import { cpuMs } from './lib/processes.mjs';
import { percentile } from './lib/statistics.mjs';

/**
 * A site in one process beside a site whose services are processes of their own and talk through Kafka: what taking it apart costs.
 * How each row is measured, README.md says.
 */
export const title = 'Both modes side by side';
export const seconds = 300;

const SITES = 2;
/** Of a site, whether in one process or in as many. */
const SERVICES = 5;
const RATES = [5, 10, 20, 40, 80, 160];
const RATE_MS = 5_000;
const IN_WITHIN_MS = 2_000;
const STAY_MS = 1_000;
const ROOMS = 20;
const IDLE_ROOMS = 40;
/** Joins have echoes, such as nodes that let go: they are not what an idle site does. */
const SETTLE_MS = 6_000;

/** @typedef {import('./figures.mjs').BenchContext} BenchContext */
/** @typedef {import('./lib/demo.mjs').Demo} Demo */
/** @typedef {{ click: number, fact: number, service: number, conference: number, joins: number }} Measured */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  await prepareClips(context, 1);
  const one = await measured(context, undefined);
  const brokers = await startBrokers(context, SITES);
  const apart = await measured(
    context,
    brokers.map(({ address }) => address),
  );
  const rows = (/** @type {string} */ name, /** @type {string} */ unit, /** @type {keyof Measured} */ key, note = '') => [
    { name: `${name}, one process per site`, value: one[key], unit, ...(note === '' ? {} : { note }) },
    { name: `${name}, services apart on Kafka`, value: apart[key], unit, anchor: { name: 'one process per site', value: one[key] } },
  ];
  return [
    ...rows('join click to first frame, p50', 'ms', 'click'),
    ...rows('command to fact at every site, p50', 'ms', 'fact', 'until somebody at the last site is told'),
    ...rows('CPU of an idle service', '% of a core', 'service', `of ${SERVICES} a site; a broker is not among them`),
    ...rows('CPU per idle conference', '‰ of a core', 'conference', `${IDLE_ROOMS} of two people, without media`),
    ...rows('joins per second sustained', '/s', 'joins', `of ${RATES.join(', ')}`),
  ];
};

/** @param {BenchContext} context @param {readonly string[] | undefined} kafka @returns {Promise<Measured>} */
const measured = async (context, kafka) => {
  /** Each mode has the machine to itself. @type {(() => unknown)[]} */
  const endings = [];
  const within = { ...context, atEnd: (/** @type {() => unknown} */ ending) => void endings.push(ending) };
  const end = async () => {
    for (const ending of endings.splice(0).reverse()) await ending();
  };
  context.atEnd(end);
  const demo = await startDemo(within, { sites: SITES, capacity: 1_000, ...(kafka ? { kafka } : {}) });
  const rooms = Array.from({ length: IDLE_ROOMS }, (_, at) => `hall-${at}`);
  await demo.makeRooms(rooms);
  await sleep(SETTLE_MS);
  const quiet = await coresTaken(context, demo);
  const people = await fill(demo, rooms);
  await sleep(SETTLE_MS);
  const filled = await coresTaken(context, demo);
  for (const caller of people) caller.leave();
  await sleep(SETTLE_MS);
  const fact = await commandToFact(context, demo);
  const click = await joinClick(within, demo);
  const joins = await sustained(context, demo, rooms.slice(0, ROOMS));
  await end();
  return { click, fact, joins, service: (100 * quiet) / (SITES * SERVICES), conference: (1_000 * (filled - quiet)) / IDLE_ROOMS };
};

/** How many cores all services take together while nothing is asked of them. @param {BenchContext} context @param {Demo} demo */
const coresTaken = async (context, { services }) => {
  context.note('looking at idle services');
  const total = () => services.reduce((sum, pid) => sum + cpuMs(pid), 0);
  const [before, beganAt] = [total(), performance.now()];
  await sleep(context.quick ? 4_000 : 15_000);
  return (total() - before) / (performance.now() - beganAt);
};

/** Somebody of each site in each room. @param {Demo} demo @param {readonly string[]} rooms */
const fill = async ({ sites }, rooms) => {
  const people = [];
  for (const room of rooms) {
    for (const { meetUrl } of sites) {
      const caller = new Caller(meetUrl);
      await caller.join(room);
      people.push(caller);
    }
  }
  return people;
};

/** From a join that is sent until the last of those who watch, one at each site, is told of it. @param {BenchContext} context @param {Demo} demo */
const commandToFact = async (context, demo) => {
  const room = 'hall-0';
  const watchers = await fill(demo, [room]);
  const [first] = demo.sites;
  const told = (/** @type {(others: number) => boolean} */ holds) =>
    Promise.all(
      watchers.map(
        (watcher) =>
          new Promise((resolve) => {
            watcher.onView = ({ roster }) => holds(roster.length - watchers.length) && resolve(performance.now());
          }),
      ),
    );
  const times = [];
  for (let n = 0; n < (context.quick ? 5 : 30); n++) {
    context.note(`command ${n + 1}`);
    const caller = new Caller(first?.meetUrl ?? '');
    await caller.opened();
    const seen = told((others) => others > 0);
    const sentAt = performance.now();
    await caller.join(room);
    times.push(Math.max(...(await seen)) - sentAt);
    const gone = told((others) => others <= 0);
    caller.leave();
    await gone;
  }
  for (const watcher of watchers) watcher.leave();
  return percentile(times, 0.5);
};

/** @param {BenchContext} context @param {Demo} demo @param {readonly string[]} rooms */
const sustained = async (context, { sites }, rooms) => {
  let best = 0;
  for (const rate of RATES) {
    context.note(`${rate} joins a second`);
    const beganAt = performance.now();
    const joins = Array.from({ length: (rate * RATE_MS) / 1_000 }, async (_, n) => {
      await sleep(Math.max(0, beganAt + (n * 1_000) / rate - performance.now()));
      const caller = new Caller(sites[n % sites.length]?.meetUrl ?? '');
      const rangAt = performance.now();
      await caller.join(rooms[Math.floor(n / sites.length) % rooms.length] ?? '');
      const ms = performance.now() - rangAt;
      await sleep(STAY_MS);
      caller.leave();
      return ms;
    });
    const outcomes = await Promise.allSettled(joins);
    if (outcomes.some((outcome) => outcome.status === 'rejected' || outcome.value > IN_WITHIN_MS)) break;
    best = rate;
    await sleep(STAY_MS);
  }
  return best;
};

/** @param {BenchContext} context @param {Demo} demo */
const joinClick = async (context, { sites, alias }) => {
  const joins = context.quick ? 3 : 10;
  const [site] = sites;
  if (!site) throw new Error('The demo has no site.');
  const browser = await startBrowser(context);
  const bot = await startBot({ gatewayUrl: site.gatewayUrl, alias, persona: personaOf(0), receive: 'count' });
  context.atEnd(() => bot.leave());
  const times = [];
  for (let join = -1; join < joins; join++) {
    context.note(join < 0 ? 'warming up' : `click ${join + 1} of ${joins}`);
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    try {
      await page.goto(`${site.meetUrl}/r/${alias}`);
      await enterMeeting(page, join);
      const { 'first-frame': ms = NaN } = await clickToFrame(page);
      if (join >= 0) times.push(ms);
    } finally {
      await page.context().close();
    }
    await sleep(300);
  }
  return percentile(times, 0.5);
};
