import { randomUUID } from 'node:crypto';
import type { LegId, PersonId, Stage } from '@isthmus/conference';
import { Fault } from '@isthmus/kernel';
import { gatewayOfWay, type Act, type MeetingView, type MoveOffer, type RosterEntry } from '@isthmus/protocol';
import type { CameraSender, Sent } from './camera.js';
import { clipOf, type Clip } from './clips.js';
import { learn } from './hearing.js';
import { MediaKeeper } from './media-keeper.js';
import { MediaSession, type Received, type SessionOptions } from './media-session.js';
import { monotonicMs } from './metronome.js';
import type { MicrophoneSender } from './microphone.js';
import { moveTo, sendersOf, type Senders } from './moving.js';
import { personaOf, type Persona } from './persona.js';
import type { ReceiveMode } from './reception.js';
import { Seat, type MediaPlace, type SeatOptions } from './seat.js';
import { differences, sightOf, type Heard, type Sight } from './sight.js';

/**
 * A participant without a browser: joins over the same signalling, sends real simulcast video and speech over real WebRTC,
 * and measures what it receives. It follows orders of the node (layers, key frames) and of the meeting (mute, camera off),
 * comes back when it is thrown out by a fault, and knows at any time what is missing between what it should see and does.
 */
export interface BotOptions {
  readonly gatewayUrl: string;
  readonly alias: string;
  readonly name?: string;
  readonly pin?: string;
  readonly persona?: Persona;
  /** Bit rate of the large layer, kbit/s; thumbnails get a fifteenth of it. */
  readonly hdKbps?: number;
  /** `everything` (default) opens every packet; `count` reads clear headers and opens four packets a second per stream. */
  readonly receive?: ReceiveMode;
  /** Same person as before: see merge rule 10. */
  readonly client?: string;
  readonly connect?: number;
  readonly muted?: boolean;
  readonly cameraOff?: boolean;
  readonly traceparent?: string;
  /** Certificate authority (PEM) of a site that serves HTTPS with its own certificate. */
  readonly authority?: string;
  /** Source address of media. */
  readonly localAddress?: string;
  readonly onWaiting?: (reason: 'host' | 'lock') => void;
  readonly onView?: (view: MeetingView) => void;
  readonly onNotice?: (code: string, message: string) => void;
  readonly onEnded?: (reason: string) => void;
}

/** One stage this bot was told to show, and when the pictures agreed with it. Times in ms since 1970. */
export interface StageRecord extends Stage {
  readonly toldAt: number;
  shownAt: number | null;
}

const WATCH_EVERY_MS = 50;
/** A stage that never settled is kept as such; the record is bounded. */
const STAGES_MAX = 10_000;
/** More packets a second than comfort noise. */
const VOICE_PACKETS = 10;

export class Bot {
  private seat!: Seat;
  private readonly keeper: MediaKeeper;
  private attaching: Promise<void> = Promise.resolve();
  private camera!: CameraSender;
  private microphone!: MicrophoneSender;
  private latest!: MeetingView;
  private leg_!: LegId;
  private watch: NodeJS.Timeout | null = null;
  private readonly stages_: StageRecord[] = [];
  private speakingNow: readonly LegId[] = [];
  private readonly received_: Received = { packets: 0, octets: 0 };
  private stopped = false;
  private offers = 0;

  private constructor(
    private readonly options: BotOptions,
    private readonly clip: Clip,
  ) {
    this.keeper = new MediaKeeper({
      attach: (place, onLost) => this.attach({ ...place, leg: this.leg_, camera: this.camera, microphone: this.microphone, onLost }),
      onAgain: (why) => options.onNotice?.('bot.reattaching', why),
    });
  }

  /** Joins and answers when media flow both ways. */
  static async start(options: BotOptions): Promise<Bot> {
    const persona = options.persona ?? personaOf(0);
    const clip = await clipOf(persona, options.hdKbps === undefined ? {} : { hdKbps: options.hdKbps });
    learn(clip);
    const bot = new Bot(options, clip);
    try {
      await bot.join();
    } catch (error) {
      await bot.leave();
      throw error;
    }
    return bot;
  }

  get persona(): Persona {
    return this.clip.persona;
  }
  get name(): string {
    return this.options.name ?? this.persona.name;
  }
  get leg(): LegId {
    return this.leg_;
  }
  get view(): MeetingView {
    return this.latest;
  }
  get me(): RosterEntry | undefined {
    return this.latest.roster.find(({ you }) => you);
  }
  /** The conference's id. */
  get conference(): string {
    return this.seat.details.conference;
  }
  /** Whom the node says it hears, loudest first. */
  get speaking(): readonly LegId[] {
    return this.speakingNow;
  }
  /** What was sent so far, RTP octets without SRTP's tag. */
  get sent(): { readonly small: Readonly<Sent>; readonly large: Readonly<Sent> } {
    return this.camera.sent;
  }
  /** All RTP that arrived so far. */
  get received(): Readonly<Received> {
    return { ...this.received_ };
  }
  /** Packets that the streams which arrive now should have brought and did not, by their sequence numbers. */
  get lost(): number {
    const nowMs = monotonicMs();
    return (this.media?.incoming ?? []).reduce((sum, { reception }) => sum + reception.measured(nowMs).packetsLost, 0);
  }
  /** Every stage this bot was told of, in order, and when its pictures agreed. */
  get stages(): readonly Readonly<StageRecord>[] {
    return this.stages_;
  }

  speak(forMs: number): void {
    this.microphone.speak(forMs, monotonicMs());
  }
  quiet(): void {
    this.microphone.quiet();
  }

  act(act: Act): Promise<void> {
    return this.seat.act(act);
  }
  mute(): Promise<void> {
    return this.act({ type: 'mute', leg: this.leg });
  }
  unmute(): Promise<void> {
    return this.act({ type: 'unmute', leg: this.leg });
  }

  /** What really arrives, measured over the last second. */
  sees(): Sight {
    const nowMs = monotonicMs();
    const cameras = (this.media?.incoming ?? []).filter(({ offer }) => offer.kind === 'video');
    return sightOf(
      this.latest.stage,
      cameras.map(({ offer, reception }) => ({ leg: offer.leg, measured: reception.measured(nowMs) })),
    );
  }

  /** Whose voices really arrive. */
  hears(): Heard[] {
    const nowMs = monotonicMs();
    return (this.media?.incoming ?? [])
      .filter(({ offer }) => offer.kind === 'audio')
      .map(({ offer, reception, heard }) => {
        const fresh = heard && nowMs - heard.atMs < 1_000 ? heard : null;
        return {
          leg: offer.leg,
          packetsPerSecond: reception.packetsPerSecond(nowMs),
          persona: fresh?.utterance.persona ?? null,
          firstPart: fresh?.spurt.from.part ?? null,
        };
      })
      .filter(({ packetsPerSecond }) => packetsPerSecond > VOICE_PACKETS);
  }

  /** What is missing between stage and pictures, as sentences. */
  missing(): string[] {
    if (!this.media) return [`${this.name} has no media right now`];
    return this.differences(this.latest.stage, true).map((what) => `${this.name}: ${what}`);
  }

  private differences(stage: Stage, othersAreWrong: boolean): string[] {
    const dark = (leg: LegId) => this.latest.roster.find((entry) => entry.leg === leg)?.cameraOff ?? false;
    return differences(stage, this.sees(), { nameOf: (leg) => this.nameOf(leg), dark, othersAreWrong });
  }

  nameOf(leg: LegId): string {
    return this.latest.roster.find((entry) => entry.leg === leg)?.name ?? leg;
  }

  /** Leaves the meeting; harmless when it is over already. */
  async leave(): Promise<void> {
    this.stop();
    await this.seat?.leave();
  }

  /** Vanishes without a word. */
  crash(): void {
    this.stop();
    this.seat?.close();
  }

  private get media(): MediaSession | null {
    return this.keeper.session;
  }

  private stop(): void {
    this.stopped = true;
    if (this.watch) clearInterval(this.watch);
    this.keeper.close();
  }

  private async join(): Promise<void> {
    const { gatewayUrl, alias, pin, client, connect, muted = false, cameraOff = false, traceparent, authority } = this.options;
    this.seat = await Seat.take({
      ...this.news,
      gatewayUrl,
      join: {
        alias,
        name: this.name,
        client: (client ?? `bot-${randomUUID()}`) as PersonId,
        muted,
        cameraOff,
        ...(pin !== undefined && { pin }),
        ...(traceparent && { traceparent }),
      },
      ...(connect !== undefined && { connect }),
      ...(authority && { authority }),
    });
    await this.attaching;
    if (!this.media) throw new Fault('bot.no-media', `${this.name} was seated, but media could not be set up.`);
    this.watch = setInterval(() => this.confirm(), WATCH_EVERY_MS);
  }

  /** What becomes of what a seat says, whichever it is. */
  private readonly news: Omit<SeatOptions, 'gatewayUrl' | 'join'> = {
    onWaiting: (reason) => this.options.onWaiting?.(reason),
    onMedia: (place, leg) => {
      // A new leg is a new sender.
      if (leg !== this.leg_) this.sitAs(leg, sendersOf(leg, this.clip));
      this.attaching = this.keeper.go(place);
      this.attaching.catch(() => {}); // `start` reports the first; the keeper repeats the others.
    },
    onView: (view) => this.follow(view),
    onNotice: (code, message) => this.options.onNotice?.(code, message),
    onMove: (offer) => void this.consider(offer),
    onEnded: (reason) => {
      this.stop();
      this.options.onEnded?.(reason);
    },
  };

  private sitAs(leg: LegId, { camera, microphone }: Senders): void {
    this.leg_ = leg;
    this.camera = camera;
    this.microphone = microphone;
  }

  /** Goes when it is its turn, by the first way that leads there; otherwise it stays, and says why. */
  private async consider({ afterMs, ways }: MoveOffer): Promise<void> {
    const offer = ++this.offers;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    for (const way of ways) {
      const gatewayUrl = gatewayOfWay(way, this.options.gatewayUrl);
      if (this.stopped || offer !== this.offers) return;
      if (gatewayUrl === undefined) continue;
      try {
        await this.move(gatewayUrl);
        return this.options.onNotice?.('bot.moved', way.name);
      } catch (error) {
        this.options.onNotice?.('bot.not-moved', `${way.name}: ${String(error)}`);
      }
    }
  }

  private async move(gatewayUrl: string): Promise<void> {
    const { seat: before, me, clip } = this;
    const { join, connect } = before.sitter;
    const { authority } = this.options;
    const now = { from: before.details.leg, muted: me?.muted !== false, cameraOff: me?.cameraOff ?? false };
    const moved = await moveTo({
      seat: { ...this.news, gatewayUrl, join: { ...join, ...now }, connect: connect + 1, ...(authority && { authority }) },
      clip,
      attach: (at) => this.attach(at),
      onLost: (place, why) => this.keeper.lost(place, why),
    });
    this.seat = moved.seat;
    if (this.stopped) {
      moved.session.close();
      return moved.seat.leave();
    }
    const speaksForMs = this.microphone.speaksForMs(monotonicMs());
    this.sitAs(moved.seat.details.leg, moved);
    this.keeper.adopt(moved.place, moved.session);
    this.follow(moved.view);
    if (speaksForMs > 0) this.speak(speaksForMs);
    await before.leave();
  }

  private attach(at: MediaPlace & Senders & Pick<SessionOptions, 'leg' | 'onLost'>): Promise<MediaSession> {
    const { receive = 'everything', traceparent, authority, localAddress } = this.options;
    return MediaSession.attach({
      ...at,
      receive,
      ...(traceparent && { traceparent }),
      received: this.received_,
      ...(authority && { authority }),
      ...(localAddress && { localAddress }),
      onSpeaking: (legs) => (this.speakingNow = legs),
    });
  }

  private follow(view: MeetingView): void {
    const before = this.stages_.at(-1);
    this.latest = view;
    const { main, thumbnails } = view.stage;
    if (!before || before.main !== main || before.thumbnails.join() !== thumbnails.join()) {
      this.stages_.push({ main, thumbnails: [...thumbnails], toldAt: Date.now(), shownAt: null });
      if (this.stages_.length > STAGES_MAX) this.stages_.shift();
    }
    this.obey();
    this.options.onView?.(view);
  }

  /** A muted microphone and a camera that is off send nothing, whoever switched them. */
  private obey(): void {
    const { me } = this;
    if (!me) return;
    const muted = me.muted !== false;
    if (this.microphone.muted !== muted) {
      this.microphone.muted = muted;
      void this.media?.rest('microphone', muted).catch(() => {});
    }
    if (this.camera.on === me.cameraOff) {
      this.camera.switch(!me.cameraOff, monotonicMs());
      void this.media?.rest('camera', me.cameraOff).catch(() => {});
    }
  }

  private confirm(): void {
    const latest = this.stages_.at(-1);
    if (!latest || latest.shownAt !== null || !this.media) return;
    // A stream that is still running out does not make the stage wrong.
    if (this.differences(latest, false).length === 0) latest.shownAt = Date.now();
  }
}

export const startBot = (options: BotOptions): Promise<Bot> => Bot.start(options);
