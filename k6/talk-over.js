// People interrupt each other, and everybody at every site should see the same speaker. The voices are real: bots speak, which
// `npm run k6 -- talk-over` starts beside this; against a deployment of your own, talk in the room yourselves. One watcher sits
// at each site and notes who has the floor, and when.
import { Counter, Trend } from 'k6/metrics';
import { Participant, sites } from './lib/participant.js';

const seconds = Number(__ENV.SECONDS || 60);
/** A picture that changes faster than this flickers (white paper); the sites' clocks of arrival allow for a little. */
const SWITCH_MS_MIN = 900;

const floorSpreadMs = new Trend('isthmus_floor_spread_ms', true);
const floorHeldMs = new Trend('isthmus_floor_held_ms', true);
const floorChanges = new Counter('isthmus_floor_changes');
const disagreements = new Counter('isthmus_floor_disagreements');
const trouble = new Counter('isthmus_trouble');

export const options = {
  scenarios: { watchers: { executor: 'per-vu-iterations', vus: 1, iterations: 1, maxDuration: `${seconds + 60}s` } },
  thresholds: {
    isthmus_floor_spread_ms: [`p(95)<${__ENV.P95_MS || 1000}`],
    isthmus_floor_held_ms: [`min>${SWITCH_MS_MIN}`],
    isthmus_floor_changes: [`count>=${__ENV.CHANGES || 5}`],
    isthmus_floor_disagreements: ['count==0'],
    isthmus_trouble: ['count==0'],
  },
};

export default function talkOver() {
  const watchers = [];
  /** The floor as each watcher saw it, in order: { floor, at }. */
  const seen = [];
  const bad = (why) => {
    trouble.add(1);
    console.error(why);
  };
  sites().forEach((url, i) => {
    seen[i] = [];
    const note = ({ floor }) => {
      const last = seen[i].at(-1);
      if (floor !== null && last?.floor !== floor) seen[i].push({ floor, at: Date.now() });
    };
    watchers[i] = new Participant(url, {
      name: `Watcher ${i + 1}`,
      handlers: {
        joined: ({ view }) => note(view),
        view: note,
        ended: (reason) => bad(`a watcher was thrown out: ${reason}`),
        failed: bad,
      },
    });
  });
  setTimeout(() => {
    judge(seen);
    for (const watcher of watchers) watcher.close();
  }, seconds * 1000);
}

/** Compares what the watchers saw: the same people in the same order, and how far apart. The first that each saw was there before it came. */
const judge = (seen) => {
  const changes = seen.map((moments) => moments.slice(1));
  const [first, ...others] = changes;
  floorChanges.add(first.length);
  for (let n = 1; n < first.length; n++) floorHeldMs.add(first[n].at - first[n - 1].at);
  for (const other of others) {
    // One may have seen a change just before the end, or just after the beginning, that another did not.
    const from = Math.max(
      0,
      first.findIndex(({ floor, at }) => floor === other[0]?.floor && Math.abs(at - other[0].at) < 3000),
    );
    for (let n = 0; n < Math.min(first.length - from, other.length); n++) {
      const [here, there] = [first[from + n], other[n]];
      if (here.floor !== there.floor) disagreements.add(1);
      else floorSpreadMs.add(Math.abs(here.at - there.at));
    }
  }
};
