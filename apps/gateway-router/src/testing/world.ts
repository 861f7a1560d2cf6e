import { hash } from '@node-rs/argon2';
import { WebSocket } from 'ws';
import { vi } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import { legIdOf, type ConferenceId, type ConferenceView, type LegId, type Seat, type Waiting } from '@isthmus/conference';
import { sampleRoom } from '@isthmus/contract/samples';
import { emptyEstate, type Estate, type Room } from '@isthmus/estate';
import { Refusal, type SiteId } from '@isthmus/kernel';
import type { Bus } from '@isthmus/ports';
import { brainCommand, TOPICS, type BrainAnswer, type BrainCommand, type GatewayToClient, type ViewPublished } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { startGatewayRouter, type GatewayRouterOptions } from '../start.js';

/** For specs: a gateway-router on real sockets and a real bus, clients, and a brain that does as it is told. */
export const NYC = 'nyc' as SiteId;

/** Cheap hashes: the specs are about who gets in, not about how long argon2 takes. */
const cheap = (pin: string): Promise<string> => hash(pin, { memoryCost: 1024, timeCost: 1 });

export const roomOf = (id: string, more: Partial<Room> = {}): Room => sampleRoom(id, { seatsMax: 10, ...more });

export const estateOf = async (): Promise<Estate> => {
  const [host, guest] = [await cheap('471100'), await cheap('0815')];
  const rooms = [
    roomOf('open', { aliases: ['open', 'open@example.com'] }),
    roomOf('board', { hostPinHash: host, guestPinHash: guest }),
    roomOf('town-hall', { hostPinHash: host }),
    roomOf('locked'),
    roomOf('full'),
    roomOf('closed', { disabled: true }),
    roomOf('lobby', { guestsWaitForHost: true }),
  ];
  return {
    ...emptyEstate,
    revision: 7,
    rooms: Object.fromEntries(rooms.map((room) => [room.id, room])),
    sites: { nyc: { id: NYC, name: 'New York', meetUrl: 'http://127.0.0.11:7100', linkUrl: 'wss://127.0.0.11:7101' } },
  };
};

type Join = Extract<BrainCommand, { type: 'Join' }>;

/** Answers as a brain would for one meeting per room, and notes what it was asked. */
export class ScriptedBrain {
  readonly asked: BrainCommand[] = [];
  /** What the next commands meet instead of an answer. */
  fails: Error | undefined;
  silent = false;
  /** What it waits for before it answers. */
  slow: Promise<void> | undefined;
  private readonly meetings = new Map<string, ConferenceView>();
  private legs = 0;
  revision = 0;

  constructor(
    private readonly bus: Bus,
    readonly estate: Estate,
  ) {}

  async start(): Promise<void> {
    await this.bus.subscribe(TOPICS.estateRequests, { group: 'brain' }, async (message) => ({ ...message, value: this.estate }));
    await this.bus.subscribe(TOPICS.commands, { group: 'brain' }, async (message) => {
      const command = brainCommand.parse(message.value);
      this.asked.push(command);
      if (this.silent) await new Promise(() => undefined);
      await this.slow;
      if (this.fails) throw this.fails;
      return { ...message, value: await this.answer(command) };
    });
  }

  async reportNode(): Promise<void> {
    const report = {
      node: 'nyc-0',
      site: NYC,
      clientUrl: 'ws://127.0.0.1:1/media',
      linkUrl: 'wss://127.0.0.1:2',
      rtpCapabilities: { codecs: [] },
      capacity: 10,
      legs: 0,
      cpu: 0,
      draining: false,
      pipes: [],
      at: 0,
    };
    await this.bus.publish({ topic: TOPICS.nodes, key: 'nyc-0', value: report });
  }

  view(room: string): ConferenceView {
    return (
      this.meetings.get(room) ?? {
        conference: room as ConferenceId,
        room,
        site: NYC,
        version: { epoch: 1, revision: 0 },
        started: true,
        locked: false,
        seats: [],
        waiting: [],
        byRecency: [],
        floor: null,
      }
    );
  }

  /** Changes a meeting and publishes it, with what else the publication should say. */
  async change(room: string, change: Partial<ConferenceView>, more: Partial<Omit<ViewPublished, 'view'>> = {}): Promise<void> {
    const view = this.changed(room, change);
    await this.bus.publish({
      topic: TOPICS.views,
      key: room,
      value: { view, ended: [], attach: [], notices: [], ...more } satisfies ViewPublished,
    });
  }

  async letIn(room: string, leg: LegId): Promise<void> {
    const waiting = this.view(room).waiting.find((other) => other.leg === leg);
    if (!waiting) throw new Error(`${leg} does not wait`);
    await this.change(room, this.withSeat(room, seatOf(waiting, 'guest')), { attach: [{ leg, media: media(leg) }] });
  }

  private changed(room: string, change: Partial<ConferenceView>): ConferenceView {
    const view = { ...this.view(room), ...change, version: { epoch: 1, revision: ++this.revision } };
    this.meetings.set(room, view);
    return view;
  }

  private async answer(command: BrainCommand): Promise<BrainAnswer> {
    if (command.type === 'Join') return this.join(command);
    if (command.type === 'Leave') {
      const view = this.view(command.room);
      await this.change(
        command.room,
        { seats: view.seats.filter(({ leg }) => leg !== command.leg), waiting: view.waiting.filter(({ leg }) => leg !== command.leg) },
        { ended: [{ leg: command.leg, reason: 'left' }] },
      );
    }
    return { type: 'Done' };
  }

  private async join({ room, person, name, role, resume }: Join): Promise<BrainAnswer> {
    if (room === 'locked') throw new Refusal('conference.locked', 'locked');
    if (room === 'full') throw new Refusal('conference.full', 'full');
    const resumed = this.view(room).seats.find(({ leg }) => resume === `${leg}.resume`);
    if (resumed)
      return {
        type: 'Joined',
        leg: resumed.leg,
        conference: room,
        role: resumed.role,
        resume: `${resumed.leg}.resume`,
        media: media(resumed.leg),
        view: this.view(room),
      };
    const leg = legIdOf(NYC, `l${++this.legs}`);
    const coming: Waiting = { leg, person, name, site: NYC, reason: 'host' };
    if (room === 'lobby') {
      await this.change(room, { waiting: [...this.view(room).waiting, coming] });
      return { type: 'Waiting', leg, conference: room, reason: 'host', resume: `${leg}.resume`, view: this.view(room) };
    }
    await this.change(room, this.withSeat(room, seatOf(coming, role)));
    return { type: 'Joined', leg, conference: room, role, resume: `${leg}.resume`, media: media(leg), view: this.view(room) };
  }

  private withSeat(room: string, seat: Seat): Partial<ConferenceView> {
    const { seats, waiting, byRecency } = this.view(room);
    return { seats: [...seats, seat], waiting: waiting.filter(({ leg }) => leg !== seat.leg), byRecency: [...byRecency, seat.leg] };
  }
}

const media = (leg: LegId) => ({ url: 'ws://127.0.0.1:1/media', token: `token-of-${leg}` });
const seatOf = ({ leg, person, name, site }: Waiting, role: Seat['role']): Seat => ({
  leg,
  person,
  name,
  site,
  role,
  muted: false,
  cameraOff: false,
  held: false,
  inReach: true,
});

export interface World {
  readonly gateway: RunningService;
  readonly bus: Bus;
  readonly brain: ScriptedBrain;
  readonly client: (headers?: Record<string, string>) => Promise<Client>;
  close(): Promise<void>;
}

export const gatewayWorld = async (
  options: Partial<GatewayRouterOptions> = {},
  having: { readonly rooms?: readonly Room[] } = {},
): Promise<World> => {
  const usual = await estateOf();
  const estate = having.rooms ? { ...usual, rooms: Object.fromEntries(having.rooms.map((room) => [room.id, room])) } : usual;
  const bus = embeddedBus();
  const brain = new ScriptedBrain(bus, estate);
  await brain.start();
  const gateway = await startGatewayRouter({ site: NYC, siteName: 'New York', listen: { host: '127.0.0.1', port: 0 }, bus, ...options });
  await brain.reportNode();
  const reporting = setInterval(() => void brain.reportNode(), 1_000);
  await vi.waitFor(async () => {
    if ((await fetch(`${gateway.url}/healthz/ready`)).status !== 200) throw new Error('the gateway-router is not ready');
  }, 5_000);
  const clients: Client[] = [];
  return {
    gateway,
    bus,
    brain,
    client: async (headers = {}) => {
      const client = new Client(`${gateway.url.replace('http', 'ws')}/ws`, headers);
      await client.opened;
      clients.push(client);
      return client;
    },
    close: async () => {
      clearInterval(reporting);
      for (const client of clients) client.ws.terminate();
      await gateway.close();
      await bus.close();
    },
  };
};

type Heard<T extends GatewayToClient['type']> = Extract<GatewayToClient, { type: T }>;

/** A client as a browser is one, with everything it was told. */
export class Client {
  readonly ws: WebSocket;
  readonly heard: GatewayToClient[] = [];
  readonly raw: string[] = [];
  readonly opened: Promise<void>;
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
  private id = 0;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.ws = new WebSocket(url, { headers });
    this.ws.on('message', (data: Buffer) => {
      this.raw.push(data.toString());
      this.heard.push(JSON.parse(data.toString()) as GatewayToClient);
    });
    this.opened = new Promise((resolve, reject) => this.ws.once('open', () => resolve()).once('error', reject));
    this.ended = new Promise((resolve) => this.ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  }

  /** Sends a request; answers its id. */
  say(request: object): number {
    this.ws.send(JSON.stringify({ v: 1, id: ++this.id, ...request }));
    return this.id;
  }

  join(alias: string, more: object = {}): number {
    return this.say({ type: 'join', alias, name: 'Ana', client: 'ana', connect: 1, ...more });
  }

  async hears<T extends GatewayToClient['type']>(type: T, where: (message: Heard<T>) => boolean = () => true): Promise<Heard<T>> {
    return vi.waitFor(
      () => {
        const found = this.heard.find((message): message is Heard<T> => message.type === type && where(message as Heard<T>));
        if (!found) throw new Error(`no ${type} among: ${this.raw.join(' ').slice(0, 2_000)}`);
        return found;
      },
      { timeout: 5_000, interval: 5 },
    );
  }

  /** The answer to a request of a given id. */
  async answer(re: number): Promise<GatewayToClient> {
    return vi.waitFor(
      () => {
        const found = this.heard.find((message) => 're' in message && message.re === re);
        if (!found) throw new Error(`no answer to ${re} among: ${this.raw.join(' ').slice(0, 2_000)}`);
        return found;
      },
      { timeout: 8_000, interval: 2 },
    );
  }
}
