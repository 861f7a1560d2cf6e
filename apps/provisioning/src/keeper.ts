import { createHash } from 'node:crypto';
import { seal, streamNameOf, writerIdOf, type Fact, type Head, type StreamName } from '@isthmus/kernel';
import { inManagementsOrder, MANAGEMENT } from '@isthmus/estate';
import type { Clock, EventStore } from '@isthmus/ports';

interface Decided {
  readonly type: string;
}

export interface KeeperOptions<State, Command> {
  readonly store: EventStore;
  readonly clock: Clock;
  /** Part of the stream's name before the `-`: `estate`. */
  readonly category: string;
  /** This process' tenure, from {@link EventStore.beginEpoch}. */
  readonly epoch: number;
  readonly initial: State;
  readonly decide: (command: Command, state: State) => readonly Decided[];
  readonly evolve: (state: State, fact: Fact) => State;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Keeps one kind of management's facts: decides one command after the other against what is durable, and tells whoever
 * listens. Management has one process, so its stream has one writer; every start begins a new epoch (merge rule 4).
 */
export class Keeper<State, Command> {
  private readonly known: Fact[] = [];
  private readonly listeners = new Set<(facts: readonly Fact[]) => void>();
  private readonly stream: StreamName;
  private last: Promise<unknown> = Promise.resolve();
  private current: State;
  /** An append failed in a way that leaves open whether it is durable: look before the next one. */
  private unsure = false;

  private constructor(private readonly options: KeeperOptions<State, Command>) {
    this.stream = streamNameOf(options.category, 'main', writerIdOf(MANAGEMENT, options.epoch));
    this.current = options.initial;
  }

  static async open<State, Command>(options: KeeperOptions<State, Command>): Promise<Keeper<State, Command>> {
    const keeper = new Keeper(options);
    const facts: Fact[] = [];
    for (const stream of await options.store.streams(options.category))
      for await (const fact of options.store.read(stream)) facts.push(fact);
    keeper.take(facts.sort(inManagementsOrder));
    return keeper;
  }

  get state(): State {
    return this.current;
  }

  get epoch(): number {
    return this.options.epoch;
  }

  /** Every fact so far, in management's order. */
  get facts(): readonly Fact[] {
    return this.known;
  }

  /**
   * Decides and records; resolves with the new facts once they are durable. `intention` sees the state that it will be
   * decided against, so it may check what must not change in between.
   */
  act(by: string, intention: (state: State) => Command | Promise<Command>): Promise<readonly Fact[]> {
    const acted = this.last.then(() => this.actNow(by, intention));
    this.last = acted.catch(() => undefined);
    return acted;
  }

  /** Calls back after facts were recorded, in order, until the returned function is called. */
  listen(listener: (facts: readonly Fact[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private async actNow(by: string, intention: (state: State) => Command | Promise<Command>): Promise<readonly Fact[]> {
    if (this.unsure) await this.lookAgain();
    const command = await intention(this.current);
    const facts = this.sealed(by, this.options.decide(command, this.current));
    const [first] = facts;
    if (!first) return [];
    try {
      await this.options.store.append(this.stream, first.seq - 1, facts);
    } catch (error) {
      this.unsure = true;
      throw error;
    }
    this.take(facts);
    return facts;
  }

  private sealed(by: string, decided: readonly Decided[]): readonly Fact[] {
    const facts: Fact[] = [];
    for (const { type, ...body } of decided) {
      const before = facts.at(-1) ?? this.own.at(-1);
      const at = Math.max(Math.trunc(this.options.clock.now()), before?.at ?? 0);
      const after = before ? [] : this.headsOfEarlierTenures();
      const unsealed = { stream: this.stream, seq: (before?.seq ?? -1) + 1, at, prev: before?.hash ?? null, after, by, type, v: 1, body };
      facts.push(seal(unsealed, sha256));
    }
    return facts;
  }

  private get own(): readonly Fact[] {
    return this.known.filter(({ stream }) => stream === this.stream);
  }

  private headsOfEarlierTenures(): readonly Head[] {
    const heads = new Map<StreamName, Head>();
    for (const { stream, seq, hash } of this.known) heads.set(stream, { stream, seq, hash });
    return [...heads.values()];
  }

  private async lookAgain(): Promise<void> {
    const missed: Fact[] = [];
    for await (const fact of this.options.store.read(this.stream, this.own.length)) missed.push(fact);
    this.unsure = false;
    if (missed.length > 0) this.take(missed);
  }

  private take(facts: readonly Fact[]): void {
    this.known.push(...facts);
    this.current = facts.reduce(this.options.evolve, this.current);
    for (const listener of this.listeners) listener(facts);
  }
}
