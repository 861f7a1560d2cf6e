import type { Fact, StreamName, WriterId } from '@isthmus/kernel';

/** A place in a store's own log. Comparable only with positions of the same store; opaque to everybody else. */
export type Position = string;

export interface Stored {
  readonly position: Position;
  readonly fact: Fact;
}

/** Who decides a subject (a room), written down where all can read it, and how the one before is kept from writing on (ADR 0059). */
export interface Sharing {
  /**
   * Says that `writer` decides for a subject from now on, durably and after all who said so before. Resolves with those of them
   * whose streams may not all be fenced yet: {@link fence} them, read them, then {@link settle}.
   */
  claim(subject: string, writer: WriterId): Promise<readonly WriterId[]>;
  /** The streams of all who claimed the subject before this writer are fenced. */
  settle(subject: string, writer: WriterId): Promise<void>;
  /** Whoever appends to one of these streams from now on gets Fault `store.fenced`. What is there stays, and is adopted as before. */
  fence(streams: readonly StreamName[]): Promise<void>;
}

/** As much as a server of facts takes in one piece, and a little less. */
export const SNAPSHOT_BYTES = 960 * 1024;

export interface EventStore {
  /**
   * Appends to a stream that this site owns; `expected` is the seq of the last fact the decision was made against, -1 for
   * none. Resolves when the facts are durable (fsynced), and only then. The very same append again is once, so that an unknown
   * outcome can be retried.
   * @throws Refusal `store.conflict` if the stream has moved on, `store.too-large` for a fact of more than 1 MiB; Fault
   *   `store.unavailable` | `store.full` | `store.busy` if the world failed, `store.fenced` if the store knows that a later epoch
   *   has begun, or that the stream was fenced.
   */
  append(stream: StreamName, expected: number, facts: readonly Fact[]): Promise<void>;
  /** Facts of one stream in order, from seq `from` (default 0). A stream that nobody wrote is empty, not an error. */
  read(stream: StreamName, from?: number): AsyncIterable<Fact>;
  /**
   * Keeps a peer's facts byte for byte as they are. Idempotent: a fact that is here already (same hash) is nothing new.
   * A second fact at the same seq with another hash is kept too, beside the first (a forked writer: both stories stay).
   * Resolves when durable, with the facts that were new.
   */
  adopt(facts: readonly Fact[]): Promise<readonly Fact[]>;
  /**
   * Every fact of a category (`conference`, `room`, `estate`) in the order this store learned it, then live, until aborted. A
   * position that this store never gave (another store's, or from before a backup was restored) replays from the start.
   */
  follow(category: string, after: Position | undefined, signal: AbortSignal): AsyncIterable<Stored>;
  /** The streams of a category. */
  streams(category: string): Promise<readonly StreamName[]>;
  /**
   * Facts of one stream in the order in which this store learned them, up to now, behind a place that it gave here for this stream.
   * Any other place (another store's, or from before a backup was restored) means: from the start.
   */
  learned(stream: StreamName, after?: Position): AsyncIterable<Stored>;
  /** What was last kept under a name, whole; undefined if nothing is. A hint, like a bookmark: whoever uses it proves it against the facts. */
  snapshot(name: string): Promise<string | undefined>;
  /**
   * Keeps a text in place of what was there, all of it or nothing, whenever the world fails; undefined: nothing any more. Resolves
   * when durable.
   * @throws Refusal `store.too-large` for more than {@link SNAPSHOT_BYTES} (as UTF-8); Faults as `append` does
   */
  keepSnapshot(name: string, text: string | undefined): Promise<void>;
  /** Begins a new tenure: a number that this store has never given before, durable before it is returned (merge rule 4). */
  beginEpoch(): Promise<number>;
  /** How far a follower named `name` has come; a hint to resume from, kept lazily. */
  bookmark(name: string): Promise<Position | undefined>;
  /**
   * @param when `before-facts`: it says something of facts that come next, and nothing that is adopted from now on is durable before it
   *   is. Left out, it is written some time.
   */
  setBookmark(name: string, position: Position, when?: 'before-facts'): Promise<void>;
  /** How several processes that have this store open agree on who decides what. A store that lets in only one has none. */
  readonly sharing?: Sharing;
  /** What keeps the store from working now, as a sentence; undefined when nothing does. A store within the process says so when it is used. */
  trouble?(): Promise<string | undefined>;
  close(): Promise<void>;
}
