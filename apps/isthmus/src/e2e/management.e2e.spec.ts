import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { PortalClient } from '../testing/portal-client.js';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/** S3, S9, S10: one management node, in neither the signalling nor the media path. */
let demo: DemoUnderTest;
let portal: PortalClient;
const bots: Bot[] = [];
const SITES = ['nyc', 'lon', 'cpt'];

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 26_000 });
  portal = new PortalClient(demo.plan.management.portalUrl);
  await portal.firstSignIn(demo.administrator.name, demo.administrator.password, 'a longer pass phrase 7');
});
afterEach(async () => {
  await Promise.all(bots.splice(0).map((bot) => bot.leave()));
});
afterAll(() => demo?.close());

const join = async (site: string, alias: string, pin?: string) => {
  const bot = await startBot({
    gatewayUrl: demo.gateway(site),
    alias,
    name: `${site}-${bots.length}`,
    persona: personaOf(bots.length),
    hdKbps: 300,
    ...(pin ? { pin } : {}),
  });
  bots.push(bot);
  return bot;
};

describe('management', () => {
  it('makes a room that can be joined at every site within two seconds', async () => {
    await portal.ask('POST', '/v1/rooms', { name: 'Board', aliases: ['board'], hostPin: '482913' });
    const madeAt = performance.now();
    const { configurationVersion } = await portal.ask<{ configurationVersion: number }>('GET', '/v1/sites');
    const behind = async () => {
      const { items } = await portal.ask<{ items: { id: string; configurationVersion: number | null }[] }>('GET', '/v1/sites');
      return items
        .filter((site) => site.configurationVersion !== configurationVersion)
        .map(({ id }) => `${id} does not go by the new configuration`);
    };
    await eventually(behind, 2_000);
    for (const site of SITES) await join(site, 'board', '482913');
    expect(performance.now() - madeAt).toBeLessThan(20_000);
    await eventually(() => missingNow(bots), 15_000);
  });

  it('shows the running meeting, its crossings and what they save', async () => {
    for (const site of SITES) await join(site, 'demo');
    type Status = {
      conferences: {
        name: string;
        seats: unknown[];
        links: { from: string; to: string; large: number; videoKbps: number }[];
        savings: { percent: number | null };
      }[];
    };
    const missing = async () => {
      const { conferences } = await portal.ask<Status>('GET', '/v1/status');
      const demoRoom = conferences.find(({ name }) => name === 'Demo');
      if (demoRoom === undefined) return ['Live View does not show the meeting'];
      return [
        ...(demoRoom.seats.length === 3 ? [] : [`it has ${demoRoom.seats.length} of 3 people`]),
        ...(demoRoom.links.some(({ large, videoKbps }) => large === 1 && videoKbps > 100)
          ? []
          : ['no link is seen to carry a large picture']),
        ...(typeof demoRoom.savings.percent === 'number' ? [] : ['it does not say what is saved']),
      ];
    };
    await eventually(missing, 15_000);
  });

  it('is not needed by a meeting, nor by whoever comes new with a PIN', async () => {
    await join('nyc', 'board', '482913');
    await join('lon', 'board', '482913');
    await eventually(() => missingNow(bots), 15_000);
    const pid = demo.pidOf('management');
    process.kill(pid, 'SIGSTOP');
    try {
      await join('cpt', 'board', '482913');
      bots[2]!.speak(2_500);
      await eventually(
        () => bots.flatMap(({ name, view }) => (view.floor === bots[2]!.leg ? [] : [`${name} has not heard the newcomer`])),
        10_000,
      );
      await eventually(() => missingNow(bots), 15_000);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
