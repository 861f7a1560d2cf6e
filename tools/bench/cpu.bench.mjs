import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { stageOf } from '@isthmus/conference';
import { startBareSfu } from './bare/bare-sfu.mjs';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { cpuMs } from './lib/processes.mjs';

/**
 * What a forwarded packet costs a site, next to bare mediasoup.
 *
 * Ours: New York's process and its mediasoup worker (user and system time of both) in a conference with as many people again in
 * London; the floor changes every 3 s, between the sites in turn. Forwarded packets: RTP that New York's bots received, and what the
 * relay counted from New York to London. The process is the whole site: conference-brain, gateway-router, registrar, telemetry and the
 * store. What a site takes while nobody is in it (reports, heartbeats, timers) does not grow with packets: it is a row of its own, and
 * taken off what is compared, here and for bare mediasoup alike; all that people, floor changes and packets cost stays in.
 *
 * Bare: one Node process that does nothing but tell its mediasoup worker what to do, and that worker. The same number of
 * bots send to it, the same layers; "New York's" get the same stages with the same changes, and one of "London's" gets what
 * crosses: everybody there shown large or small to anybody in London, once, and the voices. Forwarded: RTP that bots received.
 *
 * The two alternate, and each is measured only after it has settled. Bots run in this process and are in neither figure.
 */
export const title = 'CPU per forwarded packet';
export const seconds = 230;

const TURN_MS = 3_000;
const SPEAK_MS = 2_400;
const SETTLE_TURNS = 2;
const GOAL_TIMES_BARE = 1.05;
/** A process that has just started still has something to do. */
const CALM_AFTER_MS = 5_000;
const PARTS = /** @type {const} */ (['process', 'worker', 'packets']);

/** @typedef {import('@isthmus/bots').Bot} Bot */
/** @typedef {{ site: 'nyc' | 'lon', bot: Bot }} Guest */
/** @typedef {{ process: number, worker: number }} Idle of one second, ms */
/** @typedef {{ pid: number, worker: number, idle: Idle, guests: readonly Guest[], forwarded: () => Promise<number>, turn: (speaker: Guest) => void }} Way */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const { quick, note } = context;
  const perSite = quick ? 3 : 8;
  const turns = quick ? 4 : 10;
  const rounds = quick ? 1 : 3;
  await prepareClips(context, 2 * perSite);
  const ways = { bare: await bareWay(context, perSite), ours: await ourWay(context, perSite) };
  const cost = { bare: { process: 0, worker: 0, packets: 0 }, ours: { process: 0, worker: 0, packets: 0 } };
  for (let round = 0; round < rounds; round++) {
    for (const name of /** @type {const} */ (['bare', 'ours'])) {
      note(`round ${round + 1} of ${rounds}, ${name}`);
      const more = await measure(ways[name], turns);
      for (const part of PARTS) cost[name][part] += more[part];
    }
  }
  const measuredSeconds = (rounds * turns * TURN_MS) / 1000;
  const each = (/** @type {'bare' | 'ours'} */ name, /** @type {'process' | 'worker'} */ part, fixed = 0) =>
    ((cost[name][part] - fixed * ways[name].idle[part] * measuredSeconds) * 1000) / cost[name].packets;
  const whole = (/** @type {'bare' | 'ours'} */ name, fixed = 0) => each(name, 'process', fixed) + each(name, 'worker', fixed);
  const [ours, bare] = [whole('ours', 1), whole('bare', 1)];
  const named = (/** @type {number} */ value) => ({ name: 'bare mediasoup', value });
  const rate = (/** @type {'bare' | 'ours'} */ name) => Math.round(cost[name].packets / measuredSeconds);
  const idle = (/** @type {'bare' | 'ours'} */ name) => (ways[name].idle.process + ways[name].idle.worker) / 10;
  return [
    {
      name: 'CPU per forwarded packet, a site',
      value: ours,
      unit: 'µs',
      anchor: named(bare),
      note: `${perSite} people at each of two sites; ${rate('ours')} packets/s, bare ${rate('bare')}`,
    },
    { name: 'CPU per forwarded packet, in bare mediasoup’s', value: ours / bare, unit: '×', goal: { atMost: GOAL_TIMES_BARE } },
    {
      name: 'CPU per forwarded packet, the worker alone',
      value: each('ours', 'worker'),
      unit: 'µs',
      anchor: named(each('bare', 'worker')),
    },
    {
      name: 'CPU per forwarded packet, the Node process alone',
      value: each('ours', 'process', 1),
      unit: 'µs',
      anchor: named(each('bare', 'process', 1)),
    },
    {
      name: 'CPU per forwarded packet, what an empty site takes included',
      value: whole('ours'),
      unit: 'µs',
      anchor: named(whole('bare')),
      note: 'as if nothing else were at the site: the fewer packets, the more each carries',
    },
    { name: 'CPU of a site with nobody in it', value: idle('ours'), unit: '% of a core', anchor: named(idle('bare')) },
  ];
};

/** What the two processes take while nobody is there. @param {import('./figures.mjs').BenchContext} context @param {{ pid: number, worker: number }} processes @returns {Promise<Idle>} */
const idleOf = async ({ note, quick }, { pid, worker }) => {
  note('nobody is there yet');
  await sleep(CALM_AFTER_MS);
  const [begun, before] = [performance.now(), { process: cpuMs(pid), worker: cpuMs(worker) }];
  await sleep(quick ? 5_000 : 15_000);
  const elapsed = (performance.now() - begun) / 1000;
  return { process: (cpuMs(pid) - before.process) / elapsed, worker: (cpuMs(worker) - before.worker) / elapsed };
};

/** Who has the floor changes between the sites, and everybody gets their turn. @param {Way} way @param {number} turns */
const measure = async (way, turns) => {
  let before = { process: 0, worker: 0, packets: 0 };
  const reading = async () => ({ process: cpuMs(way.pid), worker: cpuMs(way.worker), packets: await way.forwarded() });
  for (let turn = -SETTLE_TURNS; turn < turns; turn++) {
    if (turn === 0) before = await reading();
    const begun = performance.now();
    const { guests } = way;
    const speaker = guests[(turn + SETTLE_TURNS) % guests.length];
    if (speaker) way.turn(speaker);
    await sleep(TURN_MS - (performance.now() - begun));
  }
  const after = await reading();
  const packets = after.packets - before.packets;
  if (packets < 1_000) throw new Error(`Only ${packets} packets were forwarded: nothing can be said about their cost.`);
  // Silence, so that the other way is measured alone.
  for (const { bot } of way.guests) bot.quiet();
  return { process: after.process - before.process, worker: after.worker - before.worker, packets };
};

/** In turn from each site. @param {number} perSite @returns {('nyc' | 'lon')[]} */
const places = (perSite) => Array.from({ length: 2 * perSite }, (_, at) => (at % 2 === 0 ? 'nyc' : 'lon'));

/**
 * @param {import('./figures.mjs').BenchContext} context @param {number} perSite
 * @param {(site: 'nyc' | 'lon') => { gatewayUrl: string, alias: string }} at
 */
const seat = async (context, perSite, at) => {
  /** @type {Guest[]} */
  const guests = [];
  context.atEnd(() => Promise.all(guests.map(({ bot }) => bot.leave())));
  for (const [n, site] of places(perSite).entries()) {
    context.note(`${n + 1} of ${2 * perSite} take their seats`);
    guests.push({
      site,
      bot: await startBot({ ...at(site), name: `Guest ${n}`, persona: personaOf(n % 8), receive: 'count' }),
    });
  }
  return guests;
};

/** @param {readonly Guest[]} guests */
const receivedBy = (guests) => guests.reduce((total, { bot }) => total + bot.received.packets, 0);

/** @param {import('./figures.mjs').BenchContext} context @param {number} perSite @returns {Promise<Way>} */
const ourWay = async (context, perSite) => {
  const demo = await startDemo(context, { sites: 2 });
  const { pid, worker } = demo.site('nyc');
  const idle = await idleOf(context, { pid, worker });
  const guests = await seat(context, perSite, (site) => ({ gatewayUrl: demo.site(site).gatewayUrl, alias: demo.alias }));
  const here = guests.filter(({ site }) => site === 'nyc');
  const forwarded = async () => {
    const link = (await demo.relay.stats()).links.find(({ from, to }) => from === 'nyc' && to === 'lon');
    const { audio, video, retransmission } = link?.kinds ?? {};
    return receivedBy(here) + (audio?.packets ?? 0) + (video?.packets ?? 0) + (retransmission?.packets ?? 0);
  };
  return { pid, worker, idle, guests, forwarded, turn: ({ bot }) => bot.speak(SPEAK_MS) };
};

/** @param {import('./figures.mjs').BenchContext} context @param {number} perSite @returns {Promise<Way>} */
const bareWay = async (context, perSite) => {
  const sfu = await startBareSfu(context);
  const idle = await idleOf(context, sfu);
  const guests = await seat(context, perSite, () => ({ gatewayUrl: sfu.url, alias: 'bare' }));
  let order = guests;
  const turn = (/** @type {Guest} */ speaker) => {
    order = [speaker, ...order.filter((guest) => guest !== speaker)];
    sfu.looks(looksAt(order));
    speaker.bot.speak(SPEAK_MS);
  };
  return { pid: sfu.pid, worker: sfu.worker, idle, guests, forwarded: async () => receivedBy(guests), turn };
};

/** What New York's see, and what one of London's gets in place of the crossing. @param {readonly Guest[]} order most recent speaker first */
const looksAt = (order) => {
  const legs = order.map(({ bot }) => bot.leg);
  const siteOf = new Map(order.map(({ bot, site }) => [bot.leg, site]));
  /** @type {Map<string, import('./bare/bare-sfu.mjs').Look>} */
  const looks = new Map();
  const crossing = order.reduce((first, guest) => (guest.site === 'lon' && guest.bot.leg < first ? guest.bot.leg : first), '~');
  for (const viewer of legs) {
    const { main, thumbnails } = stageOf(viewer, legs);
    const local = siteOf.get(viewer) === 'nyc';
    const seen = [
      ...(main ? [{ leg: main, layer: /** @type {const} */ ('large') }] : []),
      ...thumbnails.map((leg) => ({ leg, layer: /** @type {const} */ ('small') })),
    ];
    for (const { leg, layer } of seen) {
      if (local) looks.set(`${viewer} ${leg}`, { viewer, leg, layer });
      else if (siteOf.get(leg) === 'nyc') looks.set(`crossing ${leg} ${layer}`, { viewer: crossing, leg, layer, key: ` ${layer}` });
    }
  }
  return [...looks.values()];
};
