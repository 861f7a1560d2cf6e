import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import type { ConferenceAct, ConferenceView, LegId } from '@isthmus/conference';
import type { Room, Site } from '@isthmus/estate';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { freePort, sampleNode, sampleRoom } from '@isthmus/contract/samples';
import type { SiteId } from '@isthmus/kernel';
import { certificateSignatures, createAuthority, httpPeers, issue } from '@isthmus/peers-http';
import type { Bus, EventStore, Peers } from '@isthmus/ports';
import { TOPICS, type BrainAnswer, type BrainCommand, type ViewPublished } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { startBrain } from '../start.js';
import { Management } from './management.js';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
/** Generous: the machine may be busy with other work. */
export const settled = { timeout: 20_000, interval: 20 };

interface Running {
  readonly bus: Bus;
  readonly brain: RunningService;
  readonly store: EventStore;
  readonly peers: Peers;
  readonly views: ViewPublished[];
  readonly close: () => Promise<void>;
}

/** One direction's way to a site, which can be cut: then what runs through it breaks, and nothing comes through. */
class Way {
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((socket) => this.carry(socket));
  private up = true;
  port = 0;

  constructor(private readonly to: number) {}

  async open(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as { port: number }).port;
    return this;
  }

  set(up: boolean): void {
    this.up = up;
    if (!up) for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.set(false);
    await new Promise((done) => this.server.close(done));
  }

  private carry(socket: Socket): void {
    const onwards = connect(this.to, '127.0.0.1');
    for (const [one, other] of [
      [socket, onwards],
      [onwards, socket],
    ] as const) {
      this.sockets.add(one);
      one
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
    if (!this.up) socket.destroy();
  }
}

export const ROOM = sampleRoom('r1', { name: 'Board', aliases: ['board'], seatsMax: 9 });

/** Somebody of each site sits there all the time and sees who is in reach. */
const WITNESSES: Room = { ...ROOM, id: 'r0', name: 'Witnesses', aliases: ['witnesses'] };

/** Somebody in the meeting, at the site they came in by. */
export interface Person {
  readonly site: string;
  readonly leg: LegId;
}

/** For specs: brains of two sites, New York and London, with real stores and links, over a room that management can change. */
export class LinkedBrains {
  readonly management = new Management();
  private readonly running = new Map<string, Running>();
  private readonly ways: Way[] = [];
  private connects = 0;

  static async start(options: { readonly writeOffAfterMs?: number } = {}): Promise<LinkedBrains> {
    const world = new LinkedBrains(options);
    await world.begin();
    return world;
  }

  private constructor(private readonly options: { readonly writeOffAfterMs?: number }) {}

  private readonly restarts = new Map<string, () => Promise<void>>();

  private async begin(): Promise<void> {
    const authority = await createAuthority();
    const own = await issue(authority, { identity: { kind: 'management' } });
    this.management.signatures = certificateSignatures(() => own);
    const sites: Site[] = [];
    const ports = new Map<string, number>();
    for (const [id, name] of [
      ['nyc', 'New York'],
      ['lon', 'London'],
    ] as const) {
      const port = await freePort();
      const way = await new Way(port).open();
      this.ways.push(way);
      ports.set(id, port);
      sites.push({ id: id as SiteId, name, meetUrl: `http://${id}`, linkUrl: `wss://127.0.0.1:${way.port}` });
    }
    for (const room of [ROOM, WITNESSES]) this.management.say('RoomCreated', { room });
    for (const site of sites) this.management.say('SiteEnrolled', { site });
    for (const { id: site } of sites) {
      const credentials = await issue(authority, { identity: { kind: 'site', site } });
      const store = await sqliteEventStore({ file: ':memory:' });
      const start = async () => {
        const bus = embeddedBus();
        const views: ViewPublished[] = [];
        await bus.subscribe(TOPICS.views, { group: 'spec' }, async ({ value }) => void views.push(value as ViewPublished));
        const listen = { host: '127.0.0.1', port: ports.get(site)! };
        const peers = httpPeers({ site, listen, credentials: () => credentials, clock, report: () => undefined });
        const brain = await startBrain({
          site,
          listen: { host: '127.0.0.1', port: 0 },
          bus,
          store,
          peers,
          clock,
          signatures: certificateSignatures(() => credentials),
          followEstate: (after, _applied, signal, word) => this.management.followedBy(site, after, signal, word),
          ...this.options,
        });
        const report = () => bus.publish({ topic: TOPICS.nodes, key: `${site}-1`, value: sampleNode(site) });
        const reporting = setInterval(() => void report(), 500);
        await report();
        await expect.poll(() => fetch(`${brain.url}/healthz/ready`).then(({ status }) => status), settled).toBe(200);
        const close = async () => {
          clearInterval(reporting);
          await brain.close();
          await bus.close();
        };
        this.running.set(site, { bus, brain, store, peers, views, close });
      };
      await start();
      this.restarts.set(site, async () => {
        await this.at(site).close();
        await start();
      });
    }
    for (const site of ['nyc', 'lon']) await this.knock(site, `witness-${site}`, 'guest', { room: WITNESSES.id });
    await this.reached(true);
  }

  async close(): Promise<void> {
    for (const { close, store } of this.running.values()) {
      await close();
      await store.close();
    }
    for (const way of this.ways) await way.close();
  }

  at(site: string): Running {
    return this.running.get(site)!;
  }

  restart(site: string): Promise<void> {
    return this.restarts.get(site)!();
  }

  /** Whom brains have in reach is seen by the witnesses, whatever damps it. */
  private async reached(up: boolean): Promise<void> {
    const seesOther = (site: string) =>
      this.at(site)
        .views.findLast(({ view }) => view.room === WITNESSES.id)
        ?.view.seats.some((seat) => seat.site !== site && seat.inReach) ?? false;
    await expect.poll(() => ['nyc', 'lon'].map(seesOther), settled).toEqual([up, up]);
  }

  /** The link is cut, or there again; resolves when both sides have the other out of reach, or in reach. */
  async link(up: boolean): Promise<void> {
    for (const way of this.ways) way.set(up);
    await this.reached(up);
  }

  async ask(site: string, command: BrainCommand): Promise<BrainAnswer> {
    return (await this.at(site).bus.request({ topic: TOPICS.commands, key: command.room, value: command }, 10_000)).value as BrainAnswer;
  }

  knock(site: string, name: string, role: 'host' | 'guest' = 'guest', more: Partial<Join> = {}): Promise<BrainAnswer> {
    const connect = (this.connects += 1);
    const person = `p-${name}` as never;
    return this.ask(site, { type: 'Join', room: 'r1', person, name, role, connect, muted: false, cameraOff: false, ...more });
  }

  async enter(site: string, name: string, role: 'host' | 'guest' = 'guest', more: Partial<Join> = {}): Promise<Person> {
    const answer = await this.knock(site, name, role, more);
    if (answer.type !== 'Joined') throw new Error(`${name} did not get in: ${answer.type}`);
    return { site, leg: answer.leg };
  }

  async act(who: Person, type: ConferenceAct['type'], on?: Person): Promise<void> {
    const act = { type, ...(on === undefined ? {} : { leg: on.leg }) } as ConferenceAct;
    await this.ask(who.site, { type: 'Act', room: 'r1', leg: who.leg, act });
  }

  view(site: string): ConferenceView | undefined {
    return this.at(site).views.findLast(({ view }) => view.room === ROOM.id)?.view;
  }

  /** Who is in the meeting as a site sees it: those out of reach as `(name)`, those held as `[name]`. */
  roster(site: string): readonly string[] {
    const seats = this.view(site)?.seats ?? [];
    return seats.map(({ name, inReach, held }) => (held ? `[${name}]` : inReach ? name : `(${name})`)).sort();
  }

  /** Both sites see the same people, in reach, and the same meeting. */
  async same(...names: readonly string[]): Promise<void> {
    const expected = [...names].sort();
    await expect.poll(() => ['nyc', 'lon'].map((site) => this.roster(site)), settled).toEqual([expected, expected]);
  }

  ended(site: string): readonly string[] {
    return this.at(site).views.flatMap(({ ended }) => ended.map(({ leg, reason }) => `${leg} ${reason}`));
  }

  told(site: string): readonly string[] {
    return this.at(site).views.flatMap(({ notices }) => notices.map(({ leg, message }) => `${leg}: ${message}`));
  }
}

type Join = Extract<BrainCommand, { type: 'Join' }>;
