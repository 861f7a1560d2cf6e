import { Fault, type Fact } from '@isthmus/kernel';
import { emptyEstate, foldEstate, type Estate, type Room } from '@isthmus/estate';
import type { EventStore, Timers } from '@isthmus/ports';

/** Follows the estate where it is administered, from after a revision on. Goes on for ever; reports back what is applied. */
export type FollowEstate = (after: number, applied: () => number, signal: AbortSignal) => AsyncIterable<readonly Fact[]>;

const KEEP_AGAIN_MS = 1_000;

/**
 * This site's own copy of the estate: kept in its store, so that rooms are there when management is not (S3), and followed
 * while it is.
 */
export class EstateCopy {
  private facts: Fact[] = [];
  private estate: Estate = emptyEstate;
  private readonly stopped = new AbortController();
  private following: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly timers: Timers,
    private readonly changed: (estate: Estate) => void,
  ) {}

  get current(): Estate {
    return this.estate;
  }

  room(id: string): Room | undefined {
    return this.estate.rooms[id];
  }

  /** Reads what is kept, then follows. Resolves when the kept copy is there. */
  async start(follow: FollowEstate | undefined): Promise<void> {
    for (const stream of await this.store.streams('estate')) for await (const fact of this.store.read(stream)) this.facts.push(fact);
    this.fold();
    if (follow) this.following = this.follow(follow);
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.following.catch(() => undefined);
  }

  private async follow(follow: FollowEstate): Promise<void> {
    for await (const facts of follow(this.estate.revision, () => this.estate.revision, this.stopped.signal)) {
      const fresh = await this.kept(facts);
      if (fresh.length === 0) continue;
      this.facts.push(...fresh);
      this.fold();
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

  private fold(): void {
    this.estate = foldEstate(this.facts);
    this.changed(this.estate);
  }
}
