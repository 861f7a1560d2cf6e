import type { SiteId } from '@isthmus/kernel';
import type { Cancel } from '@isthmus/ports';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';

/** Silence that ends a connection at whoever hears nothing. */
const SILENCE_MS = 1_500;

/** One end of a connection, as whoever holds it sees it. */
export interface End {
  readonly open: boolean;
  send(message: unknown): void;
  close(): void;
  onMessage: (message: never) => void;
  onClose: () => void;
}

/** The ways between sites. Each has two directions, which may fail apart; what is sent on a connection arrives in order or not at all. */
export class Network {
  readonly #cut = new Map<string, number>();
  readonly #connections = new Set<Connection>();
  readonly #baseMs = new Map<string, number>();
  /** Since when there has been no way at all between two sites, not even through others. */
  readonly #apart = new Map<string, number>();

  constructor(
    readonly schedule: Schedule,
    readonly random: Random,
    private readonly sites: readonly SiteId[],
  ) {}

  /** For how long there has been no way between two sites. */
  apartForMs(one: SiteId, other: SiteId): number {
    const since = this.#apart.get(`${one}>${other}`);
    return since === undefined ? 0 : this.schedule.nowMs - since;
  }

  isOpen(from: SiteId, to: SiteId): boolean {
    return !this.#cut.has(`${from}>${to}`);
  }

  /** Both directions. */
  isClear(one: SiteId, other: SiteId): boolean {
    return this.isOpen(one, other) && this.isOpen(other, one);
  }

  cut(from: SiteId, to: SiteId): void {
    const way = `${from}>${to}`;
    if (this.#cut.has(way)) return;
    const since = this.schedule.nowMs;
    this.#cut.set(way, since);
    this.#findApart();
    // Whoever hears nothing for so long gives up; the other end hears of that, if there is still a way to it.
    this.schedule.after(SILENCE_MS + this.random.between(0, 500), () => {
      if (this.#cut.get(way) !== since) return;
      for (const connection of [...this.#connections]) if (connection.joins(from, to)) connection.giveUp(to);
    });
  }

  heal(from: SiteId, to: SiteId): void {
    if (!this.#cut.delete(`${from}>${to}`)) return;
    this.#findApart();
    for (const connection of this.#connections) if (connection.joins(from, to)) connection.pump(from);
  }

  /** Sites that hear each other both ways, directly or through others. */
  components(): readonly (readonly SiteId[])[] {
    const found: SiteId[][] = [];
    for (const site of this.sites) {
      if (found.some((component) => component.includes(site))) continue;
      const component = [site];
      for (const one of component)
        for (const other of this.sites) if (!component.includes(other) && this.isClear(one, other)) component.push(other);
      found.push(component);
    }
    return found;
  }

  #findApart(): void {
    const components = this.components();
    for (const component of components)
      for (const one of component)
        for (const other of this.sites) {
          const pair = `${one}>${other}`;
          if (component.includes(other)) this.#apart.delete(pair);
          else if (!this.#apart.has(pair)) this.#apart.set(pair, this.schedule.nowMs);
        }
  }

  delayMs(from: SiteId, to: SiteId): number {
    const pair = from < to ? `${from}>${to}` : `${to}>${from}`;
    let base = this.#baseMs.get(pair);
    if (base === undefined) this.#baseMs.set(pair, (base = this.random.pick([1, 5, 20, 40, 80, 150])));
    return base + this.random.between(0, Math.ceil(base / 3));
  }

  connect(dialler: SiteId, dialled: SiteId): { readonly near: End; readonly far: End } {
    const connection = new Connection(this, dialler, dialled, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    return { near: connection.endAt(dialler), far: connection.endAt(dialled) };
  }

  /** A process is gone: its machine tells whoever was connected to it, where there is a way. */
  hangUp(site: SiteId): void {
    for (const connection of [...this.#connections]) connection.giveUp(site);
  }
}

interface Lane {
  readonly to: SiteId;
  readonly queue: { readonly message: unknown; readonly dueMs: number }[];
  timer: Cancel | undefined;
}

const GOODBYE = Symbol('goodbye');

class Connection {
  readonly #ends: ReadonlyMap<SiteId, SimulatedEnd>;
  readonly #lanes: ReadonlyMap<SiteId, Lane>;

  constructor(
    private readonly network: Network,
    one: SiteId,
    other: SiteId,
    private readonly ended: () => void,
  ) {
    this.#ends = new Map([one, other].map((site) => [site, new SimulatedEnd(this, site)]));
    this.#lanes = new Map([
      [one, { to: other, queue: [], timer: undefined }],
      [other, { to: one, queue: [], timer: undefined }],
    ]);
  }

  endAt(site: SiteId): SimulatedEnd {
    return this.#ends.get(site)!;
  }

  joins(one: SiteId, other: SiteId): boolean {
    return this.#ends.has(one) && this.#ends.has(other);
  }

  send(from: SiteId, message: unknown): void {
    const lane = this.#lanes.get(from)!;
    const { schedule } = this.network;
    const before = lane.queue.at(-1)?.dueMs ?? 0;
    lane.queue.push({ message, dueMs: Math.max(before, schedule.nowMs + this.network.delayMs(from, lane.to)) });
    this.pump(from);
  }

  /** The site at this end lets go of it, whatever the other end knows. */
  giveUp(site: SiteId): void {
    const end = this.#ends.get(site);
    if (end === undefined || !end.open) return;
    this.send(site, GOODBYE);
    end.end();
    if ([...this.#ends.values()].every(({ open }) => !open)) this.ended();
  }

  /** Delivers what is due; what cannot get through waits. */
  pump(from: SiteId): void {
    const lane = this.#lanes.get(from)!;
    if (lane.timer !== undefined || lane.queue.length === 0) return;
    const { schedule } = this.network;
    lane.timer = schedule.after(lane.queue[0]!.dueMs - schedule.nowMs, () => {
      lane.timer = undefined;
      const receiver = this.#ends.get(lane.to)!;
      if (!receiver.open) {
        lane.queue.length = 0;
        return;
      }
      if (!this.network.isOpen(from, lane.to)) return;
      const { message } = lane.queue.shift()!;
      if (message === GOODBYE) this.giveUp(lane.to);
      else receiver.onMessage(message as never);
      this.pump(from);
    });
  }
}

class SimulatedEnd implements End {
  open = true;
  onMessage: (message: never) => void = () => undefined;
  onClose: () => void = () => undefined;

  constructor(
    private readonly connection: Connection,
    private readonly site: SiteId,
  ) {}

  send(message: unknown): void {
    if (this.open) this.connection.send(this.site, message);
  }

  close(): void {
    this.connection.giveUp(this.site);
  }

  end(): void {
    this.open = false;
    this.onClose();
  }
}
