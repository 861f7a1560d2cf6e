import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
  floorsOf,
  missingFromRosters,
  missingNow,
  missingStages,
  perform,
  personaOf,
  roundOf,
  stagesOf,
  startBot,
  type Bot,
} from '@isthmus/bots';
import { embeddedBus } from '@isthmus/bus-embedded';
import { startBrain } from '@isthmus/conference-brain';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { startGatewayRouter } from '@isthmus/gateway-router';
import { estateFacts, freePort, noPeers, roomsCreated, sampleRoom } from '@isthmus/contract/samples';
import type { SiteId } from '@isthmus/kernel';
import { startMediaNode } from '@isthmus/media-node';
import { createAuthority, issue } from '@isthmus/peers-http';
import type { NodeId } from '@isthmus/placement';

/** One whole site, as it ships, and ten participants with real media who talk by a script. */
const NYC = 'nyc' as SiteId;
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const PARTICIPANTS = 10;
const LOCAL = { host: '127.0.0.1', port: 0 };

const room = sampleRoom('r1', { name: 'Demo', aliases: ['demo'] });

describe('ten participants at one site', { timeout: 120_000 }, () => {
  const bots: Bot[] = [];
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const bus = embeddedBus();
    const store = await sqliteEventStore({ file: ':memory:' });
    await store.adopt(estateFacts(roomsCreated(room)));
    const brain = await startBrain({ site: NYC, listen: LOCAL, bus, store, peers: noPeers, clock });
    const credentials = await issue(await createAuthority(), { identity: { kind: 'site', site: NYC } });
    const media = await startMediaNode({
      site: NYC,
      node: 'nyc-0' as NodeId,
      listen: LOCAL,
      link: LOCAL,
      credentials: () => credentials,
      webRtc: { ip: '127.0.0.1', port: await freePort() },
      plain: { ip: '127.0.0.1', portMin: 39_860, portMax: 39_880 },
      capacity: 50,
      bus,
    });
    const gateway = await startGatewayRouter({ site: NYC, siteName: 'New York', listen: LOCAL, bus });
    closers.push(
      () => gateway.close(),
      () => media.close(),
      () => brain.close(),
      () => bus.close(),
      () => store.close(),
    );
    await eventually(
      async () => ((await fetch(`${gateway.url}/healthz/ready`)).status === 200 ? [] : ['the gateway-router is not ready']),
      10_000,
    );
    // One after the other: the order of joining is part of what everybody should see.
    for (let n = 0; n < PARTICIPANTS; n++)
      bots.push(await startBot({ gatewayUrl: gateway.url, alias: 'demo', persona: personaOf(n), hdKbps: 300 }));
  }, 180_000);
  afterAll(async () => {
    await Promise.all(bots.map((bot) => bot.leave()));
    for (const close of closers) await close();
  });

  it('all see one large and seven small, and nothing that is not on their stage', async () => {
    await eventually(() => [...missingFromRosters(bots), ...missingNow(bots)], 30_000);
    for (const bot of bots)
      expect(bot.sees()).toMatchObject({ main: { layer: 'large', confirmed: true }, thumbnails: { length: 7 }, others: [] });
  });

  it('see the same sequence of stages that the speech script means, in the pictures that arrive', async () => {
    const script = roundOf(['Hana Sato', 'Ben Okafor', 'June Parker', 'Ben Okafor', 'Ana Moreno'], { forMs: 3_000, pauseMs: 300 });
    const floors = floorsOf(script, bots);
    const since = bots.map(({ stages }) => stages.length);
    await perform(script, bots).over;
    await eventually(() => bots.flatMap((bot, n) => missingStages(bot, stagesOf(bot.leg, floors), since[n])), 30_000);
    expect(missingNow(bots)).toEqual([]);
  });

  it('hear whoever speaks from the first syllable on', async () => {
    const [listener, speaker] = [bots[4]!, bots[7]!];
    speaker.speak(20_000);
    await eventually(
      () => (listener.hears().some(({ leg }) => leg === speaker.leg) ? [] : [`${listener.name} does not hear ${speaker.name}`]),
      15_000,
    );
    expect(listener.hears().find(({ leg }) => leg === speaker.leg)).toMatchObject({ persona: speaker.persona.number, firstPart: 0 });
    speaker.quiet();
  });

  it('send nothing while nobody watches them', async () => {
    // Nine are enough for every stage; whoever was quiet the longest is on nobody's.
    await eventually(() => missingNow(bots), 30_000);
    const unwatched = bots.filter(({ leg }) => bots.every(({ view: { stage } }) => stage.main !== leg && !stage.thumbnails.includes(leg)));
    expect(unwatched).toHaveLength(1);
    const before = unwatched[0]!.sent;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(unwatched[0]!.sent).toEqual(before);
  });
});
