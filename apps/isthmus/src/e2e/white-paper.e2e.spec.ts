import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { watchCrossings, type CrossingSeen } from '../testing/crossings-seen.js';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/** Statements S11 to S24b of the white paper, on three real sites, counted by the relay that their links go through. */
let demo: DemoUnderTest;
let bots: Bot[] = [];

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 20_000 });
});
afterAll(() => demo?.close());
afterEach(async () => {
  await Promise.all(bots.map((bot) => bot.leave()));
  bots = [];
});

/** `nyc-0` … by site, in turn, so that everybody has come before anybody speaks. */
const people = async (seats: Readonly<Record<string, number>>, receive: 'everything' | 'count' = 'everything') => {
  const places = Object.entries(seats).flatMap(([site, count]) =>
    Array.from({ length: count }, (_, n) => ({ site, name: `${site}-${n}` })),
  );
  for (let at = 0; at < places.length; at += 3) {
    const some = places
      .slice(at, at + 3)
      .map(({ site, name }, i) =>
        startBot({ gatewayUrl: demo.gateway(site), alias: 'demo', name, persona: personaOf((at + i) % 8), hdKbps: 300, receive }),
      );
    bots.push(...(await Promise.all(some)));
  }
  return (name: string) => bots.find((bot) => bot.name === name)!;
};

/** Has somebody speak until everyone shows it, and then be quiet: two who talk at once may change places. */
const takesFloor = async (bot: Bot) => {
  bot.speak(20_000);
  await eventually(
    () => bots.filter(({ view }) => view.floor !== bot.leg).map(({ name }) => `${name} has not heard that ${bot.name} speaks`),
    15_000,
  );
  bot.quiet();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
};
const settled = async () => {
  await eventually(() => missingNow(bots), 20_000);
  // Layers that nobody watches any more are let run for some seconds in case they are wanted again.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
};
const counts = (seen: ReadonlyMap<string, CrossingSeen>) =>
  Object.fromEntries([...seen].map(([link, { large, small }]) => [link, `${large} HD + ${small} T`]));
const deviations = (seen: ReadonlyMap<string, CrossingSeen>) =>
  [...seen].flatMap(([link, { ruleBytes, seenBytes }]) => {
    const off = ruleBytes === 0 ? seenBytes : Math.abs(seenBytes / ruleBytes - 1);
    return off > 0.05 ? [`${link}: ${seenBytes} bytes where the rule has ${ruleBytes}`] : [];
  });
const WINDOW_MS = 10_000;

describe('on the links between three sites', () => {
  it('crosses what figure 4 says by the layout rule: eight people, New York speaks after London (S20–S23)', async () => {
    const who = await people({ nyc: 3, lon: 3, cpt: 2 });
    await takesFloor(who('lon-0'));
    await takesFloor(who('nyc-0'));
    await settled();
    const seen = await watchCrossings(bots, demo.relay, who('nyc-0'), WINDOW_MS);
    expect(counts(seen)).toEqual({
      'nyc>lon': '1 HD + 2 T',
      'lon>nyc': '1 HD + 3 T',
      'nyc>cpt': '1 HD + 2 T',
      'cpt>nyc': '0 HD + 2 T',
      'lon>cpt': '0 HD + 3 T',
      'cpt>lon': '0 HD + 2 T',
    });
    expect(deviations(seen)).toEqual([]);
    // The paper's own units, with its bound of a tenth for each thumbnail (S13, S14).
    expect(seen.get('nyc>lon')!.units).toBeLessThanOrEqual(1.2 * 1.05);
    expect(seen.get('cpt>nyc')!.units).toBeLessThanOrEqual(0.2 * 1.05);
    expect(seen.get('lon>cpt')!.units).toBeLessThanOrEqual(0.3 * 1.05);
  });

  it('does not send the previous speaker large when both speakers sit at one site (S12)', async () => {
    const who = await people({ nyc: 3, lon: 3 });
    await takesFloor(who('nyc-1'));
    await takesFloor(who('nyc-0'));
    await settled();
    const seen = await watchCrossings(bots, demo.relay, who('nyc-0'), WINDOW_MS);
    expect(counts(seen)).toMatchObject({ 'nyc>lon': '1 HD + 2 T', 'lon>nyc': '0 HD + 3 T' });
    expect(deviations(seen)).toEqual([]);
  });

  it('crosses no more for fifty people than one large and eight small streams a link (S24b)', async () => {
    const who = await people({ nyc: 17, lon: 17, cpt: 16 }, 'count');
    for (const name of ['lon-3', 'cpt-5', 'nyc-9', 'lon-0', 'nyc-0']) await takesFloor(who(name));
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    const seen = await watchCrossings(bots, demo.relay, who('nyc-0'), WINDOW_MS);
    for (const [link, { large, small, units }] of seen) {
      expect(large, link).toBeLessThanOrEqual(1);
      expect(small, link).toBeLessThanOrEqual(8);
      expect(units, link).toBeLessThanOrEqual((large + small / 10) * 1.05);
    }
  }, 240_000);
});
