import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, personaOf, startBot } from '@isthmus/bots';
import { stageOf } from '@isthmus/conference';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';

/**
 * Bytes between sites against the white paper's formula (acceptance S11 to S15 and S20 to S23). Counted by the relay: RTP header
 * and payload of video; the unit, HD, is what the current speaker's camera sends of its large layer in the same time.
 *
 * "Rule" is what the layout needs: each stream that somebody at the other end looks at, once, at the rate its sender sends it.
 * "Figure" is the paper's drawing, which leaves out the previous speaker's thumbnail unless both speakers share a site. Both are shown in the paper's own units,
 * HD = 1 and a thumbnail = 0.1; the deviation is from the rule at the rates that were really sent.
 *
 * mediasoup's worker gives every video packet that it forwards a block of RTP header extensions (RFC 8285) of 16 bytes, which bots'
 * own packets do not have and browsers' do. It is header: what bots sent is counted as if it had it. At the reduced bit rate here
 * that is much for a thumbnail, so the deviation without it is shown beside.
 */
export const title = 'Video between sites, against the formula';
export const seconds = 210;

/** @typedef {import('@isthmus/bots').Bot} Bot */
/** @typedef {import('./lib/demo.mjs').Demo} Demo */
/** @typedef {{ bot: Bot, site: string }} Guest */
/** @typedef {{ leg: string, layer: 'large' | 'small' }} Stream */

/** The current and the previous speaker, and how long the latter talks before the former begins. */
const TURN_MS = 2_500;
const FLOOR_WITHIN_MS = 30_000;
const DEVIATION_PERCENT = 5;
const FORWARDED_HEADER_BYTES = 16;

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const { quick, note } = context;
  const times = quick ? { settleMs: 3_000, windowMs: 10_000 } : { settleMs: 10_000, windowMs: 60_000 };
  await prepareClips(context, 8);
  const demo = await startDemo(context);
  const guests = await seat(context, demo, ['nyc', 'lon', 'cpt', 'nyc', 'lon', 'cpt', 'nyc', 'lon']);
  const at = (/** @type {string} */ site, n = 0) => /** @type {Guest} */ (guests.filter((guest) => guest.site === site)[n]);
  const measure = (
    /** @type {string} */ name,
    /** @type {readonly Guest[]} */ present,
    /** @type {Guest} */ previous,
    /** @type {Guest} */ current,
  ) => scene({ name, demo, present, previous, current, note, ...times });

  const eightWay = await measure('3+3+2', guests, at('lon'), at('nyc'));
  const leaving = guests.filter(({ site }) => site === 'cpt');
  await Promise.all(leaving.map(({ bot }) => bot.leave()));
  const two = guests.filter(({ site }) => site !== 'cpt');
  const sixWay = await measure('3+3', two, at('lon', 1), at('nyc', 1));
  const sameSite = await measure('3+3, both speakers in New York', two, at('nyc', 0), at('nyc', 2));
  return [...eightWay, ...sixWay, ...sameSite];
};

/** @param {import('./figures.mjs').BenchContext} context @param {Demo} demo @param {readonly string[]} places @returns {Promise<Guest[]>} */
const seat = async (context, demo, places) => {
  /** @type {Guest[]} */
  const guests = [];
  context.atEnd(() => Promise.all(guests.map(({ bot }) => bot.leave())));
  for (const [n, site] of places.entries()) {
    context.note(`${n + 1} of ${places.length} take their seats`);
    const options = { alias: demo.alias, persona: personaOf(n), receive: /** @type {const} */ ('count') };
    guests.push({ bot: await startBot({ ...options, gatewayUrl: demo.site(site).gatewayUrl }), site });
  }
  return guests;
};

/**
 * @param {{ name: string, demo: Demo, present: readonly Guest[], previous: Guest, current: Guest, note: (text: string) => void,
 *   settleMs: number, windowMs: number }} scene
 */
const scene = async ({ name, demo, present, previous, current, note, settleMs, windowMs }) => {
  note(`${name}: somebody takes the floor, then another`);
  for (const { bot } of [previous, current]) {
    bot.speak(TURN_MS);
    await sleep(TURN_MS);
    await eventually(() => floorless(present, bot), FLOOR_WITHIN_MS);
  }
  const order = [current, previous, ...present.filter((guest) => guest !== current && guest !== previous)].map(({ bot }) => bot.leg);
  // Who speaks goes on speaking: voices cross too, and are counted apart.
  current.bot.speak(settleMs + windowMs + 2_000);
  await sleep(settleMs);
  note(`${name}: counting for ${windowMs / 1000} s`);
  const before = await snapshot(demo, present);
  await sleep(windowMs);
  const after = await snapshot(demo, present);
  current.bot.quiet();
  const stray = floorless(present, current.bot);
  if (stray.length > 0) throw new Error(`The floor changed while it was counted: ${stray.join('; ')}`);

  const sentBy = new Map(present.map(({ bot }, n) => [String(bot.leg), difference(before.sent[n], after.sent[n])]));
  const hd = wireBytes(sentBy.get(current.bot.leg)?.large);
  const siteOf = new Map(present.map(({ bot, site }) => [String(bot.leg), site]));
  const sites = [...new Set(present.map(({ site }) => site))];
  const seconds = (after.atMs - before.atMs) / 1000;
  const kbps = (/** @type {number} */ bytes) => (bytes * 8) / seconds / 1000;
  const figures = [];
  const total = { measured: 0, mcu: 0 };
  for (const from of sites) {
    for (const to of sites.filter((site) => site !== from)) {
      const wire = linkDifference(before.links, after.links, from, to);
      const streams = crossing(order, siteOf, from, to);
      const sent = streams.map(({ leg, layer }) => sentBy.get(leg)?.[layer]);
      const [due, bare] = [sum(sent.map(wireBytes)), sum(sent.map((each) => each?.octets ?? 0))];
      const large = streams.filter(({ layer }) => layer === 'large').length;
      const small = streams.length - large;
      const drawn = streams.filter(
        ({ leg, layer }) => layer === 'small' && (leg !== previous.bot.leg || previous.site === current.site),
      ).length;
      const mcu = [from, to].includes('nyc') ? present.filter(({ site }) => site === (from === 'nyc' ? to : from)).length : 0;
      total.measured += wire.video / hd;
      total.mcu += mcu;
      const link = `${name}: ${demo.site(from).name} → ${demo.site(to).name}`;
      figures.push(
        {
          name: link,
          value: wire.video / hd,
          unit: 'HD',
          goal: { atMost: large + small / 10 },
          anchor: { name: 'one MCU in New York, by arithmetic', value: mcu },
          note: `figure ${units(large, drawn)}, rule ${units(large, small)}: ${large} HD + ${small} T; ${Math.round(kbps(wire.video))} kbit/s`,
        },
        {
          name: `${link}, off the rule`,
          value: offBy(wire.video, due),
          unit: '%',
          goal: { atMost: DEVIATION_PERCENT },
          note: `${offBy(wire.video, bare).toFixed(1)} % without the header extensions that mediasoup adds`,
        },
        { name: `${link}, audio`, value: kbps(wire.audio), unit: 'kbit/s' },
        { name: `${link}, RTCP and retransmissions`, value: kbps(wire.rest), unit: 'kbit/s' },
      );
    }
  }
  const thumbnails = [...sentBy.values()].map(({ small }) => wireBytes(small));
  figures.push(
    { name: `${name}: a thumbnail, the largest`, value: Math.max(...thumbnails) / hd, unit: 'HD', goal: { atMost: 0.1 } },
    { name: `${name}: saved on all links against one MCU`, value: (1 - total.measured / total.mcu) * 100, unit: '%' },
  );
  return figures;
};

const sum = (/** @type {readonly number[]} */ values) => values.reduce((total, value) => total + value, 0);
const offBy = (/** @type {number} */ measured, /** @type {number} */ due) => Math.abs(measured / due - 1) * 100;
const wireBytes = (/** @type {Sent | undefined} */ sent) => (sent ? sent.octets + sent.packets * FORWARDED_HEADER_BYTES : 0);
const units = (/** @type {number} */ large, /** @type {number} */ small) => (large + small / 10).toFixed(1);

/** Who is not shown `speaker` large and should be. @param {readonly Guest[]} present @param {Bot} speaker */
const floorless = (present, speaker) =>
  present
    .filter(({ bot }) => bot !== speaker && bot.view.stage.main !== speaker.leg)
    .map(({ bot }) => `${bot.name} does not have ${speaker.name} large`);

/** What somebody at `to` looks at of those at `from`. @param {readonly import('@isthmus/conference').LegId[]} order @param {ReadonlyMap<string, string>} siteOf @param {string} from @param {string} to */
const crossing = (order, siteOf, from, to) => {
  /** @type {Map<string, Stream>} */
  const streams = new Map();
  for (const viewer of order.filter((leg) => siteOf.get(leg) === to)) {
    const { main, thumbnails } = stageOf(viewer, order);
    const looks = [
      ...(main ? [{ leg: main, layer: /** @type {const} */ ('large') }] : []),
      ...thumbnails.map((leg) => ({ leg, layer: /** @type {const} */ ('small') })),
    ];
    for (const stream of looks) if (siteOf.get(stream.leg) === from) streams.set(`${stream.leg} ${stream.layer}`, stream);
  }
  return [...streams.values()];
};

/** @param {Demo} demo @param {readonly Guest[]} present */
const snapshot = async (demo, present) => {
  const sent = present.map(({ bot }) => bot.sent);
  return { sent, ...(await demo.relay.stats()) };
};

/** @typedef {{ octets: number, packets: number }} Sent */
/** @param {Bot['sent'] | undefined} before @param {Bot['sent'] | undefined} after */
const difference = (before, after) => {
  if (!before || !after) throw new Error('Somebody was not counted.');
  const of = (/** @type {'large' | 'small'} */ layer) => ({
    octets: after[layer].octets - before[layer].octets,
    packets: after[layer].packets - before[layer].packets,
  });
  return { large: of('large'), small: of('small') };
};

/** @typedef {readonly import('@isthmus/cli').LinkStats[]} Links */
/** @param {Links} before @param {Links} after @param {string} from @param {string} to */
const linkDifference = (before, after, from, to) => {
  const kinds = (/** @type {Links} */ links) => {
    const link = links.find((each) => each.from === from && each.to === to);
    if (!link) throw new Error(`The relay has no link from ${from} to ${to}.`);
    return link.kinds;
  };
  const [old, now] = [kinds(before), kinds(after)];
  return {
    video: now.video.rtpBytes - old.video.rtpBytes,
    audio: now.audio.rtpBytes - old.audio.rtpBytes,
    rest: now.rtcp.bytes - old.rtcp.bytes + now.retransmission.rtpBytes - old.retransmission.rtpBytes,
  };
};
