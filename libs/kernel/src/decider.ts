import type { Fact } from './fact.js';
import type { Said } from './said.js';

/**
 * The shape of every decision in Isthmus: a command meets a state and yields what happened; what happened, and nothing
 * else, changes state.
 *
 * `decide` may refuse, by throwing a {@link Refusal}. `evolve` may not: it is total, because after a merge it meets orders
 * that no single site ever decided. It is told who said it and what they had seen, because that is what security turns on.
 */
export interface Decider<State, Command, Body, Seen = void> {
  readonly initial: State;
  /** What happens if the command is carried out now. `seen` is what the decision needs and the history does not hold, such as who is in reach. */
  readonly decide: (command: Command, state: State, seen: Seen) => readonly Body[];
  readonly evolve: (state: State, body: Body, said: Said, pass?: Pass) => State;
  /**
   * The door for stored and foreign facts: checks the shape, brings old versions up to date. Undefined for what is
   * malformed, unknown or newer than this code: such a fact is kept and passed on, and folds as nothing (merge rule 5).
   */
  readonly read: (fact: Fact) => Body | undefined;
}

/**
 * One uninterrupted run of folding. What was made during a pass has been seen by nobody yet, so the same pass may change
 * it in place; that is what makes folding a long history cheap although states are immutable to everyone else.
 */
export class Pass {}

/** A map that nobody who holds it ever sees change, and that is still cheap to fill: see {@link Pass}. Iterates in order of first insertion. */
export class Table<Key, Value> {
  private constructor(
    private readonly map: Map<Key, Value>,
    private readonly maker: Pass | undefined,
  ) {}

  static empty<Key, Value>(): Table<Key, Value> {
    return new Table<Key, Value>(new Map(), undefined);
  }

  static of<Key, Value>(entries: Iterable<readonly [Key, Value]>): Table<Key, Value> {
    return new Table(new Map(entries), undefined);
  }

  get size(): number {
    return this.map.size;
  }

  get(key: Key): Value | undefined {
    return this.map.get(key);
  }

  entries(): MapIterator<[Key, Value]> {
    return this.map.entries();
  }

  keys(): MapIterator<Key> {
    return this.map.keys();
  }

  values(): MapIterator<Value> {
    return this.map.values();
  }

  set(key: Key, value: Value, pass?: Pass): Table<Key, Value> {
    const table = this.open(pass);
    table.map.set(key, value);
    return table;
  }

  /** Likewise, and last in the order from now on. */
  setLast(key: Key, value: Value, pass?: Pass): Table<Key, Value> {
    const table = this.open(pass);
    table.map.delete(key);
    table.map.set(key, value);
    return table;
  }

  delete(key: Key, pass?: Pass): Table<Key, Value> {
    if (!this.map.has(key)) return this;
    const table = this.open(pass);
    table.map.delete(key);
    return table;
  }

  /** This table if nobody but this pass has seen it, else a copy for the pass to change. */
  private open(pass: Pass | undefined): Table<Key, Value> {
    return pass !== undefined && pass === this.maker ? this : new Table(new Map(this.map), pass);
  }
}
