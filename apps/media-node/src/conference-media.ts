import type { LegId } from '@isthmus/conference';
import { siteOfLeg } from '@isthmus/conference';
import { Refusal, type SiteId } from '@isthmus/kernel';
import type { MediaRoom } from '@isthmus/media-mediasoup';
import type { LegDesire, NodeDesire, NodeId } from '@isthmus/placement';
import type { MediaEvent, MediaLinkMessage, MediaToClient, NodeReport } from '@isthmus/protocol';
import { crowdedOut } from './crowd.js';
import type { OfferedVoice } from './offers.js';
import { isTold, whomToTell, type SaysOnsets } from './onsets.js';
import { Pipe } from './pipe.js';
import { Seat, type Attached, type ClientMedia } from './seat.js';
import { Streams, type Arriving } from './streams.js';
import { Voices } from './voice.js';

export interface ConferenceOptions {
  readonly site: SiteId;
  readonly node: NodeId;
  readonly room: MediaRoom;
  readonly desire: NodeDesire;
  readonly publish: (event: MediaEvent) => void;
  readonly send: (to: NodeDesire['pipes'][number]['to'], message: MediaLinkMessage) => void;
  readonly saysOnsets: SaysOnsets;
  readonly translate: (host: string) => string;
  readonly failed: (what: string, error: unknown) => void;
  readonly now: () => number;
}

export type ConferenceMessage = Extract<MediaLinkMessage, { type: 'pipe' | 'pipe-gone' | 'streams' | 'onset' }>;
type PipeReport = NodeReport['pipes'][number];

/** While somebody gets another layer than it should, look again this soon. ms */
const UNSETTLED_AGAIN_MS = 200;

/**
 * One conference on this node. Holds what is desired of it and what runs, and brings the second in line with the first
 * whenever either changes, and once a second in case something was missed.
 */
export class ConferenceMedia {
  private readonly seats = new Map<LegId, Seat>();
  private readonly pipes = new Map<NodeId, Pipe>();
  private readonly streams = new Streams((arriving) => this.streamChanged(arriving));
  private legs = new Map<LegId, LegDesire>();
  private running: Promise<void> | undefined;
  private again = false;
  private closed = false;
  private lookAgain: NodeJS.Timeout | undefined;

  private constructor(
    private readonly options: ConferenceOptions,
    private desire: NodeDesire,
  ) {
    this.legs = legsOf(desire);
  }

  private voices: Voices | undefined;

  static async open(options: ConferenceOptions): Promise<ConferenceMedia> {
    const conference = new ConferenceMedia(options, options.desire);
    conference.voices = await Voices.over(
      options.room,
      {
        onset: (leg) => conference.onset(leg),
        speaking: (legs) => conference.speaking(legs),
        floor: (leg) => conference.floor(leg),
        failed: (error) => options.failed('voices', error),
        isTold: (arriving) => isTold(arriving, options.site, options.saysOnsets),
      },
      options.now,
    );
    conference.ensurePipes();
    conference.reconcile();
    return conference;
  }

  get id(): NodeDesire['conference'] {
    return this.desire.conference;
  }

  get attached(): number {
    return this.seats.size;
  }

  /** Of the brain that last wanted it. */
  get epoch(): number {
    return this.desire.version.epoch;
  }

  get legsAttached(): readonly LegId[] {
    return [...this.seats.keys()];
  }

  /** The desire as it is now; an older one is not heeded. */
  wants(desire: NodeDesire): void {
    if (!isNewer(desire.version, this.desire.version)) return;
    this.desire = desire;
    this.legs = legsOf(desire);
    this.ensurePipes();
    this.reconcile();
  }

  /** Who this node was told to seat. */
  legDesire(leg: LegId): LegDesire {
    const desire = this.legs.get(leg);
    if (!desire) throw new Refusal('media.unknown-leg', 'This node has no such seat (any longer).');
    return desire;
  }

  /** Seats a leg's client; one that was attached before it makes room. */
  async attach(
    leg: LegId,
    client: ClientMedia,
    tell: (message: MediaToClient) => void,
  ): Promise<{ readonly seat: Seat; readonly attached: Attached }> {
    const { room, now } = this.options;
    const seat = await Seat.open({ leg, room, streams: this.streams, client, tell, now });
    try {
      const attached = await seat.begin(this.legDesire(leg));
      this.seats.get(leg)?.close('replaced');
      this.seats.set(leg, seat);
      this.options.publish({ type: 'Attached', conference: this.id, leg, node: this.options.node });
      this.reconcile();
      return { seat, attached };
    } catch (error) {
      seat.close();
      throw error;
    }
  }

  /** The client's connection is gone. */
  detach(leg: LegId, seat: Seat): void {
    seat.close();
    if (this.seats.get(leg) !== seat) return;
    this.seats.delete(leg);
    this.options.publish({ type: 'Detached', conference: this.id, leg, node: this.options.node });
  }

  /** From the other end of a pipe. False if no pipe to that node is desired (yet). */
  message(from: NodeId, message: ConferenceMessage): boolean {
    const pipe = this.pipes.get(from);
    if (!pipe) return false;
    if (message.type === 'onset') this.voices?.told(from, message);
    else void pipe.message(message);
    return true;
  }

  linkUp(to: NodeId): void {
    void this.pipes.get(to)?.linkUp();
  }

  /** Once a second. */
  tick(): void {
    this.voices?.tick();
    for (const pipe of this.pipes.values()) void pipe.correct();
    this.reconcile();
  }

  async pipeReports(): Promise<readonly PipeReport[]> {
    return Promise.all(
      this.desire.pipes.flatMap(({ to }) => {
        const pipe = this.pipes.get(to.node);
        if (!pipe) return [];
        const report = async (): Promise<PipeReport> => ({
          conference: this.id,
          toSite: to.site,
          toNode: to.node,
          ...(await pipe.traffic()),
          ...pipe.open,
        });
        return [report()];
      }),
    );
  }

  /** Quiet the second time. */
  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.lookAgain);
    for (const seat of this.seats.values()) seat.close(reason);
    for (const pipe of this.pipes.values()) pipe.close();
    this.voices?.close();
    this.options.room.close();
  }

  /** Starts bringing what runs in line; while it is at it, one more round is remembered, not more. */
  private reconcile(): void {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = this.rounds().finally(() => (this.running = undefined));
  }

  private async rounds(): Promise<void> {
    do {
      this.again = false;
      const unsettled = await this.round();
      if (unsettled) this.reconcileSoon();
    } while (this.again && !this.closed);
  }

  private async round(): Promise<boolean> {
    this.letGo();
    const [, ...unsettled] = await Promise.all([
      this.reconcilePipes(),
      ...[...this.seats].map(async ([leg, seat]) => {
        const desire = this.legs.get(leg);
        return desire !== undefined && (await seat.reconcile(desire).catch((error: unknown) => this.unsettledBy(`seat ${leg}`, error)));
      }),
    ]);
    return unsettled.some(Boolean);
  }

  /** Seats and pipes that are not desired any more. */
  private letGo(): void {
    for (const [leg, seat] of this.seats) {
      if (this.legs.has(leg)) continue;
      this.seats.delete(leg);
      seat.close('moved');
      this.options.publish({ type: 'Detached', conference: this.id, leg, node: this.options.node });
    }
    const desired = new Set(this.desire.pipes.map(({ to }) => to.node));
    for (const [to, pipe] of this.pipes) {
      if (desired.has(to)) continue;
      this.pipes.delete(to);
      pipe.close();
    }
  }

  /** Begins a pipe to each node that is desired; what then goes through it is for {@link reconcile}. */
  private ensurePipes(): void {
    const { room, site, node, send, translate, now, failed } = this.options;
    for (const { to } of this.desire.pipes) {
      if (this.pipes.has(to.node)) continue;
      const pipe = new Pipe({
        room,
        site,
        self: node,
        to,
        conference: this.id,
        streams: this.streams,
        send: (message) => send(to, message),
        translate,
        hushed: (offered) => this.hushed(offered),
        spoke: (streamId) => this.voices?.spoke(streamId) ?? true,
        failed: (error) => failed(`pipe to ${to.node}`, error),
        now,
      });
      this.pipes.set(to.node, pipe);
    }
  }

  private async reconcilePipes(): Promise<void> {
    await Promise.all(this.desire.pipes.map(async ({ to, sends }) => this.pipes.get(to.node)?.reconcile(sends)));
  }

  /** Voices that a pipe should not carry now: those crowded out by louder ones, and microphones that send nothing but silence. */
  private hushed(offered: readonly OfferedVoice[]): ReadonlySet<LegId> {
    const { voices } = this;
    if (!voices) return new Set();
    const [speaking, silent] = [offered.filter(({ leg }) => voices.speaks(leg)), offered.filter(({ leg }) => !voices.speaks(leg))];
    const hushed = new Set(crowdedOut(speaking.map(({ leg, carried }) => ({ leg, carried, level: voices.levelOf(leg) }))));
    for (const { leg } of silent) if (voices.chatty(leg)) hushed.add(leg);
    return hushed;
  }

  private streamChanged(arriving: Arriving): void {
    if (this.closed) return;
    if (arriving.source === 'microphone' && !arriving.stream.closed) {
      this.voices?.add(arriving).catch((error: unknown) => this.options.failed('voices', error));
    }
    this.reconcile();
  }

  private onset(leg: LegId): void {
    const desire = this.legs.get(leg);
    if (desire) this.seats.get(leg)?.warm(desire);
    this.tellOnset(leg);
    if (this.voices?.chatty(leg)) this.reconcile();
  }

  private tellOnset(leg: LegId): void {
    const { voices, options } = this;
    const from = this.streams.get(leg, 'microphone')?.from;
    const level = voices?.levelOf(leg) ?? -127;
    for (const to of whomToTell(leg, from, this.desire.pipes, options.saysOnsets))
      options.send(to, { type: 'onset', conference: this.id, leg, level });
  }

  private speaking(legs: readonly LegId[]): void {
    for (const seat of this.seats.values()) seat.tell({ type: 'speaking', legs });
    this.reconcile();
  }

  private floor(leg: LegId): void {
    if (!this.desire.intermediary || siteOfLeg(leg) !== this.options.site) return;
    this.options.publish({ type: 'Spoke', conference: this.id, leg, node: this.options.node });
  }

  private reconcileSoon(): void {
    clearTimeout(this.lookAgain);
    this.lookAgain = setTimeout(() => this.reconcile(), UNSETTLED_AGAIN_MS);
  }

  private unsettledBy(what: string, error: unknown): boolean {
    if (!this.closed) this.options.failed(what, error);
    return false;
  }
}

const legsOf = (desire: NodeDesire): Map<LegId, LegDesire> => new Map(desire.legs.map((leg) => [leg.leg, leg]));

/** A later epoch, then a later revision. */
export const isNewer = (a: NodeDesire['version'], b: NodeDesire['version']): boolean =>
  a.epoch !== b.epoch ? a.epoch > b.epoch : a.revision > b.revision;
