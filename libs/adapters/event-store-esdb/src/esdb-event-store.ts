import { ErrorType, FORWARDS, NO_STREAM, START, streamNameFilter, type AllStreamSubscription } from '@eventstore/db-client';
import { categoryOf, Defect, Refusal, type Fact, type StreamName } from '@isthmus/kernel';
import type { EventStore, Position, Sharing, Stored } from '@isthmus/ports';
import { Bookkeeping } from './bookkeeping.js';
import { Claims } from './claims.js';
import { Connection } from './connection.js';
import { eventOf, factOf, fenceEvent, isFence, placeOf, refuseTooLarge, storedOf, type LogPlace } from './events.js';
import { closedFault, failureOf, fencedFault, kindOf, mayPass } from './failures.js';
import { KnownStreams, extend, knownOf, type KnownStream } from './known-streams.js';

export interface EsdbEventStoreOptions {
  /** `esdb://user:password@host:2113?tls=true`. The user must be allowed to read `$all`. */
  readonly connectionString: string;
  /** What all stream names begin with, where several deployments share a server. */
  readonly namespace?: string;
  /** How long a call may take, its repetitions included. Default 10 s. */
  readonly patienceMs?: number;
  /** How long to wait for a server that does not answer at the start. Default 60 s. */
  readonly waitMs?: number;
  /** Says, once, that the server is waited for. */
  readonly waiting?: (why: string) => void;
}

export interface EsdbEventStore extends EventStore {
  /** What keeps the store from working, as a sentence; undefined when nothing does. For `/healthz/ready`. */
  trouble(): Promise<string | undefined>;
  readonly sharing: Sharing;
}

const PATIENCE_MS = 10_000;
const WAIT_MS = 60_000;
const ASK_MS = 2_000;
const AGAIN_MS = { first: 100, most: 2_000 };
/** An append of several facts is one event batch on the server, which takes a megabyte by default: adopted facts go in portions. */
const ADOPT_BYTES = 512 * 1024;
/** Streams that are adopted into side by side. */
const AT_ONCE = 32;

/**
 * Keeps facts in EventStoreDB (ADR 0042): one stream there per stream of ours, one event per fact, always against an exact
 * revision.
 *
 * @throws Fault `store.unavailable` if the server does not answer in time, `store.forbidden` if it does not let us in
 */
export const esdbEventStore = async (options: EsdbEventStoreOptions): Promise<EsdbEventStore> => {
  const { connectionString, namespace = '', patienceMs = PATIENCE_MS, waitMs = WAIT_MS } = options;
  const connection = new Connection(connectionString, patienceMs);
  const { client, where } = connection;
  const bookkeeping = new Bookkeeping(connection, `${namespace}isthmus:`);
  const known = new KnownStreams();
  await started(connection, bookkeeping, waitMs, options.waiting);

  const nameOf = (stream: StreamName): string => `${namespace}${stream}`;
  /** @throws Refusal | Fault */
  const inOurWords = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw failureOf(error, where);
    }
  };

  /** Everything that a stream holds, in the order in which the server learned it. */
  const load = async (stream: StreamName): Promise<{ readonly facts: readonly Fact[]; readonly known: KnownStream }> => {
    const [facts, revision, fenced] = await connection.call(async () => {
      const found: Fact[] = [];
      let last = -1n;
      let ended = false;
      const events = client.readStream(nameOf(stream), { direction: FORWARDS, fromRevision: START });
      // Somebody must listen when it breaks after we have stopped reading.
      events.on('error', () => undefined);
      try {
        for await (const resolved of events) {
          last = resolved.event?.revision ?? last;
          const fact = factOf(resolved);
          if (fact) found.push(fact);
          ended ||= isFence(resolved);
        }
      } catch (error) {
        if (kindOf(error) !== ErrorType.STREAM_NOT_FOUND) throw error;
      }
      return [found, last, ended] as const;
    });
    const loaded = knownOf(facts, revision, fenced);
    known.keep(stream, loaded);
    return { facts, known: loaded };
  };

  /** Events of a stream from a revision on, each with its fact if it is one. */
  const readBehind = (stream: StreamName, from: bigint | undefined) =>
    connection.call(async () => {
      const found: { readonly revision: bigint; readonly fact: Fact | undefined }[] = [];
      const events = client.readStream(nameOf(stream), { direction: FORWARDS, fromRevision: from ?? START });
      events.on('error', () => undefined);
      try {
        for await (const resolved of events) if (resolved.event) found.push({ revision: resolved.event.revision, fact: factOf(resolved) });
      } catch (error) {
        if (kindOf(error) !== ErrorType.STREAM_NOT_FOUND) throw error;
      }
      return found;
    });

  /** @throws what the client throws; a wrong revision among it */
  const write = async (stream: StreamName, to: KnownStream, facts: readonly Fact[]): Promise<void> => {
    const expectedRevision = to.revision < 0n ? NO_STREAM : to.revision;
    const events = facts.map(eventOf);
    const { nextExpectedRevision } = await connection.call(() => client.appendToStream(nameOf(stream), events, { expectedRevision }));
    extend(to, facts, nextExpectedRevision);
  };

  const appendInTurn = async (stream: StreamName, expected: number, facts: readonly Fact[]): Promise<void> => {
    // Whoever says that there is nothing yet is believed: the server knows better if not.
    const at = known.get(stream) ?? (expected === -1 ? knownOf([], -1n) : (await load(stream)).known);
    if (at.head === expected && !at.fenced) {
      try {
        await write(stream, at, facts);
        known.keep(stream, at);
        return;
      } catch (error) {
        known.forget(stream);
        if (kindOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
      }
    }
    const { known: now } = await load(stream);
    if (facts.every(({ hash }) => now.hashes.has(hash))) return;
    if (now.fenced) throw fencedFault(stream);
    if (now.head === expected) return appendInTurn(stream, expected, facts);
    const words = `${stream} stands at ${now.head}, not at ${expected}: decide again on what it holds now.`;
    throw new Refusal('store.conflict', words, { stream, expected, actual: now.head });
  };

  const append = async (stream: StreamName, expected: number, facts: readonly Fact[]): Promise<void> => {
    if (connection.closed.aborted) throw closedFault();
    const astray = facts.find((fact, index) => fact.stream !== stream || fact.seq !== expected + 1 + index);
    if (astray) {
      const words = `Fact ${astray.seq} of ${astray.stream} does not continue ${stream} after ${expected}.`;
      throw new Defect('store.bad-append', words, { stream, expected });
    }
    if (facts.length === 0) return;
    facts.forEach(refuseTooLarge);
    await inOurWords(known.inTurn(stream, () => appendInTurn(stream, expected, facts)));
  };

  const adoptInTurn = async (stream: StreamName, facts: readonly Fact[]): Promise<readonly Fact[]> => {
    const fresh: Fact[] = [];
    for (const portion of portions(facts)) {
      for (;;) {
        const at = known.get(stream) ?? (await load(stream)).known;
        const news = distinct(portion).filter(({ hash }) => !at.hashes.has(hash));
        if (news.length === 0) break;
        try {
          await write(stream, at, news);
          fresh.push(...news);
          break;
        } catch (error) {
          // Another brain of this site adopts the same facts: look again, at what it left to do.
          known.forget(stream);
          if (kindOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
        }
      }
    }
    return fresh;
  };

  const adopt = async (facts: readonly Fact[]): Promise<readonly Fact[]> => {
    if (connection.closed.aborted) throw closedFault();
    await inOurWords(bookkeeping.beforeFacts());
    const fresh = new Set<Fact>();
    const intoStream = async ([stream, some]: readonly [StreamName, readonly Fact[]]) => {
      for (const fact of await inOurWords(known.inTurn(stream, () => adoptInTurn(stream, some)))) fresh.add(fact);
    };
    // A meeting's opening before the meeting; and streams beside each other, as each call waits for the server's disk.
    for (const alike of Map.groupBy(facts, (fact) => categoryOf(fact.stream)).values()) {
      const streams = [...Map.groupBy(alike, (fact) => fact.stream)];
      for (let at = 0; at < streams.length; at += AT_ONCE) await Promise.all(streams.slice(at, at + AT_ONCE).map(intoStream));
    }
    // Each once, also when the batch had it twice.
    return facts.filter((fact) => fresh.delete(fact));
  };

  const fenceInTurn = async (stream: StreamName): Promise<void> => {
    for (;;) {
      const { known: at } = await load(stream);
      if (at.fenced) return;
      try {
        const expectedRevision = at.revision < 0n ? NO_STREAM : at.revision;
        await connection.call(() => client.appendToStream(nameOf(stream), fenceEvent(), { expectedRevision }));
        return;
      } catch (error) {
        // Whoever writes there was quicker with one fact more, or somebody else with the fence.
        if (kindOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
      } finally {
        known.forget(stream);
      }
    }
  };

  const claims = new Claims(connection, `${namespace}isthmus:`);
  const sharing: Sharing = {
    claim: (subject, writer) => inOurWords(claims.claim(subject, writer)),
    settle: (subject, writer) => inOurWords(claims.settle(subject, writer)),
    fence: async (streams) =>
      void (await Promise.all(streams.map((stream) => inOurWords(known.inTurn(stream, () => fenceInTurn(stream)))))),
  };

  const read = async function* (stream: StreamName, from = 0): AsyncGenerator<Fact> {
    const { facts } = await inOurWords(load(stream));
    // A fork's two stories stay in the order in which they came.
    yield* facts.filter(({ seq }) => seq >= from).sort((a, b) => a.seq - b.seq);
  };

  /** The place is the revision, which only ever grows, and proves itself by its fact's hash, as other positions do. */
  const learned = async function* (stream: StreamName, after?: Position): AsyncGenerator<Stored> {
    const [, revision, hash] = /^(\d{1,18})\.(.{1,16})$/s.exec(after ?? '') ?? [];
    const known = revision && hash ? { revision: BigInt(revision), hash } : undefined;
    const since = known && (await inOurWords(readBehind(stream, known.revision)));
    const follows = known && since?.[0]?.fact?.hash.startsWith(known.hash);
    const all = since && follows === true ? since.slice(1) : await inOurWords(readBehind(stream, undefined));
    for (const { revision: at, fact } of all) if (fact) yield { position: `${at}.${fact.hash.slice(0, 16)}`, fact };
  };

  /** Where to go on in the server's log; undefined: at its beginning. */
  const startOf = async (after: Position | undefined): Promise<LogPlace | undefined> => {
    const place = after === undefined ? undefined : placeOf(after);
    if (!place) return undefined;
    return connection.call(async () => {
      const events = client.readAll({ direction: FORWARDS, fromPosition: place, maxCount: 1 });
      events.on('error', () => undefined);
      let found: LogPlace | undefined;
      try {
        for await (const resolved of events) if (factOf(resolved)?.hash.startsWith(place.hash)) found = place;
      } catch (error) {
        // A place that this server's log does not have, as another's.
        if (mayPass(error)) throw error;
      }
      return found;
    });
  };

  const follow = async function* (category: string, after: Position | undefined, signal: AbortSignal): AsyncGenerator<Stored> {
    const over = AbortSignal.any([signal, connection.closed]);
    let place: LogPlace | undefined;
    let located = false;
    for (let wait = AGAIN_MS.first; !over.aborted;) {
      let subscription: AllStreamSubscription | undefined;
      const leave = () => {
        subscription?.unsubscribe().catch(() => undefined);
        subscription?.destroy();
      };
      try {
        if (!located) place = await startOf(after);
        located = true;
        const filter = streamNameFilter({ prefixes: [`${namespace}${category}-`] });
        subscription = client.subscribeToAll({ fromPosition: place ?? START, filter });
        subscription.on('error', () => undefined);
        over.addEventListener('abort', leave, { once: true });
        if (over.aborted) return;
        for await (const resolved of subscription) {
          wait = AGAIN_MS.first;
          const fact = factOf(resolved);
          const at = resolved.event?.position ?? place;
          if (over.aborted) return;
          if (fact && at) yield storedOf(fact, at);
          if (at) place = at;
        }
      } catch (error) {
        if (over.aborted) return;
        if (!mayPass(error)) throw failureOf(error, where);
      } finally {
        over.removeEventListener('abort', leave);
        leave();
      }
      // The server went away: on from where we were, when it is back.
      await sleep(wait, over);
      wait = Math.min(wait * 2, AGAIN_MS.most);
    }
  };

  return {
    append,
    adopt,
    read,
    follow,
    learned,
    snapshot: (name) => inOurWords(bookkeeping.snapshot(name)),
    keepSnapshot: (name, text) => inOurWords(bookkeeping.keepSnapshot(name, text)),
    sharing,
    streams: (category) => inOurWords(bookkeeping.streams(category, namespace)),
    beginEpoch: () => inOurWords(bookkeeping.beginEpoch()),
    bookmark: (name) => inOurWords(bookkeeping.bookmark(name)),
    setBookmark: async (name, position, when) => bookkeeping.setBookmark(name, position, when === 'before-facts'),
    trouble: () =>
      connection
        .call(() => bookkeeping.lastEpoch(), ASK_MS)
        .then(
          () => undefined,
          (error: unknown) => failureOf(error, where).message,
        ),
    close: async () => {
      await bookkeeping.close();
      await connection.close();
    },
  };
};

/** Looks whether the server is there and lets us in, for as long as it is worth waiting. */
const started = async (
  connection: Connection,
  bookkeeping: Bookkeeping,
  waitMs: number,
  waiting?: (why: string) => void,
): Promise<void> => {
  const deadline = performance.now() + waitMs;
  for (let told = false; ; told = true) {
    try {
      await connection.call(() => bookkeeping.lastEpoch(), Math.min(ASK_MS, waitMs));
      await connection.call(() => bookkeeping.mayReadAll(), Math.min(ASK_MS, waitMs));
      return;
    } catch (error) {
      if (!mayPass(error) || performance.now() > deadline) {
        await connection.close();
        throw failureOf(error, connection.where);
      }
      if (!told) waiting?.(failureOf(error, connection.where).message);
      await sleep(AGAIN_MS.first, connection.closed);
    }
  }
};

const distinct = (facts: readonly Fact[]): Fact[] =>
  [...new Map(facts.toReversed().map((fact) => [fact.hash, fact])).values()].toReversed();

function* portions(facts: readonly Fact[]): Iterable<readonly Fact[]> {
  let portion: Fact[] = [];
  let bytes = 0;
  for (const fact of facts) {
    const size = Buffer.byteLength(JSON.stringify(fact));
    if (portion.length > 0 && bytes + size > ADOPT_BYTES) {
      yield portion;
      [portion, bytes] = [[], 0];
    }
    portion.push(fact);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
