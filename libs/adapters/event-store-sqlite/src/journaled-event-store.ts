import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, type Fact, type StreamName } from '@isthmus/kernel';
import type { EventStore, Position, Stored } from '@isthmus/ports';
import { Journal } from './journal.js';

export interface JournaledEventStoreOptions {
  /** The store that is written to while it is there, and that gets everything in the end. It is closed with this one. */
  readonly store: EventStore;
  /** A folder on a disk of this machine, this process' own or shared with others like it. */
  readonly folder: string;
  /** How long the store may take for an append before it goes to the journal. Default 1.5 s */
  readonly patienceMs?: number;
  /** How often it is looked whether the store is back. Default 500 ms */
  readonly lookEveryMs?: number;
  /** Says when the journal begins, and when all of it is in the store. */
  readonly report?: (said: { readonly journaling: boolean; readonly why: string }) => void;
}

const PATIENCE_MS = 1_500;
const LOOK_EVERY_MS = 500;
const PORTION = 200;
const ADDED_WITHIN_MS = 5;
/** With so few left, everybody may wait a moment for them. */
const LAST_FEW = 50;
/** Where more comes in than goes over, it does not get better by waiting. */
const ROUNDS_MAX = 10;
/** So many of the last facts that the store took: followers may not have heard of them from it before it went away. */
const RECENT = 1_000;

/**
 * A store that may be away: what is appended or adopted then goes to a journal on this machine's disk, fsynced, and from there to
 * the store when it is back, as the same facts in the same streams (ADR 0060). Begin an epoch, claim and read what is not here
 * wait for the store. Nobody else may write under this process' names.
 *
 * @throws Fault what the journal's folder or a journal that was left there cannot be used for
 */
export const journaledEventStore = async (options: JournaledEventStoreOptions): Promise<EventStore> => {
  const { store, folder, patienceMs = PATIENCE_MS, lookEveryMs = LOOK_EVERY_MS, report = () => undefined } = options;
  mkdirSync(folder, { recursive: true });
  /** Undefined: the store is there, and has everything. */
  let journal: Promise<Journal> | undefined;
  let looking: NodeJS.Timeout | undefined;
  let carrying: Promise<void> = Promise.resolve();
  const closed = new AbortController();
  const bookmarks = new Map<string, Position>();
  /** Facts that went to the journal while what was there before is being carried over. */
  let late: Fact[] | undefined;
  const recent: Fact[] = [];
  /** How many are on their way to the journal. */
  let adding = 0;
  /** While the last of the journal goes over to the store, nothing is written to either. */
  let gate: Promise<void> | undefined;

  const beginJournal = (why: unknown): Promise<Journal> => {
    if (journal === undefined) {
      report({ journaling: true, why: why instanceof Error ? why.message : String(why) });
      const begun = Journal.open(join(folder, `${randomUUID()}.db`));
      journal = begun;
      for (const follower of followers) follower(recent);
      begun.then(lookLater, () => (journal = undefined));
    }
    return journal;
  };

  const journaled = async (facts: readonly Fact[], why: unknown): Promise<readonly Fact[]> => {
    while (gate !== undefined) await gate;
    adding += 1;
    try {
      const fresh = await (await beginJournal(why)).add(facts);
      late?.push(...facts);
      for (const follower of followers) follower(facts);
      return fresh;
    } finally {
      adding -= 1;
    }
  };

  /** The store first, and the journal if it does not take them. Whether it has them after all is not known, and does not matter. */
  const kept = async <T>(facts: readonly Fact[], inStore: () => Promise<T>, otherwise: (why: unknown) => Promise<T>): Promise<T> => {
    while (gate !== undefined) await gate;
    if (journal !== undefined) return otherwise('the store is away');
    try {
      const result = await within(inStore(), patienceMs);
      recent.push(...facts);
      recent.splice(0, recent.length - RECENT);
      return result;
    } catch (error) {
      if (closed.signal.aborted || !isAway(error)) throw error;
      return otherwise(error);
    }
  };

  const lookLater = (): void => {
    if (!closed.signal.aborted) looking = setTimeout(() => void (carrying = look()), lookEveryMs);
  };

  const look = async (): Promise<void> => {
    if (journal === undefined) return;
    let open: () => void = () => undefined;
    try {
      if ((await store.trouble?.()) !== undefined) return lookLater();
      const begun = await journal;
      late = [];
      await carryOver(begun, store);
      for (let round = 0; late.length > LAST_FEW && round < ROUNDS_MAX; round += 1) await adoptAll(store, late.splice(0));
      gate = new Promise((resolve) => (open = resolve));
      while (adding > 0) await sleep(ADDED_WITHIN_MS);
      // Nobody waits here for longer than they would have for the store: what does not go over now goes over another time.
      await within(adoptAll(store, late.splice(0)), patienceMs);
      journal = undefined;
      report({ journaling: false, why: 'everything is in the store' });
      await begun.remove();
    } catch (error) {
      if (!isAway(error)) report({ journaling: true, why: error instanceof Error ? error.message : String(error) });
      lookLater();
    } finally {
      late = undefined;
      gate = undefined;
      open();
    }
  };

  const followers = new Set<(facts: readonly Fact[]) => void>();

  /** What the journal has, if there is one; one that comes to its end while it is asked has nothing that the store has not. */
  const inJournal = async <T>(ask: (begun: Journal) => Promise<readonly T[]>): Promise<readonly T[]> => {
    for (;;) {
      const asked = journal;
      if (asked === undefined) return [];
      try {
        return await ask(await asked);
      } catch (error) {
        if (journal === asked) throw error;
      }
    }
  };

  /** What the store has, and meanwhile what only the journal has: the latter at the place where the store's ended, and not again. */
  const follow = async function* (category: string, after: Position | undefined, signal: AbortSignal): AsyncGenerator<Stored> {
    const over = AbortSignal.any([signal, closed.signal]);
    const ahead: Fact[] = [];
    /** What was given to this follower from here, until the store gives it too; and what the store gave lately. */
    const given = new Set<string>();
    const passed = new Set<string>();
    let wake: () => void = () => undefined;
    const learn = (facts: readonly Fact[]) => {
      ahead.push(...facts.filter(isOf(category)));
      wake();
    };
    followers.add(learn);
    const inStore = store.follow(category, after, over)[Symbol.asyncIterator]();
    let next = inStore.next();
    let position = after ?? '';
    try {
      // Before what may have come since it began to listen.
      if (journal !== undefined) {
        const before = recent.filter(isOf(category));
        ahead.unshift(...before, ...(await inJournal((begun) => begun.facts(category))));
      }
      while (!over.aborted) {
        for (let fact = ahead.shift(); fact !== undefined && !over.aborted; fact = ahead.shift()) {
          if (given.has(fact.hash) || passed.has(fact.hash)) continue;
          given.add(fact.hash);
          yield { position, fact };
        }
        const result = await Promise.race([
          next,
          new Promise<undefined>((resolve) => {
            wake = () => resolve(undefined);
            over.addEventListener('abort', wake, { once: true });
            if (ahead.length > 0 || over.aborted) wake();
          }),
        ]);
        over.removeEventListener('abort', wake);
        if (result === undefined) continue;
        if (result.done) return;
        next = inStore.next();
        ({ position } = result.value);
        const { hash } = result.value.fact;
        for (const old of passed.add(hash)) if (passed.size <= 2 * RECENT || !passed.delete(old)) break;
        if (!given.delete(hash)) yield result.value;
      }
    } finally {
      followers.delete(learn);
      next.catch(() => undefined);
      void inStore.return?.().catch(() => undefined);
    }
  };

  const read = async function* (stream: StreamName, from = 0): AsyncGenerator<Fact> {
    const pending = await inJournal((begun) => begun.read(stream, from));
    if (pending.length === 0) {
      yield* store.read(stream, from);
      return;
    }
    const known = new Map<string, Fact>();
    for await (const fact of store.read(stream, from)) known.set(fact.hash, fact);
    for (const fact of pending) if (!known.has(fact.hash)) known.set(fact.hash, fact);
    yield* [...known.values()].sort((a, b) => a.seq - b.seq);
  };

  for (const name of readdirSync(folder).filter((each) => each.endsWith('.db'))) {
    const left = await Journal.openLeft(join(folder, name));
    if (left === undefined) continue; // Some other process' that lives.
    await carryOver(left, store);
    await left.remove();
  }

  return {
    append: (stream, expected, facts) =>
      kept(
        facts,
        () => store.append(stream, expected, facts),
        async (why) => void (await journaled(facts, why)),
      ),
    adopt: async (facts) => {
      const fresh: Fact[] = [];
      // Patience is for so many, or a store that is given a whole history would seem to be away.
      for (const some of portions(facts)) {
        const inStore = () => store.adopt(some);
        fresh.push(...(await kept(some, inStore, (why) => journaled(some, why))));
      }
      return fresh;
    },
    read,
    follow,
    streams: async (category) => {
      const pending = await inJournal((begun) => begun.streams(category));
      return [...new Set([...(await store.streams(category)), ...pending])].sort();
    },
    // In what order the store will have learned what is here, nobody can say yet.
    learned: async function* (stream, after) {
      if (journal !== undefined) throw new Fault('store.unavailable', 'The store is away.');
      yield* store.learned(stream, after);
    },
    snapshot: (name) => store.snapshot(name),
    keepSnapshot: (name, text) => store.keepSnapshot(name, text),
    beginEpoch: () => store.beginEpoch(),
    bookmark: async (name) => {
      const known = bookmarks.get(name) ?? (await store.bookmark(name));
      if (known !== undefined) bookmarks.set(name, known);
      return known;
    },
    setBookmark: async (name, position, when) => {
      // Of what is ahead of the store there is no place that the store knows.
      if (position === '') return;
      bookmarks.set(name, position);
      await store.setBookmark(name, position, when);
    },
    ...(store.sharing === undefined ? {} : { sharing: store.sharing }),
    trouble: async () => {
      const why = await store.trouble?.();
      if (journal === undefined) return why;
      return `${why ?? 'The store is back.'} What is decided is in the journal of this machine until all of it is in the store.`;
    },
    close: async () => {
      closed.abort();
      clearTimeout(looking);
      await within(carrying, patienceMs).catch(() => undefined);
      await (await journal)?.close();
      await store.close();
    },
  };
};

const isOf =
  (category: string) =>
  ({ stream }: Fact): boolean =>
    stream.startsWith(`${category}-`);

/** All that a journal has, into the store: what is there already is known there by its hash. */
const carryOver = async (journal: Journal, store: EventStore): Promise<void> => {
  for await (const facts of journal.all(PORTION)) await store.adopt(facts);
};

const adoptAll = async (store: EventStore, facts: readonly Fact[]): Promise<void> => {
  for (const some of portions(facts)) await store.adopt(some);
};

const portions = (facts: readonly Fact[]): readonly (readonly Fact[])[] =>
  Array.from({ length: Math.ceil(facts.length / PORTION) }, (_, at) => facts.slice(at * PORTION, (at + 1) * PORTION));

/** Only the world's failures: what the store refuses, or says was taken over, is no reason to write it elsewhere. */
const isAway = (error: unknown): boolean => error instanceof Fault && (error as Fault).code === 'store.unavailable';

const within = <T>(work: Promise<T>, ms: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault('store.unavailable', `The store has not answered for ${ms} ms.`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};
