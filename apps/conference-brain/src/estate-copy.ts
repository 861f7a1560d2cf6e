import { categoryOf, Fault, siteOfStream, type Fact, type FactHash } from '@isthmus/kernel';
import type { ConferenceSeen } from '@isthmus/conference';
import { emptyEstate, foldEstate, inForce, inManagementsOrder, MANAGEMENT, pinsOf, type Estate, type Room } from '@isthmus/estate';
import type { EventStore, Timers } from '@isthmus/ports';
import type { EstateWord } from '@isthmus/protocol';

/**
 * Follows the estate where it is administered, from after a revision on whose last fact is `last`. Goes on for ever; reports back
 * what is applied, and calls `word` with management's signature on what comes next.
 */
export type FollowEstate = (
  after: number,
  applied: () => number,
  signal: AbortSignal,
  word: (word: EstateWord) => void,
  last?: FactHash,
) => AsyncIterable<readonly Fact[]>;

/** Whom the copy tells. */
export interface EstateEvents {
  changed(estate: Estate): void;
  /** Facts are durable here that management gave us. */
  kept(facts: readonly Fact[]): void;
  /** What management says of them under its own key, for sites that have lost it (merge rule 16). */
  word(word: EstateWord): void;
}

const KEEP_AGAIN_MS = 1_000;
/** The rules of a room that is not in the estate any more: nobody new. */
const NO_ROOM = { seatsMax: 0, guestsWaitForHost: true };

/**
 * This site's own copy of the estate: kept in its store, so that rooms are there when management is not (S3), and followed
 * while it is.
 */
export class EstateCopy {
  /** Each with all that it came after, so that they are what management had at one time, and nothing is skipped. */
  private readonly facts: Fact[] = [];
  private readonly known = new Set<string>();
  /** Came by way of other sites, and before what they came after. */
  private waiting: Fact[] = [];
  private estate: Estate = emptyEstate;
  private readonly stopped = new AbortController();
  private following: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly timers: Timers,
    private readonly events: EstateEvents,
  ) {}

  get current(): Estate {
    return this.estate;
  }

  room(id: string): Room | undefined {
    return this.estate.rooms[id];
  }

  /** What decisions in a room have to keep to. */
  rulesOf(id: string): ConferenceSeen['room'] {
    const known = this.room(id);
    return known === undefined ? NO_ROOM : { ...known, pins: pinsOf(this.estate, id) };
  }

  /** Reads what is kept, then follows. Resolves when the kept copy is there. */
  async start(follow: FollowEstate | undefined): Promise<void> {
    const facts: Fact[] = [];
    for (const stream of await this.store.streams('estate')) for await (const fact of this.store.read(stream)) facts.push(fact);
    this.place(facts);
    this.events.kept(this.facts);
    this.fold();
    if (follow) this.following = this.follow(follow);
  }

  /** Takes facts that are durable here, whoever brought them. */
  take(facts: readonly Fact[]): void {
    if (this.place(facts)) this.fold();
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.following.catch(() => undefined);
  }

  private async follow(follow: FollowEstate): Promise<void> {
    const word = (said: EstateWord) => this.events.word(said);
    for await (const facts of follow(this.estate.revision, () => this.estate.revision, this.stopped.signal, word, this.last)) {
      await this.kept(facts);
      this.events.kept(facts);
      this.take(facts);
    }
  }

  /** A store that fails now is no reason to hear nothing of the estate ever after. */
  private async kept(facts: readonly Fact[]): Promise<readonly Fact[]> {
    for (;;) {
      try {
        return await this.store.adopt(facts);
      } catch (error) {
        if (this.stopped.signal.aborted || !(error instanceof Fault)) throw error;
        await new Promise<void>((resolve) => this.timers.after(KEEP_AGAIN_MS, resolve));
      }
    }
  }

  /** True if any of them counts now. Only management says anything about the estate. */
  private place(facts: readonly Fact[]): boolean {
    const before = this.facts.length;
    const coming = [...this.waiting, ...facts].filter(({ hash, stream }) => siteOfStream(stream) === MANAGEMENT && !this.known.has(hash));
    this.waiting = [];
    for (const fact of coming.sort(inManagementsOrder)) {
      const causes = [...(fact.prev === null ? [] : [fact.prev]), ...fact.after.map(({ hash }) => hash)];
      if (this.known.has(fact.hash)) continue;
      if (causes.every((hash) => this.known.has(hash))) {
        this.known.add(fact.hash);
        this.facts.push(fact);
      } else this.waiting.push(fact);
    }
    return this.facts.length > before;
  }

  private get last(): FactHash | undefined {
    return inForce(this.facts).at(-1)?.hash;
  }

  private fold(): void {
    this.estate = foldEstate(this.facts);
    this.events.changed(this.estate);
  }
}

export const isOfEstate = ({ stream }: Fact): boolean => categoryOf(stream) === 'estate';
