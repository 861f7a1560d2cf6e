import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/** S1, S6b: a conference outgrows a node by the same code path, with nodes capped at five. */
let demo: DemoUnderTest;
const bots: Bot[] = [];
const join = async (site: string) => {
  const n = bots.length;
  bots.push(
    await startBot({
      gatewayUrl: demo.gateway(site),
      alias: 'demo',
      name: `${site}-${n}`,
      persona: personaOf(n % 8),
      hdKbps: 300,
      receive: 'count',
    }),
  );
};

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 23_000, sites: 2, nodesPerSite: 3, capacity: 5 });
}, 120_000);
afterAll(async () => {
  await Promise.all(bots.map((bot) => bot.leave()));
  await demo?.close();
});

describe('a site of three nodes that take five each', () => {
  it('holds twelve in one meeting, and everybody sees what they should', async () => {
    for (let n = 0; n < 12; n += 1) await join('nyc');
    bots[7]!.speak(2_500);
    await eventually(
      () => bots.flatMap(({ name, view }) => (view.floor === bots[7]!.leg ? [] : [`${name} has not heard who speaks`])),
      10_000,
    );
    await eventually(() => missingNow(bots), 20_000);
  }, 120_000);

  it('has them seen at another site through one node', async () => {
    await join('lon');
    await eventually(() => missingNow(bots), 20_000);
    const { links } = await demo.relay.stats();
    const streams = links.find(({ from, to }) => from === 'nyc' && to === 'lon')!.streams.filter(({ kind }) => kind === 'video');
    // One viewer there: one large and seven small streams, each once, although the publishers sit on three nodes.
    expect(streams.length).toBeLessThanOrEqual(8);
    expect(streams.length).toBeGreaterThan(0);
  }, 60_000);

  it('says in words that it is full when it is', async () => {
    for (let n = 0; n < 3; n += 1) await join('nyc');
    await expect(join('nyc')).rejects.toThrow(/no free capacity/);
    await join('lon');
  }, 60_000);
});
