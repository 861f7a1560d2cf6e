import { createHash, timingSafeEqual } from 'node:crypto';
import type { LegId } from '@isthmus/conference';
import { Fault, IsthmusError, Refusal, type SiteId } from '@isthmus/kernel';
import type { MediaEngine } from '@isthmus/media-mediasoup';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import { nodeDesire, type MediaEvent, type MediaLinkMessage, type MediaToClient, type NodeReport, type Opaque } from '@isthmus/protocol';
import { ConferenceMedia, isNewer, type ConferenceMessage } from './conference-media.js';
import type { Attached, ClientMedia, Seat } from './seat.js';

type ConferenceId = NodeDesire['conference'];
type Neighbour = NodeDesire['pipes'][number]['to'];

export interface MediaNodeOptions {
  readonly site: SiteId;
  readonly node: NodeId;
  readonly startEngine: () => Promise<MediaEngine>;
  readonly publish: (event: MediaEvent) => void;
  /** To another node, over the media link; lost while it is down. */
  readonly send: (to: Neighbour, message: MediaLinkMessage) => void;
  /** The nodes that this one must be linked with now. */
  readonly neighbours: (all: readonly Neighbour[]) => void;
  readonly translate: (host: string) => string;
  readonly log: { warn(fields: object, text: string): void; error(fields: object, text: string): void };
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** A client may be here before the desire that names its leg: they come by different ways. ms */
const DESIRE_WITHIN_MS = 2_000;
/** A worker that dies this often in a minute would die again; then it gets a rest. */
const ENGINE_DEATHS_MAX = 5;
/** Versions of conferences that ended, so that a late desire does not bring one back. */
const ENDED_MAX = 1_000;
const HELD_MAX = 1_000;

/** One seat, as the connection that attached it holds it. */
export interface Holding {
  readonly conference: ConferenceMedia;
  readonly seat: Seat;
  readonly attached: Attached;
}

/**
 * Everything that runs on one node: its engine and its conferences. Takes desires, finds the conference for a client that
 * attaches and for a message of another node, and builds everything up again when the engine dies.
 */
export class MediaNode {
  /** The newest tenure of the site's brain that was heard of: what an older one says, which does not know that it was taken over, is not heeded. */
  private epoch = 0;
  private readonly desires = new Map<ConferenceId, NodeDesire>();
  private readonly ended = new Map<ConferenceId, NodeDesire['version']>();
  private readonly conferences = new Map<ConferenceId, ConferenceMedia>();
  private readonly placed = new Map<LegId, NodeDesire>();
  private readonly awaiting = new Map<LegId, Set<() => void>>();
  private readonly held = new Map<string, { readonly from: NodeId; readonly message: ConferenceMessage }>();
  /** Nodes that say when a voice begins, for as long as they are linked with us. */
  private readonly onsetsOf = new Set<NodeId>();
  private work: Promise<void> = Promise.resolve();
  private deaths: number[] = [];
  private cpu = { readAt: 0, ms: 0, share: 0 };
  private draining = false;
  /** To be emptied: nobody new comes here, and who is here is given another node. */
  private leaving = false;

  private constructor(
    private readonly options: MediaNodeOptions,
    private engine: MediaEngine,
  ) {}

  static async start(options: MediaNodeOptions): Promise<MediaNode> {
    const node = new MediaNode(options, await options.startEngine());
    node.watch(node.engine);
    return node;
  }

  /** Undefined: fine. A sentence: what is missing. */
  missing(): string | undefined {
    return this.engine.closed ? 'the media engine is not running' : undefined;
  }

  get rtpCapabilities(): Opaque {
    return this.engine.rtpCapabilities;
  }

  /** What should be. Not ours, malformed or older than what is known: not heeded. */
  desire(value: unknown): void {
    if ((value as { node?: unknown } | null)?.node !== this.options.node) return;
    const parsed = nodeDesire.safeParse(value);
    if (!parsed.success) return this.options.log.error({ issues: parsed.error.issues.slice(0, 3) }, 'a desire was not understood');
    const { shared = false, ...desire } = parsed.data;
    const id = desire.conference;
    if (!shared && desire.version.epoch < this.epoch) return;
    if (!shared) this.epoch = desire.version.epoch;
    const known = this.desires.get(id)?.version ?? this.ended.get(id);
    if (known && !isNewer(desire.version, known)) return;
    if (desire.legs.length === 0 && desire.pipes.length === 0) this.end(id, desire.version);
    else this.desires.set(id, desire);
    this.index();
    void this.inTurn(() => this.follow(id));
  }

  /** Seats a client that shows the leg's token. */
  async attach(leg: LegId, token: string, client: ClientMedia, tell: (message: MediaToClient) => void): Promise<Holding> {
    const desire = await this.desireFor(leg);
    const expected = desire?.legs.find((each) => each.leg === leg)?.tokenHash;
    // The same words for both: which legs exist is nobody's business.
    if (!desire || !expected || !sameToken(token, expected))
      throw new Refusal('media.refused', 'There is no seat here for this leg and token.');
    await this.work;
    const conference = this.conferences.get(desire.conference);
    if (!conference) throw new Fault('media.engine-lost', 'The media engine is starting again; attach again in a moment.');
    return { conference, ...(await conference.attach(leg, client, tell)) };
  }

  /** From another node that the media link has made sure of. */
  linkMessage(from: NodeId, message: ConferenceMessage): void {
    if (this.conferences.get(message.conference)?.message(from, message)) return;
    // It may be known there before it is here; the last of each kind is kept until then.
    if (message.type === 'pipe-gone' || message.type === 'onset') return;
    if (this.held.size >= HELD_MAX) this.held.clear();
    this.held.set(`${from}/${message.conference}/${message.type}`, { from, message });
  }

  linkUp(to: NodeId, { onsets }: { readonly onsets: boolean }): void {
    if (onsets) this.onsetsOf.add(to);
    else this.onsetsOf.delete(to);
    for (const conference of this.conferences.values()) conference.linkUp(to);
  }

  /** What it would have to say does not come any longer. */
  linkDown(to: NodeId): void {
    this.onsetsOf.delete(to);
  }

  tick(): void {
    // Reviving may have failed; a second later is another chance.
    if (this.engine.closed && !this.draining) void this.inTurn(() => this.revive());
    for (const conference of this.conferences.values()) conference.tick();
  }

  /** The media part of a report. */
  async report(): Promise<Pick<NodeReport, 'rtpCapabilities' | 'legs' | 'cpu' | 'draining' | 'holds' | 'pipes'>> {
    const conferences = [...this.conferences.values()];
    const [pipes] = await Promise.all([Promise.all(conferences.map((conference) => conference.pipeReports())), this.readCpu()]);
    const legs = conferences.reduce((sum, { attached }) => sum + attached, 0);
    // While the engine rests because it keeps dying, its people are better off elsewhere.
    const draining = this.draining || this.leaving || (this.engine.closed && this.deaths.length >= ENGINE_DEATHS_MAX);
    const holds = conferences.map(({ id, legsAttached, epoch }) => ({ conference: id, legs: [...legsAttached], epoch }));
    return { rtpCapabilities: this.rtpCapabilities, legs, cpu: this.cpu.share, draining, holds, pipes: pipes.flat() };
  }

  /** Asks, with the next report, that everybody be moved to other nodes; media go on meanwhile. */
  leave(): void {
    this.leaving = true;
  }

  /** Tells everyone to go elsewhere. Quiet the second time. */
  async close(): Promise<void> {
    this.draining = true;
    await this.inTurn(async () => {
      this.desires.clear();
      for (const conference of this.conferences.values()) conference.close('node-lost');
      this.conferences.clear();
      this.engine.close();
    });
  }

  /** Brings the conference in line with the latest desire, and not with those that it has overtaken. */
  private async follow(id: ConferenceId): Promise<void> {
    const desire = this.desires.get(id);
    const running = this.conferences.get(id);
    if (!desire) {
      this.conferences.delete(id);
      running?.close('ended');
      return;
    }
    if (running) running.wants(desire);
    else await this.open(desire);
    this.deliverHeld(id);
  }

  private async open(desire: NodeDesire): Promise<void> {
    const { site, node, publish, send, translate, log, now } = this.options;
    const room = await this.engine.room();
    const conference = await ConferenceMedia.open({
      site,
      node,
      room,
      desire,
      publish,
      send,
      saysOnsets: (other) => this.onsetsOf.has(other),
      translate,
      failed: (what, error) => {
        log.warn({ conference: desire.conference, error }, `${what} failed`);
        const code = error instanceof IsthmusError ? String(error.code) : 'media.failed';
        publish({ type: 'Trouble', conference: desire.conference, node, code, message: `${what} failed; it is tried again.` });
      },
      now,
    });
    this.conferences.set(desire.conference, conference);
  }

  private deliverHeld(id: ConferenceId): void {
    for (const [key, { from, message }] of [...this.held]) {
      if (message.conference === id && this.conferences.get(id)?.message(from, message)) this.held.delete(key);
    }
  }

  private end(id: ConferenceId, version: NodeDesire['version']): void {
    this.desires.delete(id);
    this.ended.set(id, version);
    const [oldest] = this.ended.keys();
    if (this.ended.size > ENDED_MAX && oldest !== undefined) this.ended.delete(oldest);
  }

  /** Which conference a leg is in, and who waits to hear that. */
  private index(): void {
    this.placed.clear();
    const neighbours = new Map<NodeId, Neighbour>();
    for (const desire of this.desires.values()) {
      for (const { leg } of desire.legs) this.placed.set(leg, desire);
      for (const { to } of desire.pipes) neighbours.set(to.node, to);
    }
    this.options.neighbours([...neighbours.values()]);
    for (const leg of [...this.awaiting.keys()].filter((each) => this.placed.has(each))) {
      const waiting = this.awaiting.get(leg) ?? [];
      this.awaiting.delete(leg);
      for (const heard of waiting) heard();
    }
  }

  private async desireFor(leg: LegId): Promise<NodeDesire | undefined> {
    if (!this.placed.has(leg)) {
      await new Promise<void>((resolve) => {
        const waiting = this.awaiting.get(leg) ?? new Set();
        this.awaiting.set(leg, waiting);
        const settle = () => {
          clearTimeout(timer);
          waiting.delete(settle);
          if (waiting.size === 0 && this.awaiting.get(leg) === waiting) this.awaiting.delete(leg);
          resolve();
        };
        const timer = setTimeout(settle, DESIRE_WITHIN_MS);
        waiting.add(settle);
      });
    }
    return this.placed.get(leg);
  }

  private watch(engine: MediaEngine): void {
    engine.onDied((reason) => {
      if (this.draining) return;
      const { node, publish, log } = this.options;
      log.error({ reason }, 'the media engine died; starting it again');
      const message = 'The media engine of the node died and is being started again.';
      for (const [id, conference] of this.conferences) {
        publish({ type: 'Trouble', conference: id, node, code: 'media.engine-lost', message });
        conference.close('node-lost');
      }
      this.conferences.clear();
      void this.inTurn(() => this.revive());
    });
  }

  private async revive(): Promise<void> {
    const { now, startEngine, log } = this.options;
    if (!this.engine.closed || this.draining) return;
    this.deaths = this.deaths.filter((at) => now() - at < 60_000);
    if (this.deaths.length >= ENGINE_DEATHS_MAX) return;
    this.deaths.push(now());
    if (this.deaths.length === ENGINE_DEATHS_MAX)
      log.error({ deaths: this.deaths.length }, 'the media engine keeps dying; waiting a minute');
    this.engine = await startEngine();
    this.cpu = { readAt: 0, ms: 0, share: 0 };
    this.watch(this.engine);
    for (const id of this.desires.keys()) await this.follow(id);
  }

  /** Share of one core that the worker used since the last report. */
  private async readCpu(): Promise<void> {
    const ms = await this.engine.cpuMs().catch(() => 0);
    const readAt = this.options.now();
    const elapsed = readAt - this.cpu.readAt;
    const share = this.cpu.readAt === 0 || elapsed <= 0 ? 0 : Math.max(0, (ms - this.cpu.ms) / elapsed);
    this.cpu = { readAt, ms, share: Math.round(share * 1_000) / 1_000 };
  }

  private inTurn(act: () => Promise<void>): Promise<void> {
    this.work = this.work.then(act).catch((error: unknown) => this.options.log.error({ error }, 'following a desire failed'));
    return this.work;
  }
}

const sameToken = (token: string, expectedHash: string): boolean =>
  timingSafeEqual(createHash('sha256').update(token).digest(), Buffer.from(expectedHash, 'hex'));
