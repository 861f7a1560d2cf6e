import { categoryOf, Fault, Refusal, subjectOf, type Fact, type StreamName } from '@isthmus/kernel';
import type { EventStore, Position, Stored } from '@isthmus/ports';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';

/** The share of writes that take very long at any time. */
const SELDOM = 0.01;

/** A fact, and its place among all of its category, from 1 on. */
interface Kept {
  readonly at: number;
  readonly fact: Fact;
}

/** Of a conference's id; what has no room in it is of none. */
const roomOf = (conference: string): string => conference.slice(0, Math.max(0, conference.indexOf('_')));

const NOTHING: readonly Kept[] = [];

/** @returns how many there are under this name now */
const pushed = <Name, Item>(lists: Map<Name, Item[]>, name: Name, item: Item): number => {
  const list = lists.get(name);
  if (list !== undefined) return list.push(item);
  lists.set(name, [item]);
  return 1;
};

/** What survives when the process does not: facts in the order in which they became durable, and counters. */
export class Disk {
  readonly facts = new Map<string, Fact>();
  private order: Fact[] = [];
  private meetings = new Map<string, Fact[]>();
  private categories = new Map<string, Fact[]>();
  private kept = new Map<StreamName, Kept[]>();
  private heads = new Map<StreamName, number>();
  private streamNames = new Map<string, StreamName[]>();
  bookmarks = new Map<string, Position>();
  snapshots = new Map<string, string>();
  epoch = 0;
  /** Which facts came in before this disk was put back from a backup, and in which life the others. */
  private lives = new Map<string, number>();
  private life = 0;
  /** When something was last written. */
  writtenMs = 0;
  /** When something last could not be written. */
  refusedMs = -Infinity;
  /** Until somebody makes room. */
  full = false;
  /** The share of its writes that take very long. */
  stalling = SELDOM;

  head(stream: StreamName): number {
    return this.heads.get(stream) ?? -1;
  }

  rows(category: string): readonly Fact[] {
    return this.categories.get(category) ?? [];
  }

  /** What came after the first so many. */
  since(count: number): readonly Fact[] {
    return count === this.order.length ? [] : this.order.slice(count);
  }

  /** Facts of a room's conferences. */
  meetingsIn(room: string): readonly Fact[] {
    return this.meetings.get(room) ?? [];
  }

  /** What there is of one stream. */
  of(stream: StreamName): readonly Kept[] {
    return this.kept.get(stream) ?? NOTHING;
  }

  streams(category: string): readonly StreamName[] {
    return (this.streamNames.get(category) ?? []).toSorted();
  }

  /** True if it was not here. */
  insert(fact: Fact): boolean {
    if (this.facts.has(fact.hash)) return false;
    const category = categoryOf(fact.stream);
    this.facts.set(fact.hash, fact);
    this.lives.set(fact.hash, this.life);
    this.order.push(fact);
    if (category === 'conference') pushed(this.meetings, roomOf(subjectOf(fact.stream)), fact);
    const at = pushed(this.categories, category, fact);
    if (pushed(this.kept, fact.stream, { at, fact }) === 1) pushed(this.streamNames, category, fact.stream);
    this.heads.set(fact.stream, Math.max(this.head(fact.stream), fact.seq));
    return true;
  }

  get isSlow(): boolean {
    return this.stalling > SELDOM;
  }

  /** For a while, until it is itself again. */
  stalls(often: number | undefined): void {
    this.stalling = often ?? SELDOM;
  }

  /** A copy, as a backup is one. */
  copy(): Disk {
    const copy = new Disk();
    for (const fact of this.facts.values()) copy.insert(fact);
    copy.lives = new Map(this.lives);
    copy.life = this.life;
    copy.bookmarks = new Map(this.bookmarks);
    copy.snapshots = new Map(this.snapshots);
    copy.epoch = this.epoch;
    return copy;
  }

  /** As `isthmus restore` does with what it has put back: no tenure and no position that anybody may know. */
  beginLife(life: number): void {
    this.epoch = Math.max(this.epoch, life);
    this.life = life;
  }

  positionOf(category: string, at: number): Position {
    const { hash } = this.rows(category)[at - 1]!;
    return `${at}.${hash.slice(0, 12)}.${this.lives.get(hash)}`;
  }

  /** A position that this disk never gave, or in a life before this one, means: from the start. */
  placeOf(category: string, position: Position | undefined): number {
    const at = Number((position ?? '').split('.')[0]);
    return at > 0 && at <= this.rows(category).length && this.positionOf(category, at) === position ? at : 0;
  }
}

/** Where a store may be told to stop its process for good: before what was written is durable, after it, or after it was acknowledged. */
export type Boundary = 'before append' | 'after append' | 'after acknowledgement';

export interface StoreWorld {
  readonly schedule: Schedule;
  readonly random: Random;
  /** Asked at every append: whether the process dies there. */
  readonly dies: () => Boundary | undefined;
  readonly die: () => void;
  /** Asked at every snapshot: how much of it reaches the disk if the process dies there. Less than a disk that keeps its word would do. */
  readonly tears: () => number | undefined;
  /** Facts of this site's own that have become durable. */
  readonly recorded: (facts: readonly Fact[]) => void;
}

interface Write {
  readonly apply: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly boundary: Boundary | undefined;
}

/** A disk as one process sees it. What is written becomes durable a little later, and is acknowledged then, as an fsync is. */
export class SimulatedStore implements EventStore {
  #dead = false;
  readonly #writes: Write[] = [];
  #busy = false;
  readonly #waiting = new Set<() => void>();
  /** Kept lazily: they reach the disk with the next commit. */
  readonly #bookmarks = new Map<string, Position>();

  constructor(
    private readonly disk: Disk,
    private readonly world: StoreWorld,
  ) {}

  append(stream: StreamName, expected: number, facts: readonly Fact[]): Promise<void> {
    return this.#write(() => {
      const head = this.disk.head(stream);
      if (head === expected) {
        for (const fact of facts) this.disk.insert(fact);
        this.world.recorded(facts);
      } else if (head < expected || !facts.every(({ hash }) => this.disk.facts.has(hash)))
        throw new Refusal('store.conflict', `${stream} stands at ${head}, not at ${expected}.`);
    }, this.world.dies());
  }

  adopt(facts: readonly Fact[]): Promise<readonly Fact[]> {
    return this.#write(() => facts.filter((fact) => this.disk.insert(fact)), undefined);
  }

  beginEpoch(): Promise<number> {
    return this.#write(() => (this.disk.epoch += 1), undefined);
  }

  async *read(stream: StreamName, from = 0): AsyncIterable<Fact> {
    for (const { fact } of this.disk.of(stream)) if (fact.seq >= from) yield fact;
    if (this.#dead) await never();
  }

  async *follow(category: string, after: Position | undefined, signal: AbortSignal): AsyncIterable<Stored> {
    let at = this.disk.placeOf(category, after);
    let wake = () => {};
    const aborted = () => wake();
    signal.addEventListener('abort', aborted);
    try {
      while (!signal.aborted) {
        if (this.#dead) await never();
        const all = this.disk.rows(category);
        if (at < all.length) {
          const fact = all[at]!;
          at += 1;
          yield { position: this.disk.positionOf(category, at), fact };
        } else
          await new Promise<void>((resolve) => {
            wake = () => {
              this.#waiting.delete(wake);
              resolve();
            };
            this.#waiting.add(wake);
          });
      }
    } finally {
      signal.removeEventListener('abort', aborted);
    }
  }

  async *learned(stream: StreamName, after?: Position): AsyncIterable<Stored> {
    const category = categoryOf(stream);
    const place = this.disk.placeOf(category, after);
    for (const { at, fact } of this.disk.of(stream)) if (at > place) yield { position: this.disk.positionOf(category, at), fact };
    if (this.#dead) await never();
  }

  snapshot(name: string): Promise<string | undefined> {
    return this.#dead ? never() : Promise.resolve(this.disk.snapshots.get(name));
  }

  keepSnapshot(name: string, text: string | undefined): Promise<void> {
    if (this.#dead) return never();
    if (this.disk.full) return Promise.reject(new Fault('store.full', 'The disk is full.'));
    const part = text === undefined ? undefined : this.world.tears();
    if (text === undefined) this.disk.snapshots.delete(name);
    else this.disk.snapshots.set(name, part === undefined ? text : text.slice(0, Math.floor(text.length * part)));
    if (part === undefined) return Promise.resolve();
    this.world.die();
    return never();
  }

  streams(category: string): Promise<readonly StreamName[]> {
    return this.#dead ? never() : Promise.resolve(this.disk.streams(category));
  }

  bookmark(name: string): Promise<Position | undefined> {
    return this.#dead ? never() : Promise.resolve(this.#bookmarks.get(name) ?? this.disk.bookmarks.get(name));
  }

  setBookmark(name: string, position: Position): Promise<void> {
    if (this.#dead) return never();
    this.#bookmarks.set(name, position);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The process is gone. Of what was being written, the first part may have reached the disk, and with it the bookmarks that were set before. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    let reaches = this.world.random.between(0, this.#writes.length);
    for (const { apply } of this.#writes.splice(0)) {
      if (reaches-- <= 0) break;
      try {
        apply();
        this.#keepBookmarks();
      } catch {
        break;
      }
    }
  }

  #write<T>(apply: () => T, boundary: Boundary | undefined): Promise<T> {
    if (this.#dead) return never();
    if (boundary === 'before append') {
      this.world.die();
      return never();
    }
    return new Promise<T>((resolve, reject) => {
      this.#writes.push({ apply, resolve: resolve, reject, boundary });
      this.#next();
    });
  }

  #next(): void {
    if (this.#busy || this.#writes.length === 0) return;
    this.#busy = true;
    const { random, schedule } = this.world;
    const stalls = random.happens(this.disk.stalling);
    schedule.after(stalls ? random.between(50, 400) : random.between(1, 6), () => this.#commit());
  }

  #commit(): void {
    if (this.#dead) return;
    this.#busy = false;
    const { apply, resolve, reject, boundary } = this.#writes.shift()!;
    if (this.disk.full) {
      this.disk.refusedMs = this.world.schedule.nowMs;
      reject(new Fault('store.full', 'The disk is full.'));
      return this.#next();
    }
    try {
      const result = apply() as never;
      this.disk.writtenMs = this.world.schedule.nowMs;
      this.#keepBookmarks();
      if (boundary === 'after append') return this.world.die();
      resolve(result);
      if (boundary === 'after acknowledgement') this.world.schedule.after(0, () => this.world.die());
    } catch (error) {
      reject(error);
    }
    for (const wake of [...this.#waiting]) wake();
    this.#next();
  }

  #keepBookmarks(): void {
    for (const [name, position] of this.#bookmarks) this.disk.bookmarks.set(name, position);
    this.#bookmarks.clear();
  }
}

/** A process that is gone answers nobody. */
export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
