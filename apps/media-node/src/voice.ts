import type { LegId } from '@isthmus/conference';
import { AUDIBLE_AT, type Dbov, type Ear, type Loudness, type MediaRoom, type VoiceObserver } from '@isthmus/media-mediasoup';
import type { NodeId } from '@isthmus/placement';
import { FloorDetector, ONSET_PACKETS, type Heard } from './floor.js';
import type { Arriving } from './streams.js';

/** More packets of silence per second than this come from a microphone without discontinuous transmission. */
const CHATTY_PACKETS = 15;
/** Ears for microphones that send silence all the time: each costs 50 packets per second. */
const CHATTY_EARS_MAX = 8;
/** Once a voice has spoken so long, the room's own observers follow it, and its ear closes. */
const ESTABLISHED_MS = 1_500;
/** Whoever was heard this recently contests the floor: as long as a floor is held after its holder's last word (FloorDetector). */
const CONTESTS_MS = 300;
/** While somebody speaks, and nothing else makes us look, look so often whether they still do. */
const CEASED_WITHIN_MS = 300;
/** Whoever asks once a second whether a voice has been heard misses none. */
const SPOKE_WITHIN_MS = 2_500;
/** Spoke is said again this often while it lasts: what was lost is made good. */
const REPEAT_MS = 1_500;

export interface VoiceEvents {
  /** A voice begins here; it may be nothing. */
  onset(leg: LegId): void;
  /** Who is heard to speak has changed, loudest first. */
  speaking(legs: readonly LegId[]): void;
  /** Has the floor, or still has. */
  floor(leg: LegId): void;
  failed(error: unknown): void;
  /** Whether the node that sends us this voice says when it begins (ADR 0093). */
  isTold(arriving: Pick<Arriving, 'leg' | 'from'>): boolean;
}

interface Microphone {
  readonly leg: LegId;
  readonly from: Arriving['from'];
  readonly ear: Ear | undefined;
  spokeSince: number | undefined;
  /** mediasoup's levels have told of it since it began to speak. */
  followed: boolean;
  quietPackets: number;
  chatty: boolean;
  /** It was heard by its levels although nobody had said that it begins: until somebody does again, we listen ourselves. */
  untold: boolean;
}

/**
 * Listens to everybody who can be heard at this node in one conference. An ear (every packet, in JavaScript) is open only
 * for those who are silent or have just begun, whose next word must be noticed at once and who send next to nothing, and for
 * whoever has the floor while somebody else speaks as well (ADR 0070); everybody else is followed by mediasoup's observers
 * inside the worker. To the silence of another site, nobody listens but that site, which says when a voice begins (ADR 0093).
 */
export class Voices {
  private readonly microphones = new Map<string, Microphone>();
  private readonly detector = new FloorDetector();
  private observer: VoiceObserver | undefined;
  private said: ReadonlySet<LegId> = new Set();
  private looking: NodeJS.Timeout | undefined;
  private closed = false;
  private floorSaidAt = -Infinity;
  private windowAt = 0;

  private constructor(
    private readonly events: VoiceEvents,
    private readonly now: () => number,
  ) {}

  static async over(room: MediaRoom, events: VoiceEvents, now: () => number): Promise<Voices> {
    const voices = new Voices(events, now);
    voices.observer = await room.voices({
      audible: (loudest) => voices.audible(loudest),
      dominant: (streamId) => voices.dominates(streamId),
    });
    return voices;
  }

  async add({ leg, from, stream }: Arriving): Promise<void> {
    const { observer } = this;
    if (!observer || stream.closed || this.microphones.has(stream.id)) return;
    const microphone: { -readonly [K in keyof Microphone]: Microphone[K] } = {
      leg,
      from,
      ear: undefined,
      spokeSince: undefined,
      followed: false,
      quietPackets: 0,
      chatty: false,
      untold: false,
    };
    this.microphones.set(stream.id, microphone);
    stream.onClosed(() => this.remove(stream.id));
    await observer.add(stream);
    if (this.microphones.has(stream.id)) microphone.ear = await observer.ear(stream, (level) => this.packet(microphone, level));
  }

  /** The node that sends us this voice has heard two loud packets of it: as good as if we had. All that follows, we hear ourselves. */
  told(from: NodeId, { leg, level }: { readonly leg: LegId; readonly level: Dbov }): void {
    for (const microphone of this.microphones.values()) {
      if (microphone.leg !== leg || microphone.from !== from) continue;
      microphone.untold = false;
      if (microphone.ear?.listening) continue;
      const at = this.now();
      this.forgetIfSilent(microphone, at);
      for (let packet = 0; packet < ONSET_PACKETS; packet++) this.packet(microphone, level);
      this.tendEars(at);
    }
  }

  get holder(): LegId | undefined {
    return this.detector.holder;
  }

  speaks(leg: LegId): boolean {
    return this.detector.speaks(leg, this.now());
  }

  /** Whether a stream has been heard in the last seconds; of one that is not listened to, nobody knows. */
  spoke(streamId: string): boolean {
    const microphone = this.microphones.get(streamId);
    return microphone === undefined || this.detector.speaks(microphone.leg, this.now(), SPOKE_WITHIN_MS);
  }

  levelOf(leg: LegId): Dbov {
    return this.detector.levelOf(leg);
  }

  /** Sends packets of silence all the time: its voice can be kept open only while it speaks. */
  chatty(leg: LegId): boolean {
    return [...this.microphones.values()].some((microphone) => microphone.leg === leg && microphone.chatty);
  }

  /** Once a second: opens and closes ears, and says again who has the floor. */
  tick(): void {
    const at = this.now();
    const seconds = Math.max(0.2, (at - this.windowAt) / 1_000);
    this.windowAt = at;
    for (const microphone of this.microphones.values()) {
      if (microphone.ear?.listening) microphone.chatty = microphone.quietPackets / seconds > CHATTY_PACKETS;
      // Its own node does not send us what it sends all the time.
      else if (this.isAwaited(microphone, at)) microphone.chatty = false;
      microphone.quietPackets = 0;
    }
    this.tendEars(at);
    this.repeatFloor(at);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.looking);
    for (const { ear } of this.microphones.values()) ear?.close();
    this.microphones.clear();
    this.observer?.close();
  }

  private packet(microphone: Microphone, level: Dbov): void {
    const at = this.now();
    const heard = this.detector.packet(microphone.leg, level, at);
    if (this.detector.speaks(microphone.leg, at, 100)) microphone.spokeSince ??= at;
    else microphone.quietPackets++;
    this.pass(microphone.leg, heard, at);
    // Whether whoever has the floor goes on or has just ended must be known before this voice has lasted long enough.
    if (heard.onset && microphone.leg !== this.holder) this.tendEars(at);
    if (level >= AUDIBLE_AT && !this.said.has(microphone.leg)) this.sayWhoSpeaks(at);
  }

  private audible(loudest: readonly Loudness[]): void {
    const at = this.now();
    const legs = loudest.flatMap(({ streamId, level }) => {
      const microphone = this.microphones.get(streamId);
      if (microphone) {
        microphone.untold ||= this.isAwaited(microphone, at);
        microphone.spokeSince ??= at;
        microphone.followed = true;
      }
      return microphone ? [{ leg: microphone.leg, level }] : [];
    });
    this.pass(undefined, this.detector.audible(legs, at), at);
    this.sayWhoSpeaks(at);
    this.tendEars(at);
  }

  /** A word may be too short for the quarter seconds of mediasoup's levels, so ears count as well. */
  private sayWhoSpeaks(at: number): void {
    clearTimeout(this.looking);
    if (this.closed) return;
    const legs = this.detector.heard(at);
    if (legs.length > 0) this.looking = setTimeout(() => this.sayWhoSpeaks(this.now()), CEASED_WITHIN_MS);
    const same = legs.length === this.said.size && legs.every((leg) => this.said.has(leg));
    if (same) return;
    this.said = new Set(legs);
    this.tendEars(at);
    this.events.speaking(legs);
  }

  private tendEars(at: number): void {
    const { holder } = this;
    const microphones = [...this.microphones.values()];
    const contested = microphones.some(({ leg }) => leg !== holder && this.detector.speaks(leg, at, CONTESTS_MS));
    let chattyEars = 0;
    for (const microphone of microphones) {
      this.forgetIfSilent(microphone, at);
      const awaited = this.isAwaited(microphone, at);
      const established = microphone.spokeSince !== undefined && at - microphone.spokeSince > ESTABLISHED_MS;
      const wanted =
        !awaited &&
        (microphone.leg === holder
          ? contested || !microphone.followed
          : !established && (!microphone.chatty || ++chattyEars <= CHATTY_EARS_MAX));
      if (microphone.ear?.listening !== wanted) void microphone.ear?.listen(wanted).catch((error: unknown) => this.events.failed(error));
    }
  }

  private forgetIfSilent(microphone: Microphone, at: number): void {
    if (!this.detector.speaks(microphone.leg, at)) Object.assign(microphone, { spokeSince: undefined, followed: false });
  }

  /** Is silent, and somebody says when that ends. */
  private isAwaited(microphone: Microphone, at: number): boolean {
    return !microphone.untold && !this.detector.speaks(microphone.leg, at) && this.events.isTold(microphone);
  }

  private dominates(streamId: string): void {
    const microphone = this.microphones.get(streamId);
    if (!microphone) return;
    const at = this.now();
    this.pass(undefined, this.detector.dominates(microphone.leg, at), at);
  }

  private pass(leg: LegId | undefined, { onset, took }: Heard, at: number): void {
    if (onset && leg !== undefined) this.events.onset(leg);
    if (took === undefined) return this.repeatFloor(at);
    this.floorSaidAt = at;
    this.events.floor(took);
  }

  private repeatFloor(at: number): void {
    const { holder } = this;
    if (holder === undefined || at - this.floorSaidAt < REPEAT_MS || !this.detector.speaks(holder, at)) return;
    this.floorSaidAt = at;
    this.events.floor(holder);
  }

  private remove(streamId: string): void {
    const microphone = this.microphones.get(streamId);
    if (!microphone) return;
    this.microphones.delete(streamId);
    microphone.ear?.close();
    const replaced = [...this.microphones.values()].some(({ leg }) => leg === microphone.leg);
    if (!replaced) this.detector.gone(microphone.leg);
  }
}
