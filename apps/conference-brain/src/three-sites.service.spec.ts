import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fact, SiteId } from '@isthmus/kernel';
import type { NodeDesire } from '@isthmus/placement';
import type { Bus, EventStore } from '@isthmus/ports';
import { TOPICS, type BrainAnswer, type BrainCommand, type ViewPublished } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { createAuthority, httpPeers, issue } from '@isthmus/peers-http';
import { estateFacts, freePort, roomsCreated, sampleNode, sampleRoom, type Unsealed } from '@isthmus/contract/samples';
import { startBrain } from './start.js';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const SITES = ['nyc', 'lon', 'cpt'] as SiteId[];

/** One room and three sites, as management would have told them. */
const estateOf = (ports: ReadonlyMap<SiteId, number>): Fact[] =>
  estateFacts([
    ...roomsCreated(sampleRoom('r1', { name: 'Demo', aliases: ['demo'], seatsMax: 9 })),
    ...[...ports].map(([id, port]): Unsealed => [
      'SiteEnrolled',
      { site: { id, name: id, meetUrl: `http://${id}`, linkUrl: `wss://127.0.0.1:${port}` } },
    ]),
  ]);

interface Site {
  readonly bus: Bus;
  readonly brain: RunningService;
  readonly store: EventStore;
  readonly views: ViewPublished[];
  readonly desires: NodeDesire[];
}

let sites: Map<SiteId, Site>;
/** A node that is not heard for three seconds gets nobody; a busy machine may take as long from one thing to the next. */
let reporting: NodeJS.Timeout[];
const REPORT_EVERY_MS = 500;
const PATIENCE_MS = 30_000;
const at = (site: string): Site => sites.get(site as SiteId)!;

beforeEach(async () => {
  const authority = await createAuthority();
  const ports = new Map<SiteId, number>();
  for (const site of SITES) ports.set(site, await freePort());
  sites = new Map();
  reporting = [];
  for (const site of SITES) {
    const credentials = await issue(authority, { identity: { kind: 'site', site } });
    const bus = embeddedBus();
    const store = await sqliteEventStore({ file: ':memory:' });
    await store.adopt(estateOf(ports));
    const views: ViewPublished[] = [];
    const desires: NodeDesire[] = [];
    await bus.subscribe(TOPICS.views, { group: 'spec' }, async ({ value }) => void views.push(value as ViewPublished));
    await bus.subscribe(TOPICS.desires, { group: 'spec' }, async ({ value }) => void desires.push(value as NodeDesire));
    const peers = httpPeers({
      site,
      listen: { host: '127.0.0.1', port: ports.get(site)! },
      credentials: () => credentials,
      clock,
      report: () => undefined,
    });
    const brain = await startBrain({ site, listen: { host: '127.0.0.1', port: 0 }, bus, store, peers, clock });
    const report = sampleNode(site, { capacity: 10 });
    const say = () => bus.publish({ topic: TOPICS.nodes, key: report.node, value: report });
    await say();
    reporting.push(setInterval(() => void say(), REPORT_EVERY_MS));
    sites.set(site, { bus, brain, store, views, desires });
  }
});
afterEach(async () => {
  for (const each of reporting) clearInterval(each);
  for (const { brain, bus, store } of sites.values()) {
    await brain.close();
    await bus.close();
    await store.close();
  }
});

const ask = async (site: string, command: BrainCommand): Promise<BrainAnswer> =>
  (await at(site).bus.request({ topic: TOPICS.commands, key: 'r1', value: command }, PATIENCE_MS)).value as BrainAnswer;
const enter = async (site: string, name: string) => {
  const answer = await ask(site, {
    type: 'Join',
    room: 'r1',
    person: `p-${name}` as never,
    name,
    role: 'host',
    connect: 1,
    muted: false,
    cameraOff: false,
  });
  if (answer.type !== 'Joined') throw new Error(`${name} did not get in: ${answer.type}`);
  return answer;
};
const seen = (site: string) => at(site).views.at(-1)?.view;
const everywhere = (of: (site: string) => unknown) => SITES.map((site) => JSON.stringify(of(site)));
const linked = () =>
  expect
    .poll(() => everywhere((site) => seen(site)?.seats.every(({ inReach }) => inReach)), { timeout: PATIENCE_MS })
    .toEqual(['true', 'true', 'true']);
const settled = { timeout: PATIENCE_MS, interval: 20 };

describe('one meeting at three sites', () => {
  it('is one: the same roster, order and floor everywhere', async () => {
    const ana = await enter('nyc', 'Ana');
    const bo = await enter('lon', 'Bo');
    const cy = await enter('cpt', 'Cy');
    await expect
      .poll(() => everywhere((site) => seen(site)?.byRecency), settled)
      .toEqual(Array(3).fill(JSON.stringify([ana.leg, bo.leg, cy.leg])));
    await at('lon').bus.publish({
      topic: TOPICS.mediaEvents,
      key: 'r1',
      value: { type: 'Spoke', conference: 'r1', leg: bo.leg, node: 'lon-1' },
    });
    await expect.poll(() => everywhere((site) => seen(site)?.floor), settled).toEqual(Array(3).fill(JSON.stringify(bo.leg)));
    await linked();
    await expect
      .poll(
        () =>
          at('nyc')
            .desires.at(-1)
            ?.pipes.map(
              ({ to, sends }) => `${to.node} ${sends.map(({ large, small }) => `${large ? 'L' : ''}${small ? 'S' : ''}`).join()}`,
            ),
        settled,
      )
      .toEqual(['cpt-1 S', 'lon-1 L']);
  });

  it('pipes to who came last without waiting for anything else to happen', async () => {
    for (const [site, name] of [
      ['nyc', 'Ana'],
      ['lon', 'Bo'],
      ['cpt', 'Cy'],
    ] as const)
      await enter(site, name);
    const pipes = (site: string) =>
      at(site)
        .desires.at(-1)
        ?.pipes.map(({ to }) => to.node);
    await expect
      .poll(() => SITES.map(pipes), settled)
      .toEqual([
        ['cpt-1', 'lon-1'],
        ['cpt-1', 'nyc-1'],
        ['lon-1', 'nyc-1'],
      ]);
  });

  it('is one although it was opened at three sites in the same moment, and nobody moves', async () => {
    const legs = await Promise.all([enter('nyc', 'Ana'), enter('lon', 'Bo'), enter('cpt', 'Cy')]);
    await expect.poll(() => everywhere((site) => seen(site)?.seats.length), settled).toEqual(['3', '3', '3']);
    await expect.poll(() => new Set(everywhere((site) => seen(site)?.conference)).size, settled).toBe(1);
    await expect.poll(() => new Set(everywhere((site) => seen(site)?.byRecency)).size, settled).toBe(1);
    expect(SITES.flatMap((site) => at(site).views.flatMap(({ ended }) => ended))).toEqual([]);
    for (const [i, site] of SITES.entries()) {
      expect(new Set(at(site).desires.map(({ conference }) => conference))).toEqual(new Set(['r1']));
      expect(
        at(site)
          .desires.at(-1)
          ?.legs.map(({ leg }) => leg),
      ).toEqual([legs[i]!.leg]);
    }
    await ask('nyc', { type: 'Act', room: 'r1', leg: legs[0].leg, act: { type: 'lock' } });
    await expect.poll(() => everywhere((site) => seen(site)?.locked), settled).toEqual(['true', 'true', 'true']);
  });

  it('goes on for those who can be reached when a site goes', async () => {
    const [ana, bo] = [await enter('nyc', 'Ana'), await enter('lon', 'Bo')];
    await expect.poll(() => seen('nyc')?.byRecency, settled).toEqual([ana.leg, bo.leg]);
    await at('lon').brain.close();
    await expect.poll(() => seen('nyc')?.byRecency, settled).toEqual([ana.leg]);
    expect(seen('nyc')?.seats.map(({ inReach }) => inReach)).toEqual([true, false]);
    expect(at('nyc').desires.at(-1)?.pipes).toEqual([]);
  });

  it('ends with the last who leaves, wherever that is', async () => {
    const [ana, bo] = [await enter('nyc', 'Ana'), await enter('lon', 'Bo')];
    await expect.poll(() => seen('nyc')?.seats.length, settled).toBe(2);
    await ask('nyc', { type: 'Leave', room: 'r1', leg: ana.leg });
    const back = await enter('nyc', 'Ana2');
    expect(back.conference).toBe(ana.conference);
    await ask('nyc', { type: 'Leave', room: 'r1', leg: back.leg });
    await ask('lon', { type: 'Leave', room: 'r1', leg: bo.leg });
    await expect.poll(() => seen('nyc')?.seats.length, settled).toBe(0);
    expect((await enter('nyc', 'Di')).conference).not.toBe(ana.conference);
  });
});
