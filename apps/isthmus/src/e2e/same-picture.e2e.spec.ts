import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, floorsOf, missingStages, parseScript, perform, personaOf, stagesOf, startBot, type Bot } from '@isthmus/bots';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/** S16 to S19: what everybody sees does not depend on how many nodes and sites the meeting runs on. */
let demo: DemoUnderTest;
let bots: Bot[] = [];
const SITES = ['nyc', 'lon', 'cpt', 'tyo', 'sao'];

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 22_000, sites: 5 });
}, 120_000);
afterAll(() => demo?.close());
afterEach(async () => {
  await Promise.all(bots.map((bot) => bot.leave()));
  bots = [];
});

/** Ten people, so that the ninth and tenth are on nobody's stage until they speak. */
const PEOPLE = 10;
const SCRIPT = parseScript('0 0 for 2\n3 4 for 2\n6 9 for 2\n9 2 for 2\n12 4 for 2');

const performOn = async (sites: readonly string[]) => {
  for (let n = 0; n < PEOPLE; n += 1) {
    bots.push(
      await startBot({
        gatewayUrl: demo.gateway(sites[n % sites.length]!),
        alias: 'demo',
        name: `${n}`,
        persona: personaOf(n % 8),
        hdKbps: 300,
        receive: 'count',
      }),
    );
  }
  await eventually(
    () => bots.flatMap(({ name, view }) => (view.roster.length === PEOPLE ? [] : [`${name} knows of ${view.roster.length} people`])),
    15_000,
  );
  await perform(SCRIPT, bots).over;
  const floors = floorsOf(SCRIPT, bots);
  await eventually(() => bots.flatMap((bot) => missingStages(bot, stagesOf(bot.leg, floors))), 15_000);
  // By name, since legs are born anew at each site.
  const named = (bot: Bot) =>
    stagesOf(bot.leg, floors).map(({ main, thumbnails }) => [
      main === null ? null : bot.nameOf(main),
      thumbnails.map((leg) => bot.nameOf(leg)),
    ]);
  return bots.map(named);
};

describe('one speech script', () => {
  const seen: unknown[] = [];
  it.each([1, 2, 3, 5])(
    'shows every viewer the same sequence of stages on %i sites, told and arrived',
    async (count) => {
      seen.push(await performOn(SITES.slice(0, count)));
      expect(seen.at(-1)).toEqual(seen[0]);
    },
    120_000,
  );
});
