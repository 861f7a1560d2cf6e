import { createHash } from 'node:crypto';
import { conference, legIdOf } from '@isthmus/conference';
import { createTimeline, seal, streamNameOf, writerIdOf } from '@isthmus/kernel';

/**
 * Histories as production has them: the first legs come, then people talk. Of a hundred facts, some seventy say that somebody has the
 * floor, twenty that somebody switched their own microphone or camera, eight that somebody went or came, and two are a host's word.
 * @typedef {import('@isthmus/kernel').Fact} Fact
 * @typedef {import('@isthmus/kernel').Timeline<import('@isthmus/conference').Conference>} Timeline
 */

const BEGAN_AT = Date.UTC(2026, 0, 5, 9);
const FACT_EVERY_MS = 40;

/** The same numbers each time (a linear congruential generator), so that runs compare. @param {number} seed @returns {(below: number) => number} */
const numbers = (seed) => {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

const sha256 = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');

/**
 * Facts of one conference, from `sites` that see each other all the time unless `timelines` of their own say otherwise.
 * @param {{ facts: number, legs: number, sites: readonly string[], seed?: number, epoch?: number, over?: readonly Fact[] }} wish
 *   `over`: what all of them knew before
 * @returns {Fact[]} in an order in which every cause comes before its effects
 */
export const productionHistory = ({ facts, legs, sites, seed = 1, epoch = 1, over = [] }) => {
  const below = numbers(seed);
  const timeline = createTimeline(conference);
  timeline.add(over);
  /** @type {Fact[]} */
  const history = [];
  /** @type {{ site: string, leg: string, host: boolean, muted: boolean, cameraOff: boolean }[]} */
  const present = [];
  let born = 0;
  let locked = false;
  const say = (/** @type {string} */ site, /** @type {string} */ by, /** @type {string} */ type, /** @type {object} */ body) => {
    const stream = streamNameOf('conference', 'bench_1', writerIdOf(/** @type {any} */ (site), epoch));
    const at = BEGAN_AT + (over.length + history.length) * FACT_EVERY_MS;
    const fact = seal(timeline.next(stream, { at, by, type, v: 1, body }), sha256);
    timeline.add([fact]);
    history.push(fact);
  };
  const come = () => {
    const site = sites[born % sites.length] ?? '';
    const leg = legIdOf(/** @type {any} */ (site), `${seed}x${epoch}x${born}`);
    const host = born < 2;
    say(site, leg, 'LegJoined', {
      ...{ leg, person: `p${seed}x${born}`, name: `Guest ${born}`, site },
      ...{ role: host ? 'host' : 'guest', connect: 1, muted: false, cameraOff: false },
    });
    present.push({ site, leg, host, muted: false, cameraOff: false });
    born++;
  };
  const someone = () => /** @type {(typeof present)[number]} */ (present[below(present.length)]);
  while (history.length < facts) {
    if (present.length < legs) {
      come();
      continue;
    }
    const what = below(100);
    const who = someone();
    if (what < 70) say(who.site, who.leg, 'FloorTaken', { leg: who.leg });
    else if (what < 85) {
      say(who.site, who.leg, who.muted ? 'LegUnmuted' : 'LegMuted', { leg: who.leg });
      who.muted = !who.muted;
    } else if (what < 90) {
      say(who.site, who.leg, who.cameraOff ? 'CameraResumed' : 'CameraStopped', { leg: who.leg });
      who.cameraOff = !who.cameraOff;
    } else if (what < 94 && !who.host) {
      say(who.site, who.leg, 'LegLeft', { leg: who.leg, reason: 'left' });
      present.splice(present.indexOf(who), 1);
    } else if (what < 96) say(who.site, who.leg, 'LegReturned', { leg: who.leg, connect: 2 + below(5) });
    else if (what < 98) {
      const host = /** @type {(typeof present)[number]} */ (present.find((each) => each.host));
      if (below(2) === 0) say(host.site, host.leg, 'LegMuted', { leg: who.leg });
      else {
        say(host.site, host.leg, locked ? 'ConferenceUnlocked' : 'ConferenceLocked', {});
        locked = !locked;
      }
    } else say(who.site, who.leg, 'FloorTaken', { leg: who.leg });
  }
  return history;
};
