import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { failureOf } from './database-failure.ts';
import { Database } from './database.ts';
import type { Op, ReadOp, Reply, Request, WriteOp } from './database-protocol.ts';

/** Most writes that share one transaction. */
const GROUP = 1_000;
/** How long a bookmark may wait for a write to go along with. */
const BOOKMARK_MS = 500;

type Write = Request & { readonly op: WriteOp };

const port = parentPort!;
const file = (workerData as { readonly file: string }).file;
const tell = (reply: Reply): void => port.postMessage(reply);
const fail = (id: number, error: unknown): void => tell({ type: 'failed', id, failure: failureOf(error, file) });

const WRITES: ReadonlySet<Op['op']> = new Set<WriteOp['op']>(['append', 'adopt', 'beginEpoch', 'beginLife', 'keepSnapshot']);
const isWrite = (op: Op): op is WriteOp => WRITES.has(op.op);

/**
 * Group commit: whatever came in while the last transaction was being fsynced shares the next one and its fsync. Answers go
 * out after the commit only, a refusal (which has written nothing) among them.
 */
const commit = (database: Database, writes: readonly Write[], lastTry = false): void => {
  const replies: Reply[] = [];
  try {
    database.transaction(() => {
      for (const { id, op } of writes) {
        try {
          replies.push({ type: 'done', id, value: database.write(op) });
        } catch (error) {
          const failure = failureOf(error, file);
          if (failure.kind === 'fault') throw error;
          replies.push({ type: 'failed', id, failure });
        }
      }
    });
  } catch (error) {
    const { code } = failureOf(error, file);
    if (lastTry || (writes.length === 1 && code !== 'store.full')) for (const { id } of writes) fail(id, error);
    else commitApart(database, writes);
    return;
  }
  replies.forEach(tell);
};

/** The world failed a whole group, perhaps for one big append's sake: each gets a chance of its own, in what room there is. */
const commitApart = (database: Database, writes: readonly Write[]): void => {
  makeRoom(database);
  for (const write of writes) commit(database, [write], true);
};

const makeRoom = (database: Database): void => {
  try {
    database.checkpoint();
  } catch {
    // Then there is no room to be made; the writes that follow say so.
  }
};

const answer = (database: Database, op: ReadOp): unknown => {
  switch (op.op) {
    case 'read':
      return database.read(op.stream, op.fromSeq, op.afterRow);
    case 'page':
      return database.page(op.category, op.afterRow);
    case 'learned':
      return database.learned(op.stream, op.afterRow);
    case 'snapshot':
      return database.snapshot(op.name);
    case 'locate':
      return database.locate(op.row, op.hash);
    case 'streams':
      return database.streams(op.category);
    case 'bookmark':
      return database.bookmark(op.name);
    case 'setBookmark':
      return database.setBookmark(op.name, op.position);
    case 'close':
      return close(database);
  }
};

/** In steps, between which others are served. */
const copyTo = (database: Database, id: number, to: string): void => {
  database.copyTo(to).then(
    () => tell({ type: 'done', id, value: undefined }),
    (error: unknown) => fail(id, error),
  );
};

const keepBookmarks = (database: Database): void => {
  if (!database.hasBookmarksToWrite()) return;
  try {
    database.transaction(() => undefined);
  } catch {
    // A bookmark is a hint; a lost one costs a longer replay.
  }
};

const close = (database: Database): void => {
  clearInterval(bookmarkTimer);
  keepBookmarks(database);
  database.close();
};

const serve = (database: Database, requests: readonly Request[]): void => {
  const writes = requests.filter((request): request is Write => isWrite(request.op));
  for (let at = 0; at < writes.length; at += GROUP) commit(database, writes.slice(at, at + GROUP));
  for (const { id, op } of requests) {
    if (isWrite(op)) continue;
    if (op.op === 'copyTo') {
      copyTo(database, id, op.file);
      continue;
    }
    try {
      tell({ type: 'done', id, value: answer(database, op) });
    } catch (error) {
      fail(id, error);
    }
    if (op.op === 'close') port.close();
  }
};

let bookmarkTimer: NodeJS.Timeout | undefined;
try {
  const database = new Database(file);
  bookmarkTimer = setInterval(() => keepBookmarks(database), BOOKMARK_MS);
  port.on('message', (first: Request) => {
    const requests = [first];
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) requests.push(next.message as Request);
    serve(database, requests);
  });
  tell({ type: 'opened' });
} catch (error) {
  tell({ type: 'not-opened', failure: failureOf(error, file) });
}
