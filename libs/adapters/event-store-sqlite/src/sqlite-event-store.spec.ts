import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { streamNameOf, writerIdOf, type SiteId } from '@isthmus/kernel';
import { chain, collect, eventStoreContract, streamOf, take } from '@isthmus/contract';
import { DatabaseThread } from './database-thread.js';
import { sqliteEventStore } from './sqlite-event-store.js';
import { contractFiles, newFolder } from './testing/contract-files.js';

const makeFolder = () => newFolder('store');

eventStoreContract('the SQLite event store', async () => contractFiles(await makeFolder(), (file) => sqliteEventStore({ file })));

describe('sqliteEventStore', { timeout: 30_000 }, () => {
  let folder: string;
  beforeEach(async () => void (folder = await makeFolder()));
  afterEach(() => rm(folder, { recursive: true }));
  const stream = streamOf('7f3a');

  test('copies all that it keeps into a new file, while others write', async () => {
    const store = await sqliteEventStore({ file: join(folder, 'store.db') });
    const facts = chain(stream, 2_000);
    await store.append(stream, -1, facts.slice(0, 1_900));
    const copy = join(folder, 'copy.db');
    const [copied] = await Promise.all([store.copyTo(copy), store.append(stream, 1_899, facts.slice(1_900))]);
    expect(copied).toBeUndefined();
    expect((await stat(copy)).mode & 0o777).toBe(0o600);
    await store.close();
    const restored = await sqliteEventStore({ file: copy });
    const kept = await collect(restored.read(stream));
    expect(kept.length).toBeGreaterThanOrEqual(1_900);
    expect(kept).toEqual(facts.slice(0, kept.length));
    await restored.close();
  });

  test('never begins an epoch again that somebody may have had', async () => {
    const store = await sqliteEventStore({ file: join(folder, 'store.db') });
    expect(await store.beginEpoch()).toBe(1);
    await store.beginLife(2 ** 51);
    expect(await store.beginEpoch()).toBe(2 ** 51 + 1);
    await store.beginLife(5);
    expect(await store.beginEpoch()).toBe(2 ** 51 + 2);
    await store.close();
  });

  test('in a new life of a backup, takes no position of the life before for one of its own, also where a fact is in its old place', async () => {
    const [file, copy] = [join(folder, 'store.db'), join(folder, 'backup.db')];
    const store = await sqliteEventStore({ file });
    await store.copyTo(copy);
    const [lost, regained] = [chain(streamOf('7f3a', 'nyc', 1), 1), chain(streamOf('7f3a', 'lon', 1), 1)];
    await store.append(lost[0]!.stream, -1, lost);
    await store.adopt(regained);
    const readers = new AbortController();
    const [, last] = await take(store.follow('conference', undefined, readers.signal), 2);
    await store.close();
    const restored = await sqliteEventStore({ file: copy });
    await restored.beginLife(2 ** 50);
    const other = chain(streamOf('7f3a', 'nyc', await restored.beginEpoch()), 1);
    await restored.append(other[0]!.stream, -1, other);
    await restored.adopt(regained);
    const read = await take(restored.follow('conference', last!.position, readers.signal), 2);
    expect(read.map(({ fact }) => fact)).toEqual([...other, ...regained]);
    await restored.close();
  });

  test('makes the folder if it is missing', async () => {
    const file = join(folder, 'a/b/store.db');
    const store = await sqliteEventStore({ file });
    await store.close();
    expect((await stat(file)).isFile()).toBe(true);
  });

  test('holds its file alone: a second opener is told so, and gets it once the first has closed', async () => {
    const file = join(folder, 'store.db');
    const store = await sqliteEventStore({ file });
    await expect(sqliteEventStore({ file })).rejects.toMatchObject({
      kind: 'fault',
      code: 'store.locked',
      retryable: false,
      details: { file },
    });
    await store.append(stream, -1, chain(stream, 1));
    await store.close();
    const second = await sqliteEventStore({ file });
    expect(await collect(second.read(stream))).toHaveLength(1);
    await second.close();
  });

  test('appends that wait for one fsync share the next: 2,000 at once take far fewer transactions', async () => {
    const file = join(folder, 'store.db');
    const store = await sqliteEventStore({ file });
    const streams = Array.from({ length: 2_000 }, (_, n) => streamOf(`c${n}`));
    await Promise.all(streams.map((name) => store.append(name, -1, chain(name, 1))));
    // Every commit writes the pages it changed to the log anew: one for each append would be some 30 MB.
    expect((await stat(`${file}-wal`)).size + (await stat(file)).size).toBeLessThan(8_000_000);
    expect(await store.streams('conference')).toHaveLength(2_000);
    await store.close();
  });

  test('a conflict in a group of appends turns away nobody else', async () => {
    const store = await sqliteEventStore({ file: join(folder, 'store.db') });
    const others = Array.from({ length: 10 }, (_, n) => streamOf(`c${n}`));
    const late = store.append(stream, 7, chain(stream, 9).slice(8));
    const outcomes = await Promise.allSettled([...others.map((name) => store.append(name, -1, chain(name, 1))), late]);
    expect(outcomes.map(({ status }) => status)).toEqual([...others.map(() => 'fulfilled'), 'rejected']);
    await store.close();
  });

  test('the event loop keeps turning while appends are being made durable', async () => {
    const store = await sqliteEventStore({ file: join(folder, 'store.db') });
    let longest = 0;
    let last = performance.now();
    const ticking = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    let previous: ReturnType<typeof chain>[number] | undefined;
    for (let n = 0; n < 200; n++) {
      const [next] = chain(stream, 1, previous);
      await store.append(stream, n - 1, [next!]);
      previous = next;
    }
    clearInterval(ticking);
    expect(longest).toBeLessThan(250);
    await store.close();
  });

  test('a writer whose tenure is over appends nothing more, whatever it knows of its stream', async () => {
    const store = await sqliteEventStore({ file: join(folder, 'store.db') });
    const of = (epoch: number) => streamNameOf('conference', '7f3a', writerIdOf('nyc' as SiteId, epoch));
    const first = await store.beginEpoch();
    const facts = chain(of(first), 2);
    await store.append(of(first), -1, facts.slice(0, 1));
    const second = await store.beginEpoch();
    await expect(store.append(of(first), 0, facts.slice(1))).rejects.toMatchObject({
      kind: 'fault',
      code: 'store.fenced',
      retryable: false,
    });
    await store.append(of(second), -1, chain(of(second), 1));
    expect((await collect(store.read(of(first)))).length).toBe(1);
    // A peer's facts, and our own that a peer kept, are of all epochs.
    expect(await store.adopt(facts)).toHaveLength(1);
    await store.close();
  });

  test('if its thread dies, whoever waits is told that the outcome is unknown, and the next call is served by a new one', async () => {
    const thread = new DatabaseThread(join(folder, 'store.db'));
    await thread.open();
    expect(await thread.ask({ op: 'beginEpoch' })).toBe(1);
    // Nothing in the protocol can end the thread; what is no request at all does.
    (await thread['worker'])!.postMessage(null);
    await expect(thread.ask({ op: 'beginEpoch' })).rejects.toMatchObject({ kind: 'fault', code: 'store.unavailable', retryable: true });
    expect(await thread.ask({ op: 'beginEpoch' })).toBe(2);
    await thread.close();
  });
});
