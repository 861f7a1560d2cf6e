import { createHash } from 'node:crypto';
import type { Bus, Cancel, Clock, Subscription, Timers } from '@isthmus/ports';
import { brainWord, TOPICS, type BrainWord } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit/observing';

export interface ColleaguesParts {
  /** The tenure under which this brain was started. */
  readonly brain: number;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly timers: Timers;
}

export interface ColleaguesEvents {
  /** Who is there has changed: look at what is whose. */
  changed(): void;
  /** The others have given this brain up, and have taken over what it had. It must begin anew, under another name. */
  ousted(): void;
  /** Some other brain that counts has said something beside that it is there. */
  said(word: Exclude<BrainWord, { type: 'beat' | 'bye' }>): void;
  /** No tenure before this one is to be written under any more. */
  notBefore(epoch: number): void;
}

const BEAT_MS = 500;
/** A brain of which nothing was heard for so long is given up, and its conferences are taken over. */
const SILENT_MS = 3_000;
/** One that is late may be gone; who asks for what it has is not sent away. */
const LATE_MS = 1_200;
/** Whoever does not even hear themself for so long is deaf, and nobody's silence counts. */
const DEAF_MS = 1_200;
/** How long a brain listens before it takes anything: whoever is there has said so three times by then. */
const LISTEN_MS = 1_600;
/** What is said of those who are gone is bounded; whoever comes back after so many others has been told. */
const GONE_MAX = 512;

interface Heard {
  ready: boolean;
  atMs: number;
}

/**
 * Which brains of this site are there, by what they say of themselves on the bus (ADR 0059). Membership of a consumer group would
 * tell it after six seconds at best, and while brokers are away not at all.
 */
export class Colleagues {
  private readonly heard = new Map<number, Heard>();
  private readonly gone = new Set<number>();
  private readonly log = logOf('conference-brain');
  private readonly waking: Cancel[] = [];
  private subscription: Subscription | undefined;
  private heardSelfAtMs: number | undefined;
  private listeningSinceMs: number | undefined;
  private lookedAtMs: number | undefined;
  private floor = 0;
  private closed = false;
  ready = false;

  constructor(
    private readonly parts: ColleaguesParts,
    private readonly events: ColleaguesEvents,
  ) {}

  /** Begins to listen and to say that we are here. Resolves when whatever others say is heard. */
  async start(): Promise<void> {
    const { bus, brain, timers } = this.parts;
    this.subscription = await bus.subscribe(TOPICS.brains, { group: `conference-brain-${brain}` }, async ({ value }) => this.hear(value));
    this.beat();
    this.waking.push(timers.every(BEAT_MS, () => this.look()));
  }

  /** Those that count, this one among them as soon as it does. */
  get there(): readonly number[] {
    const others = [...this.heard].flatMap(([brain, { ready }]) => (ready ? [brain] : []));
    return [...others, ...(this.ready ? [this.parts.brain] : [])].sort((a, b) => a - b);
  }

  /** Whether a room belongs to this brain, as far as it can tell. */
  isMine(room: string): boolean {
    return this.ready && ownerOf(room, this.there) === this.parts.brain;
  }

  /** Whether the brain that a room belongs to has not been heard for longer than it should be: soon it may be another's. */
  isLate(room: string): boolean {
    const owner = this.heard.get(ownerOf(room, this.there) ?? 0);
    return owner !== undefined && this.parts.clock.monotonic() - owner.atMs > LATE_MS;
  }

  /** The brain that speaks for its site to the others: the one that has been there for longest. */
  get envoy(): number | undefined {
    return this.there[0];
  }

  get isEnvoy(): boolean {
    return this.ready && this.envoy === this.parts.brain;
  }

  isThere(brain: number): boolean {
    return brain === this.parts.brain || this.heard.has(brain);
  }

  /** From now on no tenure before this one is written under, here and at the others. */
  raise(epoch: number): void {
    if (epoch <= this.floor) return;
    this.floor = epoch;
    this.beat();
  }

  say(word: BrainWord): void {
    const { bus, brain } = this.parts;
    if (this.closed && word.type !== 'bye') return;
    bus.publish({ topic: TOPICS.brains, key: String(brain), value: word }).catch((error: unknown) => {
      if (!this.closed) this.log.warn({ error, word: word.type }, 'the other brains of this site could not be told');
    });
  }

  /** Says goodbye, so that nobody has to wait for our silence. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.ready = false;
    for (const cancel of this.waking.splice(0)) cancel();
    this.say({ type: 'bye', brain: this.parts.brain });
    await this.subscription?.close();
  }

  private beat(): void {
    const { brain } = this.parts;
    const gone = [...this.gone].slice(-GONE_MAX);
    this.say({ type: 'beat', brain, ready: this.ready, gone, notBefore: this.floor });
  }

  private hear(value: unknown): void {
    const parsed = brainWord.safeParse(value);
    if (!parsed.success) return this.log.warn({ issues: parsed.error.issues.slice(0, 3) }, 'what another brain said was not understood');
    const word = parsed.data;
    const now = this.parts.clock.monotonic();
    if (word.brain === this.parts.brain) return this.hearSelf(word, now);
    if (this.closed || this.gone.has(word.brain)) return;
    if (word.type === 'bye') return this.giveUp([word.brain]);
    if (word.type !== 'beat') return this.events.said(word);
    const before = this.heard.get(word.brain);
    this.heard.set(word.brain, { ready: word.ready, atMs: now });
    if (word.notBefore > this.floor) {
      this.floor = word.notBefore;
      this.events.notBefore(word.notBefore);
    }
    if (word.gone.includes(this.parts.brain)) return this.events.ousted();
    const news = word.gone.filter((brain) => this.heard.has(brain) || !this.gone.has(brain));
    if (news.length > 0) this.giveUp(news);
    if (before?.ready !== word.ready) this.events.changed();
  }

  private hearSelf(word: BrainWord, now: number): void {
    if (word.type !== 'beat') return;
    this.heardSelfAtMs = now;
    this.listeningSinceMs ??= now;
  }

  private look(): void {
    const now = this.parts.clock.monotonic();
    const passedMs = now - (this.lookedAtMs ?? now);
    this.lookedAtMs = now;
    const deaf = this.heardSelfAtMs === undefined || now - this.heardSelfAtMs > DEAF_MS;
    // While we hear not even ourselves, or slept, silence is ours. What was said meanwhile is heard in a moment.
    if (deaf || passedMs > 2 * BEAT_MS) for (const heard of this.heard.values()) heard.atMs = Math.min(now, heard.atMs + passedMs);
    const silent = [...this.heard].filter(([, { atMs }]) => now - atMs > SILENT_MS).map(([brain]) => brain);
    if (silent.length > 0) {
      this.log.warn({ brains: silent }, 'these brains of this site are silent; what they had is taken over');
      this.giveUp(silent);
    }
    const listened = this.listeningSinceMs !== undefined && now - this.listeningSinceMs >= LISTEN_MS;
    const settled = !this.ready && !deaf && listened;
    if (settled) this.ready = true;
    this.beat();
    if (settled) this.events.changed();
  }

  private giveUp(brains: readonly number[]): void {
    for (const brain of brains) {
      this.heard.delete(brain);
      this.gone.add(brain);
    }
    this.beat();
    this.events.changed();
  }
}

/** Which of these brains a room belongs to: the same for all who ask, and when one goes, only what it had moves (rendezvous hashing). */
export const ownerOf = (room: string, brains: readonly number[]): number | undefined => {
  let [owner, highest]: [number | undefined, string] = [undefined, ''];
  for (const brain of brains) {
    const weight = createHash('sha256').update(`${brain} ${room}`).digest('hex');
    if (weight > highest) [owner, highest] = [brain, weight];
  }
  return owner;
};
