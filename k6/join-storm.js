// Everybody at once: RATE people a second join one room over all sites in turn, stay for HOLD seconds and leave.
import { Counter, Rate, Trend } from 'k6/metrics';
import { Participant, sites } from './lib/participant.js';

const rate = Number(__ENV.RATE || 10);
const seconds = Number(__ENV.SECONDS || 30);
const holdMs = Number(__ENV.HOLD || 2) * 1000;
const HANG_MS = 20_000;

const joinMs = new Trend('isthmus_join_ms', true);
const joined = new Rate('isthmus_joined');
const thrownOut = new Counter('isthmus_thrown_out');

export const options = {
  scenarios: {
    storm: {
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: '1s',
      duration: `${seconds}s`,
      preAllocatedVUs: Math.ceil(rate * (holdMs / 1000 + 2)),
      maxVUs: Math.ceil(rate * (holdMs / 1000 + 20)),
    },
  },
  thresholds: {
    isthmus_join_ms: [`p(95)<${__ENV.P95_MS || 1000}`],
    isthmus_joined: ['rate==1'],
    isthmus_thrown_out: ['count==0'],
    dropped_iterations: ['count==0'],
  },
};

export default function storm() {
  const urls = sites();
  const url = urls[(__VU + __ITER) % urls.length];
  const hanging = setTimeout(() => participant.fail(`no answer within ${HANG_MS / 1000} s`), HANG_MS);
  const participant = new Participant(url, {
    name: `Caller ${__VU}`,
    handlers: {
      joined: () => {
        clearTimeout(hanging);
        joinMs.add(Date.now() - participant.beganAt);
        joined.add(true);
        setTimeout(() => {
          participant.leave();
          setTimeout(() => participant.close(), 200);
        }, holdMs);
      },
      ended: (reason) => {
        thrownOut.add(1);
        console.error(`somebody was thrown out: ${reason}`);
      },
      failed: (why) => {
        clearTimeout(hanging);
        joined.add(false);
        console.error(`a join failed: ${why}`);
      },
    },
  });
}
