import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { ownMemoryMiB } from './lib/processes.mjs';
import { slope } from './lib/statistics.mjs';

/**
 * What a conference and a leg add to the memory of a site, its process and its mediasoup worker together: the slope of the
 * memory that is theirs alone (private pages) as conferences, and then legs, are added.
 *
 * Conference: a room of its own with one leg that is muted, with its camera off; the leg is in the figure. Leg: one more
 * who sends a camera and is silent, in one conference of people at one site, each of whom gets the others on their stage (one
 * large, at most seven small). JavaScript's heap grows in steps and is collected when it likes, so a figure is a trend of some steps.
 */
export const title = 'Memory per conference and per leg';
export const seconds = 100;

const SETTLE_MS = 2_500;

/** @typedef {import('@isthmus/bots').Bot} Bot */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const { quick, note } = context;
  const [conferences, legs, step] = quick ? [8, 6, 2] : [30, 20, 5];
  await prepareClips(context, 8);
  const demo = await startDemo(context, { sites: 1 });
  const [site] = demo.sites;
  if (!site) throw new Error('The demo has no site.');
  const rooms = Array.from({ length: conferences + step }, (_, at) => `memory-${at}`);
  note(`making ${rooms.length} rooms`);
  await demo.makeRooms(rooms);
  await sleep(SETTLE_MS);
  /** @type {Bot[]} */
  const bots = [];
  context.atEnd(() => Promise.all(bots.map((bot) => bot.leave())));
  const sit = async (/** @type {string} */ alias, /** @type {number} */ n, quiet = false) => {
    const manner = quiet ? { muted: true, cameraOff: true } : {};
    const options = {
      alias,
      name: `Guest ${n}`,
      persona: personaOf(n % 8),
      receive: /** @type {const} */ ('count'),
      ...manner,
    };
    bots.push(await startBot({ gatewayUrl: site.gatewayUrl, ...options }));
  };
  const memory = () => ({ process: ownMemoryMiB(site.pid), worker: ownMemoryMiB(site.worker) });
  const grow = async (/** @type {string} */ what, /** @type {number} */ count, /** @type {(n: number) => Promise<void>} */ add) => {
    /** @type {{ at: number, process: number, worker: number }[]} */
    const points = [];
    // What the first ones make for all that follow is not theirs.
    for (let n = 0; n < count + step; n++) {
      note(`${what} ${n + 1} of ${count + step}`);
      await add(n);
      if ((n + 1) % step !== 0) continue;
      await sleep(SETTLE_MS);
      points.push({ at: n + 1, ...memory() });
    }
    const of = (/** @type {'process' | 'worker'} */ part) => slope(points.map((point) => [point.at, point[part] * 1024]));
    return { process: of('process'), worker: of('worker') };
  };
  const perConference = await grow('conference', conferences, (n) => sit(/** @type {string} */ (rooms[n]), n, true));
  const perLeg = await grow('leg', legs, (n) => sit(demo.alias, n));
  const figure = (/** @type {string} */ name, /** @type {{ process: number, worker: number }} */ kib) => ({
    name,
    value: kib.process + kib.worker,
    unit: 'KiB',
    note: `process ${Math.round(kib.process)}, worker ${Math.round(kib.worker)}`,
  });
  return [figure('memory per idle conference, its one leg included', perConference), figure('memory per leg with a camera', perLeg)];
};
