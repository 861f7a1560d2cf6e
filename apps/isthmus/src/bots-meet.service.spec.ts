import { EventEmitter, on } from 'node:events';
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
import { chained, estateFacts, freePort, noPeers, roomsCreated, sampleRoom, type Unsealed } from '@isthmus/contract/samples';
import type { Fact, SiteId } from '@isthmus/kernel';
import { startMediaNode, type MediaNodeService } from '@isthmus/media-node';
import { createAuthority, issue, type Credentials } from '@isthmus/peers-http';
import type { NodeId } from '@isthmus/placement';
import { TOPICS, type NodeReport } from '@isthmus/protocol';

/** One whole site, as it ships, and ten participants with real media who talk by a script. */
const NYC = 'nyc' as SiteId;
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const PARTICIPANTS = 10;
const LOCAL = { host: '127.0.0.1', port: 0 };

const room = sampleRoom('r1', { name: 'Demo', aliases: ['demo'] });

describe('ten participants at one site', { timeout: 120_000 }, () => {
  const bots: Bot[] = [];
  const closers: (() => Promise<void>)[] = [];
  const bus = embeddedBus();
  /** Legs attached at each node, as it last said. */
  const legsAt = new Map<string, number>();
  /** What bots were told that would be a disconnection for a person. */
  const lost: string[] = [];
  let credentials: Credentials;

  /** Management: what it said, and whom it tells. */
  const said = estateFacts(roomsCreated(room));
  const management = new EventEmitter();
  const say = (...bodies: readonly Unsealed[]): void => {
    const facts = chained(said[0]!.stream, bodies, said.at(-1));
    said.push(...facts);
    management.emit('facts', facts);
  };
  const startNode = async (node: string, portMin: number): Promise<MediaNodeService> => {
    const media = await startMediaNode({
      ...{ site: NYC, node: node as NodeId, listen: LOCAL, link: LOCAL, credentials: () => credentials, capacity: 50, bus },
      webRtc: { ip: '127.0.0.1', port: await freePort() },
      plain: { ip: '127.0.0.1', portMin, portMax: portMin + 10 },
    });
    closers.unshift(() => media.close());
    return media;
  };

  beforeAll(async () => {
    const store = await sqliteEventStore({ file: ':memory:' });
    await store.adopt(said);
    await bus.subscribe(TOPICS.nodes, { group: 'spec' }, async ({ value, key }) => void legsAt.set(key, (value as NodeReport).legs));
    const brain = await startBrain({
      ...{ site: NYC, listen: LOCAL, bus, store, peers: noPeers, clock },
      followEstate: async function* (_after, _applied, signal) {
        for await (const [facts] of on(management, 'facts', { signal })) yield facts as readonly Fact[];
      },
    });
    credentials = await issue(await createAuthority(), { identity: { kind: 'site', site: NYC } });
    closers.push(
      () => brain.close(),
      () => bus.close(),
      () => store.close(),
    );
    await startNode('nyc-0', 31_860);
    const gateway = await startGatewayRouter({ site: NYC, siteName: 'New York', listen: LOCAL, bus });
    closers.unshift(() => gateway.close());
    await eventually(
      async () => ((await fetch(`${gateway.url}/healthz/ready`)).status === 200 ? [] : ['the gateway-router is not ready']),
      10_000,
    );
    // One after the other: the order of joining is part of what everybody should see.
    for (let n = 0; n < PARTICIPANTS; n++) {
      const onNotice = (code: string, message: string) => void (code === 'bot.returning' && lost.push(`${n}: ${message}`));
      const onEnded = (reason: string) => void lost.push(`${n}: ${reason}`);
      bots.push(await startBot({ gatewayUrl: gateway.url, alias: 'demo', persona: personaOf(n), hdKbps: 300, onNotice, onEnded }));
    }
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

  it('are given another node, in their seats, when theirs is drained, and back when that is told to stop', async () => {
    const [second, legs] = [await startNode('nyc-1', 31_871), bots.map(({ leg }) => leg)];
    const everybodyIsAt = (node: string, other: string) =>
      eventually(() => {
        const at = [legsAt.get(node), legsAt.get(other)].join() === `${PARTICIPANTS},0` ? [] : [`${JSON.stringify([...legsAt])} attached`];
        return [...at, ...missingFromRosters(bots), ...missingNow(bots)];
      }, 60_000);
    say(['SiteEnrolled', { site: { id: NYC, name: 'New York', meetUrl: 'http://nyc', linkUrl: 'wss://nyc' } }]);
    say(['NodeDrained', { id: 'nyc-0', site: NYC }]);
    await everybodyIsAt('nyc-1', 'nyc-0');
    say(['NodeReturned', { id: 'nyc-0', site: NYC }]);
    await second.drain(60_000);
    await everybodyIsAt('nyc-0', 'nyc-1');
    expect(bots.map(({ leg }) => leg)).toEqual(legs);
    expect(lost).toEqual([]);
  });
});
