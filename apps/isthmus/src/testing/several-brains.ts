import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@isthmus/bots';
import { embeddedBus } from '@isthmus/bus-embedded';
import { openBusDoor, type BusDoor, type BusRights } from '@isthmus/bus-link';
import { restartablePeers, startBrain } from '@isthmus/conference-brain';
import { BrainClient } from '@isthmus/gateway-router';
import { estateFacts, freePort, roomsCreated, sampleNode, sampleRoom, type Unsealed } from '@isthmus/contract/samples';
import type { LegId } from '@isthmus/conference';
import type { Fact, SiteId } from '@isthmus/kernel';
import { certificateSignatures, createAuthority, httpPeers, issue, type Authority, type Credentials } from '@isthmus/peers-http';
import type { Bus, EventStore } from '@isthmus/ports';
import { TOPICS, type BrainWord, type ViewPublished } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { serviceBus, serviceStore } from '@isthmus/wiring';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { systemClock as clock } from '../system-clock.js';
import { launchEsdb, type EsdbProcess } from './esdb-process.js';
import type { BrainWish } from './brain-of-several.js';

const PROGRAM = fileURLToPath(new URL('../../dist/testing/brain-of-several.js', import.meta.url));
export const NYC = 'nyc' as SiteId;
const LON = 'lon' as SiteId;
const host = '127.0.0.1';
/** Generous: the machine may be busy with other work. */
export const settled = { timeout: 40_000, interval: 50 };
/** Of brains that have doors. */
export const NAMES = ['one', 'two', 'three'] as const;
const EVERYTHING: BusRights = {
  publish: new Set(Object.values(TOPICS)),
  request: new Set(Object.values(TOPICS)),
  subscribe: new Set(Object.values(TOPICS)),
};

/** What New York's brains are connected by. Left out, by a bus that the spec holds; a broker is a real one, with doors past it (ADR 0080). */
export interface SeveralBrainsWish {
  /** `host:port` of a Kafka broker. */
  readonly kafka?: string | undefined;
}

/** For specs: New York with several brains in processes of their own over one EventStoreDB, and London with one, linked to it. */
export class SeveralBrains {
  bus!: Bus;
  readonly views: ViewPublished[] = [];
  readonly londonViews: ViewPublished[] = [];
  /** Rooms that some brain of New York has said it decides. */
  readonly claimed = new Set<string>();
  brain!: BrainClient;
  readonly brains = new Map<string, ChildProcess>();
  private readonly londonBus: Bus = embeddedBus({ report: () => undefined });
  private readonly closers: (() => Promise<unknown>)[] = [];
  private authority!: Authority;
  private credentials!: Credentials;
  private door: BusDoor | undefined;
  /** Where the brains' own doors are, by their names, and what services are told of the broker and of them. */
  private readonly doorPorts = new Map<string, number>();
  private busSettings: Readonly<Record<string, string>> = {};
  private folder!: string;
  private linkPort!: number;
  private connects = 0;
  private isClosed = false;
  esdb!: EsdbProcess;
  store!: EventStore;

  static async start(rooms: readonly string[], wish: SeveralBrainsWish = {}): Promise<SeveralBrains> {
    const world = new SeveralBrains();
    try {
      await world.begin(rooms, wish);
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  private async begin(rooms: readonly string[], { kafka }: SeveralBrainsWish): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'isthmus-brains-'));
    this.folder = folder;
    this.closers.unshift(() => rm(folder, { recursive: true }));
    this.authority = await createAuthority();
    this.credentials = await issue(this.authority, { identity: { kind: 'site', site: NYC } });
    this.esdb = await launchEsdb(join(folder, 'records.jsonl'));
    this.closers.unshift(() => this.esdb.kill());
    this.store = await serviceStore('spec', { file: '' }, { EVENTSTORE_CONNECTION_STRING: this.esdb.connectionString });
    this.closers.unshift(() => this.store.close());
    this.linkPort = await freePort();
    const londonPort = await freePort();
    const facts = estateOf(rooms, [
      { id: NYC, url: `wss://${host}:${this.linkPort}` },
      { id: LON, url: `wss://${host}:${londonPort}` },
    ]);
    await this.store.adopt(facts);
    await (kafka === undefined ? this.beginBus() : this.beginKafka(kafka));
    this.brain = new BrainClient(NYC, this.bus);
    await this.bus.subscribe(TOPICS.views, { group: 'spec' }, async ({ value }) => void this.views.push(value as ViewPublished));
    await this.bus.subscribe(TOPICS.brains, { group: 'spec' }, async ({ value }) => {
      const word = value as BrainWord;
      if (word.type === 'claimed') this.claimed.add(word.room);
    });
    this.report(this.bus, NYC);
    await this.beginLondon(facts, londonPort);
  }

  private async beginBus(): Promise<void> {
    this.bus = embeddedBus({ report: () => undefined });
    this.closers.unshift(() => this.bus.close());
    const door = await openBusDoor({
      ...{ bus: this.bus, host, port: 0, credentials: () => this.credentials },
      admit: () => EVERYTHING,
      log: { warn: () => undefined },
    });
    this.door = door;
    this.closers.unshift(() => door.close());
  }

  private async beginKafka(kafka: string): Promise<void> {
    for (const name of NAMES) this.doorPorts.set(name, await freePort());
    const doors = [...this.doorPorts.values()].map((port) => `wss://${host}:${port}`);
    this.busSettings = { KAFKA_BROKERS: kafka, BUS_DOORS: doors.join(',') };
    this.bus = await serviceBus('spec', { site: NYC, credentials: async () => this.credentials }, this.busSettings);
    this.closers.unshift(() => this.bus.close());
  }

  /** Another site, as a single process has it. */
  private async beginLondon(facts: readonly Fact[], port: number): Promise<void> {
    const credentials = await issue(this.authority, { identity: { kind: 'site', site: LON } });
    const store = await sqliteEventStore({ file: ':memory:' });
    await store.adopt(facts);
    await this.londonBus.subscribe(
      TOPICS.views,
      { group: 'spec' },
      async ({ value }) => void this.londonViews.push(value as ViewPublished),
    );
    const peers = httpPeers({ site: LON, listen: { host, port }, credentials: () => credentials, clock, report: () => undefined });
    const brain: RunningService = await startBrain({
      ...{ site: LON, listen: { host, port: 0 }, bus: this.londonBus, store, peers: restartablePeers(() => peers), clock },
      signatures: certificateSignatures(() => credentials),
    });
    this.report(this.londonBus, LON);
    this.closers.unshift(async () => {
      await brain.close();
      await this.londonBus.close();
      await store.close();
    });
  }

  /** Media nodes are not what this is about: one says that it is there. */
  private report(bus: Bus, site: SiteId): void {
    const say = () =>
      void bus.publish({ topic: TOPICS.nodes, key: `${site}-1`, value: sampleNode(site, { capacity: 10_000 }) }).catch(() => undefined);
    say();
    const saying = setInterval(say, 500);
    this.closers.unshift(async () => clearInterval(saying));
  }

  /** Starts one more brain. Resolves when it is ready to decide. */
  async add(name: string): Promise<void> {
    if (this.isClosed) throw new Error(`${name} is not begun: everything has been ended.`);
    const wish: BrainWish = {
      ...{
        site: NYC,
        name,
        bus: this.door?.url ?? this.busSettings,
        doorPort: this.doorPorts.get(name) ?? 0,
        store: this.esdb.connectionString,
        linkPort: this.linkPort,
        journal: join(this.folder, name),
      },
      credentials: this.credentials,
    };
    const child = spawn(process.execPath, ['--enable-source-maps', PROGRAM, JSON.stringify(wish)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ISTHMUS_LOG_LEVEL: 'warn' },
    });
    this.brains.set(name, child);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) =>
        line.startsWith('>') ? resolve(line.slice(1)) : (said += `${line}\n`),
      );
      child.once('exit', () => reject(new Error(`${name} has ended: ${said}`)));
    });
    const health = () => fetch(`${url}/healthz/ready`).then((answer) => answer.json() as Promise<{ dependencies: Record<string, string> }>);
    await eventually(async () => {
      const { dependencies } = await health();
      return ['brains', 'store', 'media-node']
        .filter((each) => dependencies[each] !== 'ok')
        .map((each) => `${name}: ${dependencies[each]}`);
    }, settled.timeout);
  }

  async kill(name: string, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.brains.get(name);
    this.brains.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Somebody comes into a room, as a gateway-router lets them. Resolves with the leg when that is acknowledged. */
  async enter(room: string, name: string, at: 'nyc' | 'lon' = 'nyc'): Promise<LegId> {
    const connect = (this.connects += 1);
    const brain = at === 'nyc' ? this.brain : new BrainClient(LON, this.londonBus);
    const person = `p-${name}` as never;
    const answer = await brain.join({ room, person, name, role: 'guest', connect, muted: false, cameraOff: false });
    return answer.leg;
  }

  /** Whom a site's people see in a room and can reach. */
  inReachOf(site: 'nyc' | 'lon', room: string): readonly string[] {
    const views = site === 'nyc' ? this.views : this.londonViews;
    const seats = views.findLast(({ view }) => view.room === room)?.view.seats ?? [];
    return seats.flatMap(({ name, inReach }) => (inReach ? [name] : []));
  }

  /** Everything that was recorded of conferences, in the store that the brains share. */
  async recorded(): Promise<readonly Fact[]> {
    const facts: Fact[] = [];
    for (const stream of await this.store.streams('conference')) for await (const fact of this.store.read(stream)) facts.push(fact);
    return facts;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const name of [...this.brains.keys()]) {
      this.brains.get(name)?.kill('SIGCONT');
      await this.kill(name);
    }
    for (const close of this.closers.splice(0)) await close();
  }
}

const estateOf = (rooms: readonly string[], sites: readonly { readonly id: SiteId; readonly url: string }[]): readonly Fact[] =>
  estateFacts([
    ...roomsCreated(...rooms.map((id) => sampleRoom(id, { name: id, seatsMax: 500 }))),
    ...sites.map(({ id, url }): Unsealed => ['SiteEnrolled', { site: { id, name: id, meetUrl: `http://${id}`, linkUrl: url } }]),
  ]);
