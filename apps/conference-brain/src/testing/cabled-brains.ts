import type { Fact, SiteId } from '@isthmus/kernel';
import type { LegId } from '@isthmus/conference';
import type { NodeDesire } from '@isthmus/placement';
import type { Bus, Clock, EventStore, Peers } from '@isthmus/ports';
import { TOPICS, type BrainAnswer, type BrainCommand, type NodeReport, type SiteReport, type ViewPublished } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { certificateSignatures, createAuthority, httpPeers, issue, type Authority, type Credentials } from '@isthmus/peers-http';
import { startBrain } from '../start.js';
import { estateFacts, freePort, roomsCreated, sampleNode, sampleRoom, type Unsealed } from '@isthmus/contract/samples';
import { Cables } from './cables.js';

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** One site's brain over real links, with what it said. */
export interface CabledBrain {
  readonly site: SiteId;
  readonly bus: Bus;
  store: EventStore;
  brain: RunningService;
  credentials: Credentials;
  readonly views: ViewPublished[];
  readonly desires: NodeDesire[];
  readonly reports: SiteReport[];
  /** What its node says of the nodes of other sites. */
  hears: NonNullable<NodeReport['hears']>;
}

export interface Cabling {
  readonly strangers?: readonly string[];
  readonly clocks?: Readonly<Record<string, Clock>>;
}

/** Brains of several sites, one room that all of them know, and cables between them that can be cut one way. */
export class CabledBrains {
  readonly cables = new Cables();
  readonly sites = new Map<string, CabledBrain>();
  private readonly ports = new Map<string, number>();
  private authority!: Authority;

  /** @param strangers sites that are enrolled but run no brain of ours: see {@link peersOf} */
  static async start(names: readonly string[], { strangers = [], clocks = {} }: Cabling = {}): Promise<CabledBrains> {
    const world = new CabledBrains();
    world.authority = await createAuthority();
    const all = [...names, ...strangers];
    for (const [i] of all.entries()) world.ports.set(all[i]!, await freePort(hostOf(i)));
    for (const [i, from] of all.entries())
      for (const [j, to] of all.entries())
        if (i !== j) await world.cables.lay(from, to, { alias: aliasOf(i, j), host: hostOf(j), port: world.ports.get(to)! });
    for (const name of names) await world.startSite(name as SiteId, clocks[name] ?? systemClock);
    return world;
  }

  at(name: string): CabledBrain {
    return this.sites.get(name)!;
  }

  /** One end of the links, for whoever plays a site. */
  async peersOf(site: string, credentials?: () => Credentials): Promise<Peers> {
    const own = await this.credentialsOf(site);
    const index = [...this.ports.keys()].indexOf(site);
    return httpPeers({
      site: site as SiteId,
      listen: { host: hostOf(index), port: this.ports.get(site)! },
      credentials: credentials ?? (() => own),
      clock: systemClock,
      translate: (host) => aliasOf(index, Number(host.split('.')[3]) - FIRST),
      report: () => undefined,
    });
  }

  credentialsOf(site: string): Promise<Credentials> {
    return issue(this.authority, { identity: { kind: 'site', site: site as SiteId } });
  }

  /** Where everybody is reached, for `setPeers`. */
  get urls(): readonly { readonly site: SiteId; readonly url: string }[] {
    return [...this.ports].map(([site, port], i) => ({ site: site as SiteId, url: `wss://${hostOf(i)}:${port}` }));
  }

  async startSite(site: SiteId, clock: Clock, store?: EventStore): Promise<void> {
    const known = this.sites.get(site);
    const bus = known?.bus ?? embeddedBus();
    const credentials = known?.credentials ?? (await this.credentialsOf(site));
    const kept = store ?? (await sqliteEventStore({ file: ':memory:' }));
    await kept.adopt(this.estate());
    const linked: CabledBrain = known ?? {
      site,
      bus,
      store: kept,
      brain: undefined as never,
      credentials,
      views: [],
      desires: [],
      reports: [],
      hears: [],
    };
    this.sites.set(site, linked);
    if (!known) {
      await bus.subscribe(TOPICS.views, { group: 'spec' }, async ({ value }) => void linked.views.push(value as ViewPublished));
      await bus.subscribe(TOPICS.desires, { group: 'spec' }, async ({ value }) => void linked.desires.push(value as NodeDesire));
      await bus.subscribe(TOPICS.sites, { group: 'spec' }, async ({ value }) => void linked.reports.push(value as SiteReport));
    }
    linked.store = kept;
    const current = () => linked.credentials;
    linked.brain = await startBrain({
      ...{ site, bus, clock, store: kept, listen: { host: '127.0.0.1', port: 0 } },
      peers: await this.peersOf(site, current),
      signatures: certificateSignatures(current),
    });
    const report = sampleNode(site, { capacity: 10 });
    const say = () => bus.publish({ topic: TOPICS.nodes, key: report.node, value: { ...report, hears: linked.hears } });
    await say();
    if (!known) this.heartbeats.push(setInterval(() => void say(), 1_000));
  }

  async close(): Promise<void> {
    for (const heartbeat of this.heartbeats) clearInterval(heartbeat);
    await Promise.all([...this.sites.values()].map(({ brain }) => brain.close()));
    for (const { bus, store } of this.sites.values()) {
      await bus.close();
      await store.close();
    }
    await this.cables.close();
  }

  async ask(site: string, command: BrainCommand): Promise<BrainAnswer> {
    return (await this.at(site).bus.request({ topic: TOPICS.commands, key: 'r1', value: command }, 10_000)).value as BrainAnswer;
  }

  async enter(site: string, name: string): Promise<LegId> {
    const seat = { role: 'host', connect: 1, muted: false, cameraOff: false } as const;
    const answer = await this.ask(site, { type: 'Join', room: 'r1', person: `p-${name}` as never, name, ...seat });
    if (answer.type !== 'Joined') throw new Error(`${name} did not get in: ${answer.type}`);
    return answer.leg;
  }

  async speaks(site: string, leg: LegId): Promise<void> {
    const value = { type: 'Spoke', conference: 'r1', leg, node: `${site}-1` };
    await this.at(site).bus.publish({ topic: TOPICS.mediaEvents, key: 'r1', value });
  }

  view(site: string) {
    return this.at(site).views.at(-1)?.view;
  }

  /** Which nodes a site's node is told to pipe to. */
  pipes(site: string): readonly string[] {
    return (
      this.at(site)
        .desires.at(-1)
        ?.pipes.map(({ to }) => to.node) ?? []
    );
  }

  private readonly heartbeats: NodeJS.Timeout[] = [];

  private estate(): readonly Fact[] {
    const room = sampleRoom('r1', { name: 'Demo', aliases: ['demo'] });
    const sites = this.urls.map(({ site, url }) => ({ id: site, name: site, meetUrl: `http://${site}`, linkUrl: url }));
    return estateFacts([...roomsCreated(room), ...sites.map((site): Unsealed => ['SiteEnrolled', { site }])]);
  }
}

const FIRST = 21;
const hostOf = (index: number): string => `127.0.22.${FIRST + index}`;
const aliasOf = (from: number, to: number): string => `127.22.${FIRST + from}.${FIRST + to}`;
