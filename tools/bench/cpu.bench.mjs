import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { HD_KBPS_DEFAULT, personaOf, startBot } from '@isthmus/bots';
import { stageOf } from '@isthmus/conference';
import { CAMERA_LAYERS } from '@isthmus/protocol';
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
 *
 * The load is what cameras of the meeting client send (ADR 0021), and again what the demo's bots send, which is two fifths of the bit rate:
 * what a change of speaker costs is the same in both and has fewer packets to be divided by.
 */
export const title = 'CPU per forwarded packet';
export const seconds = 400;

const TURN_MS = 3_000;
const SPEAK_MS = 2_400;
const SETTLE_TURNS = 2;
const GOAL_TIMES_BARE = 1.05;
/** A process that has just started still has something to do. */
const CALM_AFTER_MS = 5_000;
const PARTS = /** @type {const} */ (['process', 'worker', 'packets', 'lost', 'seconds', 'machine']);
/** Of the large picture, kbit/s; the thumbnail has a fifteenth. `light`: what the demo's bots send. */
const LOADS = { real: CAMERA_LAYERS.large.bitrate / 1000, light: HD_KBPS_DEFAULT };
/** Several bots may look and sound alike. */
const PERSONAS_USED = 8;
/** With more of the packets lost than this, bots or the machine cannot carry the load, and what was measured is something else. */
const LOST_PART_MAX = 0.01;

/** @typedef {import('@isthmus/bots').Bot} Bot */
/** @typedef {{ site: 'nyc' | 'lon', bot: Bot }} Guest */
/** @typedef {{ process: number, worker: number }} Idle of one second, ms */
/** @typedef {{ process: number, worker: number, packets: number, lost: number, seconds: number, machine: number }} Cost CPU times in ms, `machine` of all that runs on it, over all cores */
/**
 * @typedef {{ pid: number, worker: number, idle: Idle, seat: (kbps: number) => Promise<Meeting> }} Way
 * @typedef {{ guests: readonly Guest[], forwarded: () => Promise<number>, turn: (speaker: Guest) => void }} Meeting
 */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const { quick } = context;
  const perSite = quick ? 3 : 8;
  const loads = quick ? [LOADS.light] : [LOADS.light, LOADS.real];
  for (const kbps of loads) await prepareClips(context, Math.min(2 * perSite, PERSONAS_USED), kbps);
  const ways = { bare: await bareWay(context, perSite), ours: await ourWay(context, perSite) };
  const light = figuresOf(ways, perSite, LOADS.light, await costAt(context, ways, LOADS.light, { turns: quick ? 4 : 10, rounds: 1 }));
  const idle = (/** @type {'bare' | 'ours'} */ name) => (ways[name].idle.process + ways[name].idle.worker) / 10;
  const empty = { name: 'CPU of a site with nobody in it', value: idle('ours'), unit: '% of a core', anchor: named(idle('bare')) };
  if (quick) return [...light, empty];
  const real = figuresOf(ways, perSite, LOADS.real, await costAt(context, ways, LOADS.real, { turns: 10, rounds: 3 }));
  const lighter = light.map(({ name, value, unit, anchor, note }) => ({
    ...{ name: `${name}; at a light load`, value, unit },
    ...(anchor && { anchor }),
    ...(note && { note }),
  }));
  return [...real, empty, ...lighter];
};

/**
 * What each way takes for as many packets as it then forwards, the two in turn. Everybody is seated anew.
 * @param {import('./figures.mjs').BenchContext} context @param {Record<'bare' | 'ours', Way>} ways @param {number} kbps
 * @param {{ turns: number, rounds: number }} how
 */
const costAt = async ({ note }, ways, kbps, { turns, rounds }) => {
  const nothing = { process: 0, worker: 0, packets: 0, lost: 0, seconds: 0, machine: 0 };
  const cost = { bare: { ...nothing }, ours: { ...nothing } };
  const meetings = { bare: await ways.bare.seat(kbps), ours: await ways.ours.seat(kbps) };
  for (let round = 0; round < rounds; round++) {
    for (const name of /** @type {const} */ (['bare', 'ours'])) {
      note(`${kbps} kbit/s: round ${round + 1} of ${rounds}, ${name}`);
      const more = await measure(ways[name], meetings[name], turns);
      for (const part of PARTS) cost[name][part] += more[part];
    }
  }
  for (const { guests } of Object.values(meetings)) await Promise.all(guests.map(({ bot }) => bot.leave()));
  for (const [name, { lost, packets }] of Object.entries(cost)) {
    if (lost > packets * LOST_PART_MAX)
      throw new Error(`${lost} of ${packets} packets were lost (${name}): the machine cannot carry ${kbps} kbit/s a camera.`);
  }
  return cost;
};

const named = (/** @type {number} */ value) => ({ name: 'bare mediasoup', value });

/**
 * @param {Record<'bare' | 'ours', Way>} ways @param {number} perSite @param {number} kbps @param {Record<'bare' | 'ours', Cost>} cost
 * @returns {import('./figures.mjs').Figure[]}
 */
const figuresOf = (ways, perSite, kbps, cost) => {
  const each = (/** @type {'bare' | 'ours'} */ name, /** @type {'process' | 'worker'} */ part, fixed = 0) =>
    ((cost[name][part] - fixed * ways[name].idle[part] * cost[name].seconds) * 1000) / cost[name].packets;
  const whole = (/** @type {'bare' | 'ours'} */ name, fixed = 0) => each(name, 'process', fixed) + each(name, 'worker', fixed);
  const [ours, bare] = [whole('ours', 1), whole('bare', 1)];
  const rate = (/** @type {'bare' | 'ours'} */ name) => Math.round(cost[name].packets / cost[name].seconds);
  const busy = (100 * (cost.ours.machine + cost.bare.machine)) / (1000 * cpus().length * (cost.ours.seconds + cost.bare.seconds));
  const lost = (100 * Math.max(0, cost.ours.lost + cost.bare.lost)) / (cost.ours.packets + cost.bare.packets);
  return [
    {
      name: 'CPU per forwarded packet, a site',
      value: ours,
      unit: 'µs',
      anchor: named(bare),
      note:
        `${perSite} people at each of two sites, ${kbps} kbit/s large; ${rate('ours')} packets/s, bare ${rate('bare')}; ` +
        `${lost.toFixed(2)} % lost, the machine ${Math.round(busy)} % busy`,
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

/** Who has the floor changes between the sites, and everybody gets their turn. @param {Way} way @param {Meeting} meeting @param {number} turns @returns {Promise<Cost>} */
const measure = async ({ pid, worker }, { guests, forwarded, turn: begin }, turns) => {
  const reading = async () => ({
    ...{ process: cpuMs(pid), worker: cpuMs(worker), packets: await forwarded(), seconds: performance.now() / 1000 },
    ...{ lost: guests.reduce((total, { bot }) => total + bot.lost, 0), machine: machineMs() },
  });
  /** @type {Cost | undefined} */
  let before;
  for (let turn = -SETTLE_TURNS; turn < turns; turn++) {
    if (turn === 0) before = await reading();
    const begun = performance.now();
    const speaker = guests[(turn + SETTLE_TURNS) % guests.length];
    if (speaker) begin(speaker);
    await sleep(TURN_MS - (performance.now() - begun));
  }
  const after = await reading();
  // Silence, so that the other way is measured alone.
  for (const { bot } of guests) bot.quiet();
  for (const part of PARTS) after[part] -= before?.[part] ?? 0;
  if (after.packets < 1_000) throw new Error(`Only ${after.packets} packets were forwarded: nothing can be said about their cost.`);
  return after;
};

/** CPU time of all cores in which something ran, since the machine began. */
const machineMs = () => cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);

/** In turn from each site. @param {number} perSite @returns {('nyc' | 'lon')[]} */
const places = (perSite) => Array.from({ length: 2 * perSite }, (_, at) => (at % 2 === 0 ? 'nyc' : 'lon'));

/**
 * @param {import('./figures.mjs').BenchContext} context @param {number} perSite @param {number} hdKbps
 * @param {(site: 'nyc' | 'lon') => { gatewayUrl: string, alias: string }} at
 */
const seat = async (context, perSite, hdKbps, at) => {
  /** @type {Guest[]} */
  const guests = [];
  context.atEnd(() => Promise.all(guests.map(({ bot }) => bot.leave())));
  for (const [n, site] of places(perSite).entries()) {
    context.note(`${n + 1} of ${2 * perSite} take their seats`);
    guests.push({
      site,
      bot: await startBot({ ...at(site), name: `Guest ${n}`, persona: personaOf(n % PERSONAS_USED), receive: 'count', hdKbps }),
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
  const sit = async (/** @type {number} */ kbps) => {
    const guests = await seat(context, perSite, kbps, (site) => ({ gatewayUrl: demo.site(site).gatewayUrl, alias: demo.alias }));
    const here = guests.filter(({ site }) => site === 'nyc');
    const forwarded = async () => {
      const link = (await demo.relay.stats()).links.find(({ from, to }) => from === 'nyc' && to === 'lon');
      const { audio, video, retransmission } = link?.kinds ?? {};
      return receivedBy(here) + (audio?.packets ?? 0) + (video?.packets ?? 0) + (retransmission?.packets ?? 0);
    };
    return { guests, forwarded, turn: (/** @type {Guest} */ { bot }) => bot.speak(SPEAK_MS) };
  };
  return { pid, worker, idle: await idleOf(context, { pid, worker }), seat: sit };
};

/** @param {import('./figures.mjs').BenchContext} context @param {number} perSite @returns {Promise<Way>} */
const bareWay = async (context, perSite) => {
  const sfu = await startBareSfu(context);
  const sit = async (/** @type {number} */ kbps) => {
    const guests = await seat(context, perSite, kbps, () => ({ gatewayUrl: sfu.url, alias: 'bare' }));
    let order = guests;
    const turn = (/** @type {Guest} */ speaker) => {
      order = [speaker, ...order.filter((guest) => guest !== speaker)];
      sfu.looks(looksAt(order));
      speaker.bot.speak(SPEAK_MS);
    };
    return { guests, forwarded: async () => receivedBy(guests), turn };
  };
  return { pid: sfu.pid, worker: sfu.worker, idle: await idleOf(context, sfu), seat: sit };
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
