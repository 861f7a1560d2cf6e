import type { Fact, SiteId } from '@isthmus/kernel';
import type { Bus, Cancel, Clock, EventStore, Position, Sharing, Timers } from '@isthmus/ports';
import type { Intermediaries, SiteReport } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit/observing';
import type { Chronicle } from './chronicle.js';
import { Colleagues } from './colleagues.js';
import { Holding } from './holding.js';
import type { Links } from './links.js';

/** What one brain tells the envoy of what it decides. */
export interface Share {
  readonly intermediaries: Intermediaries['intermediaries'];
  readonly conferences: SiteReport['conferences'];
}

export interface FellowshipParts {
  readonly site: SiteId;
  /** The tenure under which this brain was started. */
  readonly brain: number;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly sharing: Sharing;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly links: Links;
  readonly chronicle: (room: string) => Chronicle;
  /** Every room of which something is known here. */
  readonly rooms: () => Iterable<readonly [string, Chronicle]>;
  /** The rooms that somebody may come into. */
  readonly openRooms: () => Iterable<string>;
  /** This brain decides for a room from now on, under this epoch, or does not any more. */
  readonly began: (room: string, epoch: number) => void;
  readonly ended: (room: string) => void;
  /** Facts are in the store that this brain has neither recorded nor adopted itself. */
  readonly learned: (facts: readonly Fact[]) => Promise<void>;
  /** What this brain decides, as the envoy has to know it. */
  readonly share: () => Share;
  /** This brain speaks for its site from now on, or does not any more. */
  readonly envoy: (is: boolean) => void;
  /** The others have given this brain up: it must begin anew. */
  readonly ousted: () => void;
}

const LOOK_EVERY_MS = 500;
const WAIT_MS = 100;
const WAIT_FOR_MS = 3_000;
const CATEGORIES = ['estate', 'room', 'conference'] as const;
/** Facts that came by us are met again in the store a moment later; so many of them are recognized. */
const RECENT_MAX = 20_000;
/** So many rooms are taken over side by side. */
const AT_ONCE = 16;

/**
 * The brains of one site share its conferences, where they share a store (ADR 0059). Each room is decided by one of them, which has
 * said so in the store; all know all facts; and the one that has been there for longest, the envoy, holds the links to other
 * sites and tells the others what it sees there.
 */
export class Fellowship {
  private readonly colleagues: Colleagues;
  private readonly holding: Holding;
  private readonly shares = new Map<number, Share>();
  private readonly recent = new Set<string>();
  private readonly after = new Map<string, Position | undefined>();
  private readonly stopped = new AbortController();
  private readonly log = logOf('conference-brain');
  private readonly waking: Cancel[] = [];
  private following: Promise<unknown> = Promise.resolve();
  private links: 'closed' | 'opening' | 'open' = 'closed';
  private looking = false;
  private troubled = false;

  constructor(private readonly parts: FellowshipParts) {
    this.colleagues = new Colleagues(parts, {
      changed: () => void this.look(),
      ousted: () => parts.ousted(),
      notBefore: (epoch) => this.holding.renew(epoch),
      said: (word) => {
        if (word.type === 'claimed') this.holding.claimedBy(word.room, word.epoch);
        else if (word.type === 'share') this.shared(word.brain, word);
        else if (word.brain === this.colleagues.envoy && !this.isEnvoy) this.parts.links.follow(word);
      },
    });
    this.holding = new Holding({
      ...parts,
      isMine: (room) => this.colleagues.isMine(room),
      began: (room, epoch) => {
        parts.began(room, epoch);
        this.colleagues.say({ type: 'claimed', brain: parts.brain, room, epoch });
      },
    });
  }

  /** Whether this brain holds the links to other sites, and speaks for its own. */
  get isEnvoy(): boolean {
    return this.colleagues.isEnvoy;
  }

  /** Undefined: it is known who is there. */
  get trouble(): string | undefined {
    return this.colleagues.ready ? undefined : 'it is not known yet which other brains of this site are there';
  }

  /** Where to go on following the store; call it before reading what is there. */
  async remember(): Promise<void> {
    for (const category of CATEGORIES) this.after.set(category, await this.parts.store.bookmark(bookmarkOf(category)));
  }

  async start(): Promise<void> {
    this.following = Promise.all(CATEGORIES.map((category) => this.follow(category)));
    await this.colleagues.start();
    this.waking.push(this.parts.timers.every(LOOK_EVERY_MS, () => void this.look()));
  }

  async close(): Promise<void> {
    this.stopped.abort();
    for (const cancel of this.waking.splice(0)) cancel();
    this.holding.close();
    await this.colleagues.close();
    await this.following.catch(() => undefined);
  }

  /** Whether this brain decides a room. While it listens who is there, or the one that should is silent, whoever asks waits. */
  async decides(room: string): Promise<boolean> {
    const does = () => this.holding.has(room) || this.colleagues.isMine(room);
    const unsettled = () => !this.stopped.signal.aborted && (!this.colleagues.ready || this.colleagues.isLate(room));
    for (let waitedMs = 0; !does() && unsettled() && waitedMs < WAIT_FOR_MS; waitedMs += WAIT_MS)
      await new Promise<void>((resolve) => void this.parts.timers.after(WAIT_MS, resolve));
    return does();
  }

  /** @throws Fault while the store is away */
  take(room: string): Promise<boolean> {
    return this.holding.take(room);
  }

  /** The store takes nothing more from us for a room. */
  lost(room: string): void {
    this.holding.lost(room);
  }

  /** Facts that this brain has from elsewhere than the store. */
  noted(facts: readonly Fact[]): void {
    for (const { hash } of facts) this.recent.add(hash);
    for (const hash of this.recent) {
      if (this.recent.size <= RECENT_MAX) break;
      this.recent.delete(hash);
    }
  }

  /** Peers may know another story of the tenures before this one: nobody writes under them any more. */
  renew(epoch: number): void {
    this.holding.renew(epoch);
    this.colleagues.raise(epoch);
  }

  /** What this brain decides has changed: the other sites, or the envoy, must know. */
  share(): void {
    const own = this.parts.share();
    if (this.isEnvoy) return this.announce(own);
    this.colleagues.say({ type: 'share', brain: this.parts.brain, ...own, conferences: [...own.conferences] });
  }

  /** The envoy sees the other sites otherwise than before. */
  tellLinks(): void {
    if (this.links === 'open') this.colleagues.say({ type: 'links', brain: this.parts.brain, ...this.parts.links.word });
  }

  /** What all the other brains of this site decide, as they last said. */
  get othersConferences(): SiteReport['conferences'] {
    return this.others().flatMap(({ conferences }) => conferences);
  }

  private others(): readonly Share[] {
    for (const brain of [...this.shares.keys()]) if (!this.colleagues.isThere(brain)) this.shares.delete(brain);
    return [...this.shares.values()];
  }

  private shared(brain: number, { intermediaries, conferences }: Share): void {
    this.shares.set(brain, { intermediaries, conferences });
    if (this.isEnvoy) this.announce(this.parts.share());
  }

  private announce({ intermediaries }: Share): void {
    const others = this.others().flatMap((share) => share.intermediaries);
    this.parts.links.announce(this.parts.brain, [...intermediaries, ...others]);
  }

  /** Makes what is so what should be: who holds the links, and which rooms are decided here. While the store is away, it waits. */
  private async look(): Promise<void> {
    if (this.looking || this.stopped.signal.aborted) return;
    this.looking = true;
    try {
      await this.changeEnvoy();
      const mine = [...this.parts.rooms()].flatMap(([room, chronicle]) =>
        !chronicle.isEmpty && !this.holding.has(room) && this.colleagues.isMine(room) ? [room] : [],
      );
      for (let at = 0; at < mine.length; at += AT_ONCE)
        await Promise.all(mine.slice(at, at + AT_ONCE).map((room) => this.holding.take(room)));
      if (mine.length === 0) await this.takeAhead();
      this.troubled = false;
    } catch (error) {
      if (!this.troubled) this.log.warn({ error }, 'what belongs to this brain could not be taken over; it is tried again');
      this.troubled = true;
    } finally {
      this.looking = false;
    }
  }

  /** Rooms with nobody in them, some at a time: while the store is away, nobody could take one to let the first person in. */
  private async takeAhead(): Promise<void> {
    const some: string[] = [];
    for (const room of this.parts.openRooms()) {
      if (some.length === AT_ONCE) break;
      if (!this.holding.has(room) && this.colleagues.isMine(room)) some.push(room);
    }
    await Promise.all(some.map((room) => this.holding.take(room)));
  }

  private async changeEnvoy(): Promise<void> {
    const { links, envoy } = this.parts;
    if (this.isEnvoy && this.links === 'closed') {
      this.links = 'opening';
      try {
        await links.start();
        links.follow(undefined);
        this.links = 'open';
        envoy(true);
        this.share();
      } catch (error) {
        // On the same machine, one that hangs may have the port still.
        this.links = 'closed';
        if (!this.troubled) this.log.warn({ error }, 'the links to other sites could not be opened; it is tried again');
        this.troubled = true;
      }
    } else if (!this.isEnvoy && this.links === 'open') {
      this.links = 'closed';
      envoy(false);
      await links.close();
    }
  }

  /** All brains know all facts, whoever recorded or adopted them: of what they decide, and of what they may have to decide next. */
  private async follow(category: string): Promise<void> {
    const { store, learned } = this.parts;
    for await (const { fact, position } of store.follow(category, this.after.get(category), this.stopped.signal)) {
      if (!this.recent.delete(fact.hash))
        await learned([fact]).catch((error: unknown) => this.log.warn({ error }, 'what follows from a fact could not be recorded yet'));
      await store.setBookmark(bookmarkOf(category), position).catch(() => undefined);
    }
  }
}

/** Whoever starts reads everything after looking here, so that nothing is between what was read and what is followed. */
const bookmarkOf = (category: string): string => `brains:${category}`;
