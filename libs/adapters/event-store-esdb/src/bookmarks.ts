import type { Position } from '@isthmus/ports';

/** Followers set theirs with each fact: written so often, and when we close. */
const FLUSH_MS = 1_000;
const FLUSH_AT_CLOSE_MS = 2_000;
/** Written side by side. */
const AT_ONCE = 32;

interface Pending {
  readonly position: Position;
  /** No fact is to be kept before it is. */
  readonly isAhead: boolean;
}

/** Writes one bookmark, and resolves when it is durable. @param patienceMs how long that may take; left out, as long as any call */
export type WriteBookmark = (name: string, position: Position, patienceMs?: number) => Promise<void>;

/** Bookmarks that were set and are not written yet: each is written sooner or later, or before the next facts (ADR 0053). */
export class Bookmarks {
  private readonly pending = new Map<string, Pending>();
  private later: NodeJS.Timeout | undefined;
  /** One round of writing at a time: of two positions under one name, the newer has to come last. */
  private rounds: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly write: WriteBookmark) {}

  /** As it was set last; undefined: it has been written. */
  of(name: string): Position | undefined {
    return this.pending.get(name)?.position;
  }

  set(name: string, position: Position, isAhead: boolean): void {
    this.pending.set(name, { position, isAhead: isAhead || this.pending.get(name)?.isAhead === true });
    this.flushLater();
  }

  /** The next round begins when the one before is over: a slow server that is asked for all of them once more each second gets slower. */
  private flushLater(): void {
    if (this.pending.size === 0 || this.closed) return;
    this.later ??= setTimeout(() => {
      // What is not written now is written with the next round, or set again by whoever follows.
      const over = () => {
        this.later = undefined;
        this.flushLater();
      };
      void this.inTurn(() => this.writeAll(() => true)).then(over, over);
    }, FLUSH_MS);
  }

  /** Resolves when everything is durable that was set so far to be there before facts are. @throws what writing throws */
  beforeFacts(): Promise<void> {
    if (![...this.pending.values()].some(({ isAhead }) => isAhead)) return Promise.resolve();
    // Whoever asks while a round is under way waits for the next, and all of them for the same one.
    return (this.next ??= this.inTurn(() => {
      this.next = undefined;
      return this.writeAll(({ isAhead }) => isAhead);
    }));
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.later);
    if (this.pending.size > 0) await this.inTurn(() => this.writeAll(() => true, FLUSH_AT_CLOSE_MS)).catch(() => undefined);
  }

  private inTurn(round: () => Promise<void>): Promise<void> {
    const turn = this.rounds.then(round);
    this.rounds = turn.catch(() => undefined);
    return turn;
  }

  private async writeAll(isDue: (pending: Pending) => boolean, patienceMs?: number): Promise<void> {
    const due = [...this.pending].filter(([, pending]) => isDue(pending));
    for (let at = 0; at < due.length; at += AT_ONCE)
      await Promise.all(
        due.slice(at, at + AT_ONCE).map(async ([name, pending]) => {
          await this.write(name, pending.position, patienceMs);
          if (this.pending.get(name) === pending) this.pending.delete(name);
        }),
      );
  }
}
