// One site is cut off from all others, newcomers join on both sides, and the links come back: ROUNDS times. CONTROL names an HTTP
// address that cuts and heals: POST /cut and POST /heal. `npm run k6 -- split-and-rejoin` provides it for its demo.
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { Participant, rosterOf, sites } from './lib/participant.js';

const rounds = Number(__ENV.ROUNDS || 3);
const apartMs = Number(__ENV.APART || 5) * 1000;
const LIMIT_MS = 30_000;

const splitNoticedMs = new Trend('isthmus_split_noticed_ms', true);
const rejoinedMs = new Trend('isthmus_rejoined_ms', true);
const joinedApart = new Rate('isthmus_joined_while_apart');
const disconnected = new Counter('isthmus_disconnected');
const ghosts = new Counter('isthmus_ghosts_or_doubles');
const completed = new Counter('isthmus_rounds_completed');

export const options = {
  scenarios: { rounds: { executor: 'per-vu-iterations', vus: 1, iterations: 1, maxDuration: `${rounds * (apartMs / 1000 + 90) + 60}s` } },
  thresholds: {
    isthmus_split_noticed_ms: ['p(95)<5000'],
    isthmus_rejoined_ms: ['p(95)<10000'],
    isthmus_joined_while_apart: ['rate==1'],
    isthmus_disconnected: ['count==0'],
    isthmus_ghosts_or_doubles: ['count==0'],
    isthmus_rounds_completed: [`count==${rounds}`],
  },
};

const bad = (why) => {
  disconnected.add(1);
  console.error(why);
};

const control = (what) => {
  const answer = http.post(`${__ENV.CONTROL}/${what}`);
  if (answer.status !== 204) throw new Error(`${__ENV.CONTROL}/${what} answered ${answer.status}: ${answer.body}`);
};

/** Resolves with how long it took; rejects when it did not come to be. */
const until = (what, holds) => {
  const beganAt = Date.now();
  return new Promise((resolve, reject) => {
    const look = setInterval(() => {
      const took = Date.now() - beganAt;
      if (!holds() && took < LIMIT_MS) return;
      clearInterval(look);
      if (holds()) resolve(took);
      else reject(new Error(`within ${LIMIT_MS / 1000} s, it was not so that ${what}`));
    }, 20);
  });
};

const comeIn = (url, name) =>
  new Participant(url, {
    name,
    handlers: { ended: (reason) => bad(`${name} was disconnected: ${reason}`), failed: (why) => bad(`${name}: ${why}`) },
  });

const sameRoster = (people) => {
  const legs = people.map(({ leg }) => leg);
  return people.every(({ lastView }) => {
    const roster = rosterOf(lastView);
    return roster === rosterOf(people[0].lastView) && legs.every((leg) => roster.split(' ').includes(leg));
  });
};

export default async function splitAndRejoin() {
  if (!__ENV.CONTROL) throw new Error('CONTROL is not set: this scenario needs somebody who can cut links.');
  const urls = sites();
  const people = urls.map((url, i) => comeIn(url, `Resident ${i + 1}`));
  await until('everybody is in one meeting', () => people.every(({ joined }) => joined) && sameRoster(people));
  try {
    for (let round = 1; round <= rounds; round++) await oneRound(urls, people, round);
  } catch (error) {
    control('heal');
    console.error(String(error));
  }
  for (const person of people) person.leave();
  setTimeout(() => people.forEach((person) => person.close()), 500);
}

/** The last site is the one that is cut off. */
const oneRound = async (urls, people, round) => {
  const alone = people.filter((person) => person.site === people[urls.length - 1].site);
  const others = people.filter((person) => !alone.includes(person));
  const sees = (viewers, seen) => viewers.every(({ lastView }) => seen.every(({ leg }) => rosterOf(lastView).split(' ').includes(leg)));
  const seesNone = (viewers, seen) =>
    viewers.every(({ lastView }) => seen.every(({ leg }) => !rosterOf(lastView).split(' ').includes(leg)));

  control('cut');
  splitNoticedMs.add(
    await until('both sides know that the other is out of reach', () => seesNone(alone, others) && seesNone(others, alone)),
  );
  const newcomers = [urls.length - 1, 0].map((at) => comeIn(urls[at], `Newcomer ${round} at ${at + 1}`));
  const came = await until('newcomers are in on both sides', () => newcomers.every(({ joined }) => joined)).then(
    () => true,
    () => false,
  );
  joinedApart.add(came);
  await until('it has been so for a while', after(apartMs));
  if (!sees(alone, alone) || !sees(others, others)) bad('somebody was lost from their own side');

  control('heal');
  const all = [...people, ...newcomers];
  rejoinedMs.add(await until('everybody is one meeting again', () => sameRoster(all)));
  await until('it has settled', after(2000));
  const [{ lastView }] = people;
  if (lastView.roster.length !== all.length) {
    ghosts.add(Math.abs(lastView.roster.length - all.length));
    console.error(`${all.length} people, but the roster has ${lastView.roster.length}`);
  }
  for (const newcomer of newcomers) newcomer.leave();
  await until('the newcomers have left', () => people.every((person) => person.lastView.roster.length === people.length));
  for (const newcomer of newcomers) newcomer.close();
  completed.add(1);
};

const after = (ms) => {
  const at = Date.now() + ms;
  return () => Date.now() >= at;
};
