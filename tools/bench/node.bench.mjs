import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { percentiles, untilAll } from './lib/wait.mjs';

/**
 * A site with two media nodes, each a process of its own, and twenty bots, all on one of them. That one is killed, again and again;
 * from the kill until the last of all bots has the pictures of its stage again, on the other node, in the same seat.
 */
export const title = 'Media node killed';
export const seconds = 200;

const PEOPLE = 20;
const CAPACITY = 30;
const BACK_P95_MS = 5_000;
/** The one that was killed has been started again and has reported by then, and everybody's pictures have been steady. */
const BETWEEN_MS = 8_000;

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const kills = context.quick ? 2 : 12;
  await prepareClips(context, 8);
  const { sites, alias, pidOf } = await startDemo(context, { sites: 1, nodesPerSite: 2, nodeProcesses: true, capacity: CAPACITY });
  const { id, gatewayUrl } = /** @type {import('./lib/demo.mjs').DemoSite} */ (sites[0]);
  /** @type {{ bot: import('@isthmus/bots').Bot, leg: string }[]} */
  const people = [];
  context.atEnd(() => Promise.all(people.map(({ bot }) => bot.leave())));
  for (let n = 0; n < PEOPLE; n++) {
    context.note(`${n + 1} of ${PEOPLE} take their seats`);
    const bot = await startBot({ gatewayUrl, alias, name: `${id}-${n}`, persona: personaOf(n % 8), hdKbps: 200, receive: 'count' });
    people.push({ bot, leg: bot.leg });
  }
  const sees = (/** @type {{ bot: import('@isthmus/bots').Bot }} */ { bot }) => bot.missing().length === 0;
  await untilAll(people, sees);

  const back = [];
  for (let n = 0; n < kills; n++) {
    await sleep(BETWEEN_MS);
    await untilAll(people, sees);
    context.note(`kill ${n + 1} of ${kills}`);
    const killedAt = performance.now();
    process.kill(pidOf(`media-node ${id}-${(n % 2) + 1}`), 'SIGKILL');
    const lost = new Set();
    const isBack = (/** @type {{ bot: import('@isthmus/bots').Bot }} */ one) => (sees(one) ? lost.has(one) : (lost.add(one), false));
    back.push((await untilAll(people, isBack)) - killedAt);
    const moved = people.filter(({ bot, leg }) => bot.leg !== leg).map(({ bot }) => bot.name);
    if (moved.length > 0) throw new Error(`Another seat than before: ${moved.join(', ')}`);
  }
  return percentiles(`media node killed, all ${PEOPLE} people back`, back, {
    goals: { 0.95: BACK_P95_MS },
    note: `${kills} kills; with pictures, on the other node, in the same seats`,
  });
};
