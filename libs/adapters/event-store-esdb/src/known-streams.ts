import type { Fact, StreamName } from '@isthmus/kernel';

/** What a stream on the server holds, as far as we know: enough to append to it, or to say what would be new there. */
export interface KnownStream {
  /** The server's own number of the last event; -1 if there is none. */
  revision: bigint;
  /** The highest seq; -1 if there is none. Adopted facts may have come in any order, so it need not be the revision. */
  head: number;
  readonly hashes: Set<string>;
  /** Whether nobody may append to it any more. */
  fenced: boolean;
}

export const knownOf = (facts: readonly Fact[], revision: bigint, fenced = false): KnownStream => ({
  revision,
  fenced,
  head: facts.reduce((head, { seq }) => Math.max(head, seq), -1),
  hashes: new Set(facts.map(({ hash }) => hash)),
});

export const extend = (known: KnownStream, facts: readonly Fact[], revision: bigint): void => {
  known.revision = revision;
  for (const { seq, hash } of facts) {
    known.head = Math.max(known.head, seq);
    known.hashes.add(hash);
  }
};

/** The streams that were used lately; others are read again when they are needed. */
export class KnownStreams {
  private readonly byName = new Map<StreamName, KnownStream>();
  /** One write to a stream at a time: the next is decided against what the one before left. */
  private readonly turns = new Map<StreamName, Promise<unknown>>();

  constructor(private readonly most = 500) {}

  get(name: StreamName): KnownStream | undefined {
    const known = this.byName.get(name);
    if (known) this.keep(name, known);
    return known;
  }

  keep(name: StreamName, known: KnownStream): void {
    this.byName.delete(name);
    this.byName.set(name, known);
    if (this.byName.size > this.most) this.byName.delete(this.byName.keys().next().value!);
  }

  forget(name: StreamName): void {
    this.byName.delete(name);
  }

  inTurn<T>(name: StreamName, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(name) ?? Promise.resolve()).then(work, work);
    this.turns.set(name, turn);
    const done = () => {
      if (this.turns.get(name) === turn) this.turns.delete(name);
    };
    turn.then(done, done);
    return turn;
  }
}
