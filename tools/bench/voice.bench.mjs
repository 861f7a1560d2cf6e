import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { startBareSfu } from './bare/bare-sfu.mjs';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { percentile } from './lib/statistics.mjs';

/**
 * From the first syllable of somebody who has been silent until they are large at the other sites: the voice is detected where
 * it is, the floor becomes a fact, crosses, and the speaker's large layer crosses and begins with a key frame. Every viewer at
 * another site is a sample; the end is the last packet of the first frame of the large layer. Compared with how long mediasoup's own
 * ActiveSpeakerObserver takes, at its default of 300 ms, merely to name the speaker.
 */
export const title = 'Voice onset to the large picture at another site';
export const seconds = 130;

/** At least; and, on a machine that is busy, until everybody has seen it. */
const SPEAK_MS = 3_000;
const PATIENCE_MS = 15_000;
const PAUSE_MS = 1_200;
const LOOK_EVERY_MS = 5;
const GOAL_P95_MS = 800;

/** @typedef {import('@isthmus/bots').Bot} Bot */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const turns = context.quick ? 6 : 18;
  await prepareClips(context, 6);
  const detector = await detectorAlone(context, context.quick ? 4 : 12);
  const demo = await startDemo(context);
  /** @type {{ bot: Bot, site: string }[]} */
  const guests = [];
  context.atEnd(() => Promise.all(guests.map(({ bot }) => bot.leave())));
  for (const [n, { id, name, gatewayUrl }] of [...demo.sites, ...demo.sites].entries()) {
    context.note(`somebody sits down in ${name}`);
    guests.push({ bot: await startBot({ gatewayUrl, alias: demo.alias, persona: personaOf(n) }), site: id });
  }
  // The first two turns bring everybody's floor into a known order.
  /** @type {number[]} */
  const samples = [];
  for (let turn = -2; turn < turns; turn++) {
    const speaker = /** @type {{ bot: Bot, site: string }} */ (guests[(turn + guests.length) % guests.length]);
    context.note(turn < 0 ? 'warming up' : `turn ${turn + 1} of ${turns}: ${speaker.bot.name}`);
    const taken = await onePicture(
      speaker.bot,
      guests.filter(({ site }) => site !== speaker.site).map(({ bot }) => bot),
    );
    if (turn >= 0) samples.push(...taken);
    await sleep(PAUSE_MS);
  }
  const anchor = (/** @type {number} */ share) => ({ name: 'ActiveSpeakerObserver alone', value: percentile(detector, share) });
  return [
    {
      name: 'voice onset to large picture elsewhere, p50',
      value: percentile(samples, 0.5),
      unit: 'ms',
      anchor: anchor(0.5),
      note: `${samples.length} samples`,
    },
    {
      name: 'voice onset to large picture elsewhere, p95',
      value: percentile(samples, 0.95),
      unit: 'ms',
      goal: { atMost: GOAL_P95_MS },
      anchor: anchor(0.95),
    },
  ];
};

/** Lets `speaker` speak. @param {Bot} speaker @param {readonly Bot[]} viewers @returns {Promise<number[]>} until each viewer had the large picture, ms */
const onePicture = async (speaker, viewers) => {
  const begun = performance.now();
  speaker.speak(PATIENCE_MS);
  /** @type {Map<Bot, number>} */
  const seen = new Map();
  const soFar = () => performance.now() - begun;
  while (soFar() < SPEAK_MS || (seen.size < viewers.length && soFar() < PATIENCE_MS)) {
    for (const viewer of viewers) {
      if (!seen.has(viewer) && seesLarge(viewer, speaker)) seen.set(viewer, soFar());
    }
    await sleep(LOOK_EVERY_MS);
  }
  speaker.quiet();
  const blind = viewers.filter((viewer) => !seen.has(viewer));
  if (blind.length > 0)
    throw new Error(`${blind.map(({ name }) => name).join(', ')} never had ${speaker.name} large, who spoke for ${PATIENCE_MS} ms.`);
  return [...seen.values()];
};

/** By the mark inside the pictures themselves. @param {Bot} viewer @param {Bot} speaker */
const seesLarge = (viewer, speaker) => {
  const { main } = viewer.sees();
  return main?.leg === speaker.leg && main.confirmed === true && main.layer === 'large';
};

/** The same voices into a bare mediasoup. @param {import('./figures.mjs').BenchContext} context @param {number} turns */
const detectorAlone = async (context, turns) => {
  context.note("mediasoup's detector alone");
  const sfu = await startBareSfu(context);
  /** @type {Bot[]} */
  const bots = [];
  context.atEnd(() => Promise.all(bots.map((bot) => bot.leave())));
  for (let n = 0; n < 3; n++) bots.push(await startBot({ gatewayUrl: sfu.url, alias: 'bare', persona: personaOf(n), cameraOff: true }));
  /** @type {number[]} */
  const samples = [];
  for (let turn = 0; turn < turns; turn++) {
    const bot = /** @type {Bot} */ (bots[turn % bots.length]);
    const named = sfu.dominant(bot.leg, PATIENCE_MS);
    const begun = performance.now();
    bot.speak(PATIENCE_MS);
    await named;
    samples.push(performance.now() - begun);
    await sleep(Math.max(0, SPEAK_MS - (performance.now() - begun)));
    bot.quiet();
    await sleep(PAUSE_MS);
  }
  await Promise.all(bots.map((bot) => bot.leave()));
  await sfu.stop();
  return samples;
};
