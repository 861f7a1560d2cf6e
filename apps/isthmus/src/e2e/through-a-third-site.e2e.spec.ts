import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import { eventually, missingFromRosters, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/** Three sites whose links can be cut one by one: two people in New York, two in London, nobody in Cape Town. */
let demo: DemoUnderTest;
let bots: Bot[] = [];
const who = (name: string) => bots.find((bot) => bot.name === name)!;
const LONG_MS = 60_000;

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 28_000 });
  for (const [at, name] of ['nyc-0', 'lon-0', 'nyc-1', 'lon-1'].entries())
    bots.push(await startBot({ gatewayUrl: demo.gateway(name.slice(0, 3)), alias: 'demo', name, persona: personaOf(at), hdKbps: 300 }));
  await eventually(() => [...missingFromRosters(bots), ...missingNow(bots)], LONG_MS);
}, 240_000);
afterAll(async () => {
  await Promise.all(bots.map((bot) => bot.leave()));
  bots = [];
  await demo?.close();
});

const takesFloor = async (bot: Bot) => {
  bot.speak(20_000);
  await eventually(
    () => bots.filter(({ view }) => view.floor !== bot.leg).map(({ name }) => `${name} has not heard that ${bot.name} speaks`),
    LONG_MS,
  );
  bot.quiet();
  await pause(1_500);
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Watches all stages, and says for how long at most anybody was off one on which all others belong. */
const watchStages = () => {
  const absentSince = new Map<string, number>();
  let longestMs = 0;
  const look = () => {
    for (const bot of bots) {
      const { main, thumbnails } = bot.view.stage;
      const there = new Set<LegId | null>([main, ...thumbnails]);
      for (const { leg } of bots) {
        const key = `${bot.leg} ${leg}`;
        if (leg === bot.leg || there.has(leg)) absentSince.delete(key);
        else if (!absentSince.has(key)) absentSince.set(key, performance.now());
        longestMs = Math.max(longestMs, performance.now() - (absentSince.get(key) ?? performance.now()));
      }
    }
  };
  const timer = setInterval(look, 50);
  return () => {
    clearInterval(timer);
    return longestMs;
  };
};
const video = async (ms: number) => {
  await demo.relay.reset();
  const before = new Map(bots.map(({ leg, sent }) => [leg, sent.large.octets]));
  await pause(ms);
  const { links } = await demo.relay.stats();
  const speaker = bots.find(({ leg, view }) => view.floor === leg)!;
  const hd = speaker.sent.large.octets - before.get(speaker.leg)!;
  return (from: string, to: string) => links.find((link) => link.from === from && link.to === to)!.kinds.video.rtpBytes / hd;
};
const outOfReach = () =>
  bots.flatMap((bot) => bot.view.roster.filter(({ inReach }) => !inReach).map(({ name }) => `${bot.name} does not reach ${name}`));
/** Since the last reset. */
const videoBytes = async () => {
  const { links } = await demo.relay.stats();
  return (from: string, to: string) => links.find((link) => link.from === from && link.to === to)!.kinds.video.rtpBytes;
};
/** On the link from New York to London nothing passes any more, in that direction. */
const goesThroughCapeTown = async () => {
  const bytes = await videoBytes();
  return bytes('nyc', 'cpt') > 0 && bytes('cpt', 'lon') > 0;
};

describe('where New York and London do not hear each other', () => {
  it('everybody stays on every stage while Cape Town hears both, within one HD and eight thumbnails a link (S24b)', async () => {
    await takesFloor(who('lon-0'));
    await takesFloor(who('nyc-0'));
    const stages = watchStages();
    await demo.relay.reset();
    await demo.relay.cut('nyc', 'lon');
    await eventually(async () => ((await goesThroughCapeTown()) ? [] : ['nothing goes through Cape Town yet']), LONG_MS);
    await eventually(() => [...outOfReach(), ...missingNow(bots)], LONG_MS);
    // Who speaks is seen by those beyond, and the pictures come.
    await takesFloor(who('lon-1'));
    await eventually(() => missingNow(bots), LONG_MS);
    await takesFloor(who('nyc-0'));
    await eventually(() => missingNow(bots), LONG_MS);
    await pause(5_000);
    const units = await video(8_000);
    for (const [from, to] of [
      ['nyc', 'cpt'],
      ['cpt', 'lon'],
      ['lon', 'cpt'],
      ['cpt', 'nyc'],
    ] as const)
      expect(units(from, to), `${from} to ${to}`).toBeLessThanOrEqual(1.8 * 1.05);
    // Speaker large and one thumbnail that way; the previous speaker large, and both small, the other way.
    expect(units('nyc', 'cpt')).toBeGreaterThan(0.5);
    expect(units('cpt', 'lon')).toBeGreaterThan(0.5);
    expect(units('nyc', 'lon')).toBe(0);

    await demo.relay.heal();
    await eventually(async () => ((await video(1_000))('nyc', 'lon') > 0 ? [] : ['nothing goes directly yet']), LONG_MS);
    await eventually(() => missingNow(bots), LONG_MS);
    expect(stages()).toBeLessThan(2_000);
  }, 300_000);

  it('UDP that alone is lost, in one direction, is noticed: pictures go through Cape Town, facts directly, and back when packets come', async () => {
    await demo.relay.reset();
    await demo.relay.shape('nyc', 'lon', { oneWay: true, lossPercent: 100 });
    await eventually(async () => ((await goesThroughCapeTown()) ? [] : ['nothing goes through Cape Town yet']), LONG_MS);
    await eventually(() => [...outOfReach(), ...missingNow(bots)], LONG_MS);
    await demo.relay.reset();
    await demo.relay.heal();
    await eventually(async () => ((await videoBytes())('nyc', 'lon') > 0 ? [] : ['nothing goes directly yet']), LONG_MS);
    await eventually(() => [...outOfReach(), ...missingNow(bots)], LONG_MS);
  }, 300_000);

  it('one direction that fails is a link that is down, and nothing swings to and fro', async () => {
    const stages = watchStages();
    await demo.relay.reset();
    await demo.relay.cut('nyc', 'lon', { oneWay: true });
    await eventually(async () => ((await goesThroughCapeTown()) ? [] : ['nothing goes through Cape Town yet']), LONG_MS);
    await takesFloor(who('nyc-1'));
    await eventually(() => [...outOfReach(), ...missingNow(bots)], LONG_MS);
    await demo.relay.heal();
    await takesFloor(who('lon-0'));
    await eventually(() => [...outOfReach(), ...missingNow(bots)], LONG_MS);
    expect(stages()).toBeLessThan(2_000);
  }, 300_000);

  it('each side goes on without the other where nobody hears both, and all are together again when somebody does', async () => {
    await demo.relay.cut('nyc', 'lon');
    await demo.relay.cut('nyc', 'cpt');
    const [there, here] = [bots.filter(({ name }) => name.startsWith('lon')), bots.filter(({ name }) => name.startsWith('nyc'))];
    const others = (bot: Bot) => (here.includes(bot) ? there : here);
    await eventually(
      () =>
        bots.flatMap((bot) => {
          const { main, thumbnails } = bot.view.stage;
          const shown = new Set<LegId | null>([main, ...thumbnails]);
          return others(bot)
            .filter(({ leg }) => shown.has(leg))
            .map(({ name }) => `${bot.name} still shows ${name}`);
        }),
      LONG_MS,
    );
    await eventually(() => missingNow(bots), LONG_MS);
    await demo.relay.heal('nyc', 'cpt');
    await eventually(() => [...outOfReach(), ...missingNow(bots)], LONG_MS);
    await demo.relay.heal();
    await eventually(() => [...outOfReach(), ...missingNow(bots)], LONG_MS);
    expect(new Set(bots.map(({ conference }) => conference)).size).toBe(1);
  }, 300_000);
});
