import { Brain } from '@isthmus/conference-brain/application';
import type { Estate } from '@isthmus/estate';
import type { Fact, SiteId } from '@isthmus/kernel';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import type { Bus, Message, Timers } from '@isthmus/ports';
import { TOPICS, type BrainAnswer, type BrainCommand, type NodeReport, type SiteReport, type ViewPublished } from '@isthmus/protocol';
import { Disk, never, SimulatedStore, type Boundary } from './disk.js';
import type { Management } from './management.js';
import type { Network } from './network.js';
import { SimulatedPeers } from './peers.js';
import { Random } from './random.js';
import { simulatedSignatures } from './signatures.js';

/** Where the world's clocks would stand if all were right. */
const EPOCH_MS = 1_760_000_000_000;
/** A brain takes a node for silent after 3 s. */
const NODES_REPORT_EVERY_MS = 2_000;

/** A history here is some hundred facts, and a life some minutes. */
const SNAPSHOTS = { everyFacts: 4, lookEveryMs: 600, readBehindAfterMs: 4_000 };

/** Later than all tenures of a disk that was not put back, and earlier than a liar’s. */
const LIFE_AFTER = 1_000;

/** What the world hears from a site. */
export interface SiteEvents {
  view(site: SimulatedSite, published: ViewPublished): void;
  /** The site has heard from management. */
  administered(site: SimulatedSite): void;
  crashed(site: SimulatedSite): void;
  started(site: SimulatedSite): void;
  recorded(site: SimulatedSite, facts: readonly Fact[]): void;
  /** What came of a snapshot; `torn` if its brain died of it. */
  snapshot(site: SimulatedSite, what: string, room: string): void;
  /** A node would not do what it was told, because it takes it for older than what it does. */
  ignored(site: SimulatedSite, desire: NodeDesire): void;
}

/** One site: a disk, a clock of its own, media nodes that only report, and the real brain, which may die at any moment. */
export class SimulatedSite {
  disk = new Disk();
  skewMs = 0;
  drift = 1;
  /** The brain that runs now. */
  brain: Brain | undefined;
  /** Tenures so far. */
  tenure = 0;
  peers: SimulatedPeers | undefined;
  crashes = 0;
  readonly views = new Map<string, ViewPublished['view']>();
  readonly desires = new Map<NodeId, Map<string, NodeDesire>>();
  /** What its gateway-router knows of the estate and of the links; it outlives the brain that told it. */
  estate: Estate | undefined;
  links: SiteReport['links'] = [];
  /** Media nodes and until when each says nothing. */
  readonly nodes = new Map<NodeId, number>();
  /** How likely the brain dies at an append. */
  frailty = 0;
  readonly random: Random;
  /** Of its own, so that a history is the same with snapshots and without, until a brain dies of one. */
  readonly #tearing: Random;
  #store: SimulatedStore | undefined;
  #backup: Disk | undefined;

  constructor(
    readonly id: SiteId,
    seed: number,
    private readonly network: Network,
    private readonly management: Management,
    private readonly events: SiteEvents,
    private readonly peersAt: (site: SiteId) => SimulatedPeers | undefined,
  ) {
    this.random = new Random(seed, `site ${id}`);
    this.#tearing = new Random(seed, `snapshots of ${id}`);
    for (let n = this.random.between(1, 2); n > 0; n--) this.nodes.set(`${id}-${n}` as NodeId, 0);
    network.schedule.every(NODES_REPORT_EVERY_MS, () => this.#nodesReport());
  }

  async start(): Promise<void> {
    const tenure = ++this.tenure;
    const alive = () => this.tenure === tenure;
    const { schedule } = this.network;
    this.#store = new SimulatedStore(this.disk, {
      schedule,
      random: this.random,
      dies: () => this.#boundary(),
      die: () => alive() && this.crash(),
      tears: () => this.#tears(),
      recorded: (facts) => this.events.recorded(this, facts),
    });
    const store = this.#store;
    const peers = new SimulatedPeers(this.id, this.network, this.peersAt);
    this.peers = peers;
    const timers: Timers = {
      after: (ms, work) => schedule.after(ms / this.drift, () => alive() && work()),
      every: (ms, work) => schedule.every(ms / this.drift, () => alive() && work()),
    };
    const bus: Bus = {
      publish: (message) => {
        if (alive()) this.#published(message);
        return Promise.resolve();
      },
      request: never,
      subscribe: never,
      close: () => Promise.resolve(),
    };
    const epoch = await store.beginEpoch();
    if (!alive()) return;
    const brain = new Brain(
      {
        site: this.id,
        bus,
        store,
        peers,
        timers,
        chance: this.random,
        clock: { now: () => this.wallMs(), monotonic: () => schedule.nowMs * this.drift },
        signatures: simulatedSignatures(this.id, tenure),
        snapshots: { ...SNAPSHOTS, heard: (what, room) => this.events.snapshot(this, what, room) },
        followEstate: (after, _applied, signal, word) => this.management.follow(this.id, after, alive, signal, word),
      },
      epoch,
    );
    await brain.start();
    if (!alive()) return;
    await brain.open();
    if (!alive()) return;
    this.brain = brain;
    this.#nodesReport();
    this.events.started(this);
  }

  /** What this site takes for the time. */
  wallMs(): number {
    return Math.floor(EPOCH_MS + this.network.schedule.nowMs * this.drift + this.skewMs);
  }

  /** Whether it is to end, as its gateway-router knows. */
  get isDraining(): boolean {
    return this.estate?.sites[this.id]?.draining === true;
  }

  /** Asks the brain as the gateway-router does. Whoever asks a brain that dies meanwhile never hears from it. */
  async ask(command: BrainCommand): Promise<BrainAnswer> {
    const { brain, tenure } = this;
    if (brain === undefined) return never();
    try {
      const answer = await brain.handle(command);
      return this.tenure === tenure ? answer : await never();
    } catch (error) {
      if (this.tenure !== tenure) return never();
      throw error;
    }
  }

  crash(): void {
    if (this.#store === undefined) return;
    this.tenure += 1;
    this.crashes += 1;
    this.#store.kill();
    this.#store = undefined;
    this.peers?.kill();
    this.brain = undefined;
    // What the last tenure said counts until the next one speaks; gateway-routers look at nothing older.
    this.views.clear();
    this.events.crashed(this);
  }

  backUp(): void {
    this.#backup = this.disk.copy();
  }

  /** The disk is as it was when the backup was made, and begins a life of its own; so do the nodes. @returns what the disk no longer holds. */
  restore(): readonly string[] {
    const backup = this.#backup;
    if (backup === undefined) return [];
    const before = this.disk;
    this.disk = backup.copy();
    this.desires.clear();
    this.disk.beginLife(LIFE_AFTER + before.epoch);
    return [...before.facts.keys()].filter((hash) => !this.disk.facts.has(hash));
  }

  get hasBackup(): boolean {
    return this.#backup !== undefined;
  }

  #tears(): number | undefined {
    if (this.frailty === 0 || !this.#tearing.happens(this.frailty)) return undefined;
    this.events.snapshot(this, 'torn', '');
    return this.#tearing.pick([0, 0.3, 0.999, 1]);
  }

  #boundary(): Boundary | undefined {
    if (this.frailty === 0 || !this.random.happens(this.frailty)) return undefined;
    return this.random.pick(['before append', 'after append', 'after acknowledgement'] as const);
  }

  #published({ topic, key, value }: Message): void {
    if (topic === TOPICS.views) {
      const published = value as ViewPublished;
      this.views.set(published.view.room, published.view);
      this.events.view(this, published);
    } else if (topic === TOPICS.estate) {
      this.estate = value as Estate;
      this.events.administered(this);
    } else if (topic === TOPICS.sites) {
      this.links = (value as SiteReport).links;
    } else if (topic === TOPICS.desires) {
      const desire = value as NodeDesire;
      const wanted = this.desires.get(key as NodeId) ?? new Map<string, NodeDesire>();
      this.desires.set(key as NodeId, wanted);
      const known = wanted.get(desire.conference);
      if (known === undefined || !isOlder(desire, known)) wanted.set(desire.conference, desire);
      else this.events.ignored(this, desire);
    }
  }

  #nodesReport(): void {
    const { nowMs } = this.network.schedule;
    for (const [node, silentUntilMs] of this.nodes) {
      if (silentUntilMs > nowMs) continue;
      const legs = [...(this.desires.get(node)?.values() ?? [])].reduce((sum, desire) => sum + desire.legs.length, 0);
      this.brain?.nodeReported(reportOf(this.id, node, legs, nowMs));
    }
  }
}

const isOlder = ({ version: a }: NodeDesire, { version: b }: NodeDesire): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.revision < b.revision);

const reportOf = (site: SiteId, node: NodeId, legs: number, at: number): NodeReport => ({
  node,
  site,
  clientUrl: `ws://${node}/media`,
  linkUrl: `wss://${node}`,
  rtpCapabilities: {},
  capacity: 40,
  legs,
  cpu: 0,
  draining: false,
  pipes: [],
  at,
});
