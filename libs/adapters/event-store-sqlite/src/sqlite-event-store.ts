import { resolve } from 'node:path';
import { Refusal, categoryOf, type Fact, type StreamName } from '@isthmus/kernel';
import { SNAPSHOT_BYTES, type EventStore, type Position, type Stored } from '@isthmus/ports';
import type { FactRow, StoredRow } from './database-protocol.js';
import { DatabaseThread } from './database-thread.js';

export interface SqliteEventStoreOptions {
  /** The database; its folder is made if missing. `:memory:` keeps nothing. */
  readonly file: string;
}

export interface SqliteEventStore extends EventStore {
  /** Copies everything into a new file, whole and durable, while others go on. */
  copyTo(file: string): Promise<void>;
  /**
   * What was put back from a backup begins a life of its own: no tenure up to this number is ever begun here, because somebody may
   * have had it (merge rule 4), and no place up to it given to a fact, because a position may name it that was given in the life
   * before.
   */
  beginLife(after: number): Promise<void>;
}

/** A fact is a sentence, not a file: one of our own with more than this (as JSON, in bytes) is a mistake or an attack. */
const FACT_BYTES = 1024 * 1024;

const rowOf = (fact: Fact): FactRow => ({
  stream: fact.stream,
  category: categoryOf(fact.stream),
  seq: fact.seq,
  hash: fact.hash,
  json: JSON.stringify(fact),
});

const refuseTooLarge = ({ stream, seq, json }: FactRow): void => {
  const bytes = Buffer.byteLength(json);
  if (bytes <= FACT_BYTES) return;
  throw new Refusal('store.too-large', `Fact ${seq} of ${stream} has ${bytes} bytes; ${FACT_BYTES} is the most.`, { stream, seq, bytes });
};

const factOf = ({ json }: StoredRow): Fact => JSON.parse(json) as Fact;

/**
 * A position proves itself: it carries the beginning of its fact's hash, so that one from another store is noticed. So is one from
 * a life of this store that a restored backup undid, also where the fact has come back: its row is another.
 */
const positionOf = ({ row, hash }: StoredRow): Position => `${row}.${hash.slice(0, 16)}`;
const POSITION = /^(\d{1,16})\.(.{1,16})$/s;

/**
 * Keeps facts in one SQLite file (ADR 0004): fsynced before it acknowledges, many appends to one fsync. SQLite blocks, so it
 * works in a thread of its own.
 *
 * @throws Fault if the file cannot be used: `store.corrupt`, `store.newer`, `store.foreign`, `store.locked`, `store.read-only`,
 *   `store.full` or `store.unavailable`. The file is then as it was.
 */
export const sqliteEventStore = async ({ file }: SqliteEventStoreOptions): Promise<SqliteEventStore> => {
  const database = new DatabaseThread(file === ':memory:' ? file : resolve(file));
  await database.open();

  /** Counts, by category, how often something was learned; followers sleep until it grows. */
  const timesLearned = new Map<string, number>();
  const sleepers = new Set<() => void>();
  const closed = new AbortController();
  const countOf = (category: string) => timesLearned.get(category) ?? 0;
  const wake = (facts: readonly Fact[]) => {
    for (const category of new Set(facts.map(({ stream }) => categoryOf(stream)))) timesLearned.set(category, countOf(category) + 1);
    for (const sleeper of sleepers) sleeper();
  };
  /** Until something of the category was learned since `seen`, or one of these signals says stop. */
  const sleep = (category: string, seen: number, ...signals: AbortSignal[]) =>
    new Promise<void>((resolve) => {
      const over = () => countOf(category) !== seen || signals.some(({ aborted }) => aborted);
      if (over()) return resolve();
      const done = () => {
        if (!over()) return;
        sleepers.delete(done);
        for (const signal of signals) signal.removeEventListener('abort', done);
        resolve();
      };
      sleepers.add(done);
      for (const signal of signals) signal.addEventListener('abort', done);
    });

  const append = async (stream: StreamName, expected: number, facts: readonly Fact[]): Promise<void> => {
    const rows = facts.map(rowOf);
    rows.forEach(refuseTooLarge);
    await database.ask({ op: 'append', stream, expected, facts: rows });
    wake(facts);
  };

  const adopt = async (facts: readonly Fact[]): Promise<readonly Fact[]> => {
    if (facts.length === 0) return [];
    const news = await database.ask({ op: 'adopt', facts: facts.map(rowOf) });
    const fresh = news.map((index) => facts[index]!);
    wake(fresh);
    return fresh;
  };

  const read = async function* (stream: StreamName, from = 0): AsyncGenerator<Fact> {
    let [seq, row] = [from, 0];
    for (;;) {
      const rows = await database.ask({ op: 'read', stream, fromSeq: seq, afterRow: row });
      if (rows.length === 0) return;
      for (const found of rows) yield factOf(found);
      ({ seq, row } = rows.at(-1)!);
    }
  };

  const startOf = async (after: Position | undefined): Promise<number> => {
    const [, row, hash] = (after !== undefined && POSITION.exec(after)) || [];
    return row && hash ? database.ask({ op: 'locate', row: Number(row), hash }) : 0;
  };

  const learned = async function* (stream: StreamName, after?: Position): AsyncGenerator<Stored> {
    let row = await startOf(after);
    for (;;) {
      const rows = await database.ask({ op: 'learned', stream, afterRow: row });
      if (rows.length === 0) return;
      for (const found of rows) yield { position: positionOf(found), fact: factOf(found) };
      ({ row } = rows.at(-1)!);
    }
  };

  const keepSnapshot = async (name: string, text: string | undefined): Promise<void> => {
    const bytes = Buffer.byteLength(text ?? '');
    if (bytes > SNAPSHOT_BYTES)
      throw new Refusal('store.too-large', `The snapshot ${name} has ${bytes} bytes; ${SNAPSHOT_BYTES} is the most.`, { name, bytes });
    await database.ask({ op: 'keepSnapshot', name, text });
  };

  const follow = async function* (category: string, after: Position | undefined, signal: AbortSignal): AsyncGenerator<Stored> {
    const ended = () => signal.aborted || closed.signal.aborted;
    if (ended()) return;
    try {
      let row = await startOf(after);
      while (!ended()) {
        const seen = countOf(category);
        const rows = await database.ask({ op: 'page', category, afterRow: row });
        for (const found of rows) {
          if (ended()) return;
          yield { position: positionOf(found), fact: factOf(found) };
          row = found.row;
        }
        if (rows.length === 0) await sleep(category, seen, signal, closed.signal);
      }
    } catch (error) {
      // Closed while it read: an end, not a failure.
      if (!closed.signal.aborted) throw error;
    }
  };

  return {
    append,
    adopt,
    read,
    follow,
    learned,
    snapshot: (name) => database.ask({ op: 'snapshot', name }),
    keepSnapshot,
    streams: async (category) => (await database.ask({ op: 'streams', category })) as readonly StreamName[],
    copyTo: (to) => database.ask({ op: 'copyTo', file: resolve(to) }),
    beginLife: (after) => database.ask({ op: 'beginLife', after }),
    beginEpoch: () => database.ask({ op: 'beginEpoch' }),
    bookmark: (name) => database.ask({ op: 'bookmark', name }),
    setBookmark: (name, position) => database.ask({ op: 'setBookmark', name, position }),
    close: () => {
      closed.abort();
      return database.close();
    },
  };
};
