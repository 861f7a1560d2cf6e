import type { UnsealedFact } from './canonical.js';
import { Checkpoints } from './checkpoints.js';
import { Pass, type Decider } from './decider.js';
import { Defect } from './error.js';
import type { Fact, FactHash, Head, SiteId, StreamName } from './fact.js';
import { authorOf, inOrder, placeAfter, Placed, sane, type Said } from './said.js';
import { headOf, type Snapshot } from './snapshot.js';

/** What a writer adds to its stream, before it is given its place there. */
export interface Draft {
  /** The writer's clock now, ms since 1970. */
  readonly at: number;
  readonly by: string;
  readonly type: string;
  readonly v: number;
  readonly body: unknown;
}

/**
 * The one history that whatever facts have arrived make, and the state it folds to. A function of the *set* of facts: the
 * order of arrival, and how often each arrived, leave no trace (ADR 0003).
 *
 * Adding costs what the facts cost, folding happens when the state is asked for, and costs what has changed: a fact at
 * the end one step, a fact in the past about as many steps as it lies back. So a re-join that arrives in many batches is
 * folded once if nobody looks in between.
 */
export interface Timeline<State> {
  /**
   * Takes facts, in any order, any number of times. A fact whose causes are not all here waits for them.
   * @returns whether the state may have changed.
   */
  add(facts: readonly Fact[]): boolean;
  readonly state: State;
  /** Facts in place, without those that wait. */
  readonly length: number;
  /** Facts that wait for a cause. Whoever adds bounds this: see {@link Timeline.forgetWaiting}. */
  readonly waiting: number;
  /** What the waiting ones wait for, as far as is known; not in any order. */
  missing(): readonly Head[];
  /** Drops what waits; adding those facts again later is harmless. */
  forgetWaiting(): void;
  /** The newest fact in place of each stream; of a forked stream, the newest of each story. */
  heads(): readonly Head[];
  /** Streams of which two stories are known: their writer was cloned or went back in time, and an alarm is due (merge rule 4). */
  forked(): readonly StreamName[];
  /** The facts in place, in the order in which every site folds them; of one that began with a snapshot, those that came since. */
  facts(): readonly Fact[];
  /** What it comes to now; undefined while there is nothing, or something waits, or a stream has two stories. */
  snapshot(): Snapshot<State> | undefined;
  /**
   * Whether it began with a snapshot that is worth nothing any more: a fact has come that sorts before its last, or of which only the
   * facts beneath it can tell where it sorts. Asked for its state, it throws; take all facts, and another timeline (merge rule 13).
   */
  readonly undercut: boolean;
  /** The fact that the stream's writer would add now, having seen all that is in place here. */
  next(stream: StreamName, draft: Draft): UnsealedFact;
}

/** @param base to go on from, instead of from nothing */
export const createTimeline = <State, Body>(
  decider: Pick<Decider<State, never, Body, never>, 'initial' | 'evolve' | 'read'>,
  base?: Snapshot<State>,
): Timeline<State> => new IncrementalTimeline(decider, base);

/** One writer's facts, by seq. */
interface Stream<Body> {
  readonly site: SiteId;
  readonly epoch: number;
  /** What the timeline began with of it: all up to here, of which only this one is known. */
  readonly base: Said | undefined;
  /** From the one after the base's on, or from 0. */
  readonly bySeq: (Placed<Body> | undefined)[];
  /** Facts at a seq that was taken: a clone's story. Empty in all good times. */
  readonly others: Map<FactHash, Placed<Body>>;
}

class IncrementalTimeline<State, Body> implements Timeline<State> {
  readonly #streams = new Map<StreamName, Stream<Body>>();
  /** The newest fact of each chain; the index is the chain's name. */
  readonly #tips: Said[];
  readonly #waitingFor = new Map<FactHash, Fact[]>();
  readonly #waiting = new Map<FactHash, Head>();
  /** In place and in order; what has come since is in `#arrived`, until somebody looks. */
  #order: Placed<Body>[] = [];
  #arrived: Placed<Body>[] = [];
  #state: State;
  #folded = 0;
  readonly #checkpoints: Checkpoints<State>;
  #undercut = false;

  constructor(
    private readonly decider: Pick<Decider<State, never, Body, never>, 'initial' | 'evolve' | 'read'>,
    private readonly base: Snapshot<State> | undefined,
  ) {
    this.#state = base?.state ?? decider.initial;
    this.#checkpoints = new Checkpoints(this.#state);
    this.#tips = [...(base?.tips ?? [])];
    for (const tip of this.#tips) this.#streams.set(tip.stream, emptyStream(tip.stream, tip));
  }

  add(facts: readonly Fact[]): boolean {
    const before = this.#arrived.length;
    for (const fact of facts) {
      const released = this.#adopt(fact);
      if (released.length > 0) this.#adoptReleased([...released]);
    }
    return this.#arrived.length > before;
  }

  get undercut(): boolean {
    return this.#undercut;
  }

  get state(): State {
    if (this.#undercut)
      throw new Defect('history.undercut', 'A snapshot was asked for its state after a fact had come that belongs beneath it.');
    this.#arrange();
    this.#fold();
    return this.#state;
  }

  get length(): number {
    return (this.base?.length ?? 0) + this.#order.length + this.#arrived.length;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  missing(): readonly Head[] {
    const missing = new Map<FactHash, Head>();
    for (const head of this.#waiting.values()) if (!this.#waiting.has(head.hash)) missing.set(head.hash, head);
    return [...missing.values()];
  }

  forgetWaiting(): void {
    this.#waiting.clear();
    this.#waitingFor.clear();
  }

  heads(): readonly Head[] {
    return this.#tips.map(headOf);
  }

  forked(): readonly StreamName[] {
    return [...this.#streams].filter(([, { others }]) => others.size > 0).map(([name]) => name);
  }

  facts(): readonly Fact[] {
    this.#arrange();
    return this.#order.map(({ fact }) => fact);
  }

  snapshot(): Snapshot<State> | undefined {
    if (this.length === 0 || this.waiting > 0 || this.#undercut || this.forked().length > 0) return undefined;
    const { state } = this;
    return { length: this.length, tips: [...this.#tips], last: this.#order.at(-1) ?? this.base!.last, state };
  }

  next(stream: StreamName, { at, by, type, v, body }: Draft): UnsealedFact {
    const own = this.#tips.filter((tip) => tip.stream === stream).sort((a, b) => b.seq - a.seq || (a.hash < b.hash ? -1 : 1))[0];
    const news = this.#tips.filter((tip) => tip !== own && tip.seq > (own?.sight[tip.chain] ?? -1));
    return {
      stream,
      seq: own === undefined ? 0 : own.seq + 1,
      at: Math.max(sane(at), own instanceof Placed ? sane(own.fact.at) : (own?.ms ?? 0)),
      prev: own?.hash ?? null,
      after: news.map(headOf).sort((a, b) => (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : a.seq - b.seq)),
      by,
      type,
      v,
      body,
    };
  }

  /** Places a fact or lets it wait. Gives back what had waited for it. */
  #adopt(fact: Fact): readonly Fact[] {
    if (this.#waiting.size > 0 && this.#waiting.has(fact.hash)) return NONE;
    const stream = this.#streamOf(fact.stream);
    if (factIn(stream, fact.seq, fact.hash) !== undefined) return NONE;
    if (isBeneath(stream, fact.seq)) return this.#undercutBy();
    const lacking = this.#place(fact, stream);
    if (this.#undercut) return NONE;
    if (lacking === undefined) return this.#released(fact.hash);
    this.#wait(fact, lacking);
    return NONE;
  }

  #adoptReleased(ready: Fact[]): void {
    for (let fact = ready.pop(); fact !== undefined; fact = ready.pop()) for (const next of this.#adopt(fact)) ready.push(next);
  }

  #wait(fact: Fact, lacking: Head): void {
    this.#waiting.set(fact.hash, lacking);
    const others = this.#waitingFor.get(lacking.hash);
    if (others === undefined) this.#waitingFor.set(lacking.hash, [fact]);
    else others.push(fact);
  }

  #released(cause: FactHash): readonly Fact[] {
    if (this.#waiting.size === 0) return NONE;
    const released = this.#waitingFor.get(cause) ?? NONE;
    this.#waitingFor.delete(cause);
    for (const { hash } of released) this.#waiting.delete(hash);
    return released;
  }

  /** Gives a fact its place, or says which cause is lacking. */
  #place(fact: Fact, stream: Stream<Body>): Head | undefined {
    const prev = fact.prev === null ? undefined : factIn(stream, fact.seq - 1, fact.prev);
    if (prev === undefined && fact.prev !== null) return this.#lacking({ stream: fact.stream, seq: fact.seq - 1, hash: fact.prev });

    const causes: Said[] = prev === undefined ? [] : [prev];
    for (const head of fact.after) {
      const theirs = this.#streams.get(head.stream);
      const cause = theirs && factIn(theirs, head.seq, head.hash);
      if (cause === undefined) return this.#lacking(head);
      causes.push(cause);
    }

    const { ms, step } = placeAfter(fact.at, causes);
    const continues = prev !== undefined && this.#tips[prev.chain] === prev;
    const chain = continues ? prev.chain : this.#tips.length;
    const sight = continues && fact.after.length === 0 ? prev.sight : sightOf(causes);
    const placed = new Placed(fact, this.decider.read(fact), stream.site, stream.epoch, ms, step, chain, sight);

    if (this.base !== undefined && inOrder(placed, this.base.last) < 0) return void this.#undercutBy();
    this.#tips[chain] = placed;
    const at = fact.seq - firstOf(stream);
    if (stream.bySeq[at] === undefined) stream.bySeq[at] = placed;
    else stream.others.set(fact.hash, placed);
    this.#arrived.push(placed);
    return undefined;
  }

  /** A cause that is not here. What is beneath the snapshot never comes: it is there, and only its place is not known. */
  #lacking(head: Head): Head {
    const theirs = this.#streams.get(head.stream);
    if (theirs !== undefined && isBeneath(theirs, head.seq)) this.#undercutBy();
    return head;
  }

  #undercutBy(): readonly Fact[] {
    this.#undercut = true;
    return NONE;
  }

  #streamOf(name: StreamName): Stream<Body> {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const stream = emptyStream<Body>(name, undefined);
    this.#streams.set(name, stream);
    return stream;
  }

  /** Brings what has arrived into the order, and folding back to before the first place where something went in. */
  #arrange(): void {
    if (this.#arrived.length === 0) return;
    const arrived = this.#arrived;
    if (!isOrdered(arrived)) arrived.sort(inOrder);
    this.#arrived = [];
    if (this.#order.length === 0) {
      this.#order = arrived;
      return;
    }
    const from = placeIn(this.#order, arrived[0]!);
    if (from === this.#order.length) {
      for (const placed of arrived) this.#order.push(placed);
      return;
    }
    const moved = this.#order.splice(from);
    let next = 0;
    for (const placed of arrived) {
      while (next < moved.length && inOrder(moved[next]!, placed) < 0) this.#order.push(moved[next++]!);
      this.#order.push(placed);
    }
    while (next < moved.length) this.#order.push(moved[next++]!);
    if (from < this.#folded) ({ length: this.#folded, state: this.#state } = this.#checkpoints.backTo(from));
  }

  #fold(): void {
    if (this.#folded === this.#order.length) return;
    let pass = new Pass();
    let state = this.#state;
    for (let i = this.#folded; i < this.#order.length; i++) {
      const placed = this.#order[i]!;
      if (placed.body !== undefined) state = this.decider.evolve(state, placed.body, placed, pass);
      if (this.#checkpoints.due(i + 1, this.#order.length)) {
        this.#checkpoints.keep(i + 1, state);
        pass = new Pass(); // What is kept must not change any more.
      }
    }
    this.#state = state;
    this.#folded = this.#order.length;
    this.#checkpoints.keep(this.#folded, state);
  }
}

const NONE: readonly Fact[] = [];

/** As a writer's own facts come, and a store's. */
const isOrdered = (placed: readonly Placed<unknown>[]): boolean => {
  for (let i = 1; i < placed.length; i++) if (inOrder(placed[i - 1]!, placed[i]!) > 0) return false;
  return true;
};

const emptyStream = <Body>(name: StreamName, base: Said | undefined): Stream<Body> => ({
  ...authorOf(name),
  base,
  bySeq: [],
  others: new Map(),
});
const firstOf = ({ base }: Stream<unknown>): number => (base === undefined ? 0 : base.seq + 1);
const isBeneath = ({ base }: Stream<unknown>, seq: number): boolean => base !== undefined && seq <= base.seq;

const factIn = <Body>(stream: Stream<Body>, seq: number, hash: FactHash): Said | undefined => {
  const { base, bySeq, others } = stream;
  if (base !== undefined && seq <= base.seq) return base.hash === hash ? base : undefined;
  const first = bySeq[seq - firstOf(stream)];
  return first === undefined || first.hash === hash ? first : others.get(hash);
};

/** What somebody could see who had seen these. */
const sightOf = (causes: readonly Said[]): readonly number[] => {
  const sight: number[] = [];
  for (const cause of causes) {
    const theirs = cause.sight;
    while (sight.length < Math.max(theirs.length, cause.chain + 1)) sight.push(-1);
    for (let chain = 0; chain < theirs.length; chain++) if (theirs[chain]! > sight[chain]!) sight[chain] = theirs[chain]!;
    if (cause.seq > sight[cause.chain]!) sight[cause.chain] = cause.seq;
  }
  return sight;
};

/** Where in the order something belongs that is not there yet. Looks at the end first, where it nearly always belongs. */
const placeIn = (order: readonly Placed<unknown>[], placed: Placed<unknown>): number => {
  const last = order.at(-1);
  if (last === undefined || inOrder(last, placed) < 0) return order.length;
  let [low, high] = [0, order.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (inOrder(order[middle]!, placed) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
};
