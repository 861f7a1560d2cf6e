import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refusal } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';
import { chain, collect, eventStoreContract, streamOf, take } from '@isthmus/contract';
import { journaledEventStore } from './journaled-event-store.js';
import { sqliteEventStore } from './sqlite-event-store.js';
import { contractFiles, newFolder } from './testing/contract-files.js';
import { Elsewhere } from './testing/elsewhere.js';

const makeFolder = () => newFolder('journal');

eventStoreContract('an event store with a journal before it', async () => {
  const folder = await makeFolder();
  return contractFiles(folder, async (file) =>
    journaledEventStore({ store: await sqliteEventStore({ file }), folder: join(folder, 'journal') }),
  );
});

describe('an event store that is away', { timeout: 30_000 }, () => {
  const stream = streamOf('7f3a');
  const settled = { timeout: 20_000, interval: 20 };
  let folder: string;
  let elsewhere: Elsewhere;
  const opened: EventStore[] = [];
  const open = async (patienceMs = 200): Promise<EventStore> => {
    const store = await journaledEventStore({ store: elsewhere.store, folder: join(folder, 'journal'), patienceMs, lookEveryMs: 20 });
    opened.push(store);
    return store;
  };
  const journals = async () => (await readdir(join(folder, 'journal'))).filter((name) => name.endsWith('.db'));

  beforeEach(async () => {
    folder = await makeFolder();
    elsewhere = new Elsewhere(await sqliteEventStore({ file: join(folder, 'store.db') }));
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await elsewhere.real.close();
    await rm(folder, { recursive: true });
  });

  test('short streams go over many at a time, and long histories in portions', async () => {
    const store = await open(20_000);
    elsewhere.state = 'away';
    const facts = Array.from({ length: 300 }, (_, at) => chain(streamOf(`m${at}`), 2)).flat();
    await store.adopt(facts);
    expect(await store.trouble?.()).toMatch(/journal/);
    elsewhere.portions.splice(0);
    elsewhere.state = 'there';
    await expect.poll(journals, settled).toEqual([]);
    expect(elsewhere.portions).toEqual([200, 200, 200]);
    const others = Array.from({ length: 500 }, (_, at) => chain(streamOf(`n${at}`, 'lon', 4), 1)).flat();
    expect(await store.adopt(others)).toEqual(others);
    expect(elsewhere.portions.slice(3)).toEqual([200, 200, 100]);
  });

  test('what is acknowledged meanwhile is read and followed here at once, and is in the store when it is back, in order, once', async () => {
    const store = await open();
    const facts = chain(stream, 30);
    const theirs = chain(streamOf('7f3a', 'lon', 4), 3);
    const followed = take(store.follow('conference', undefined, new AbortController().signal), 33);
    await store.append(stream, -1, facts.slice(0, 10));
    elsewhere.state = 'away';
    for (const fact of facts.slice(10, 20)) await store.append(stream, fact.seq - 1, [fact]);
    expect(await store.adopt(theirs)).toEqual(theirs);
    expect(await collect(store.read(stream))).toEqual(facts.slice(0, 20));
    expect(await store.trouble?.()).toMatch(/journal/);
    expect(await collect(elsewhere.real.read(stream))).toEqual(facts.slice(0, 10));

    const appending = (async () => {
      for (const fact of facts.slice(20)) await store.append(stream, fact.seq - 1, [fact]);
    })();
    elsewhere.state = 'there';
    await appending;
    await expect.poll(() => store.trouble?.(), settled).toBeUndefined();
    expect(await collect(elsewhere.real.read(stream))).toEqual(facts);
    expect(await collect(elsewhere.real.read(theirs[0]!.stream))).toEqual(theirs);
    expect((await followed).map(({ fact }) => fact.hash).sort()).toEqual([...facts, ...theirs].map(({ hash }) => hash).sort());
    await expect.poll(journals, settled).toEqual([]);
  });

  test('what it took without saying so is there once, not twice', async () => {
    const store = await open();
    const facts = chain(stream, 2);
    elsewhere.state = 'mute';
    await store.append(stream, -1, facts.slice(0, 1));
    await store.append(stream, 0, facts.slice(1));
    elsewhere.state = 'there';
    await expect.poll(() => store.trouble?.(), settled).toBeUndefined();
    expect(await collect(elsewhere.real.read(stream))).toEqual(facts);
  });

  test('what was left in the journal by a process that is gone, the next one brings', async () => {
    const facts = chain(stream, 5);
    const former = await open();
    elsewhere.state = 'away';
    await former.append(stream, -1, facts);
    await former.close();
    expect(await journals()).toHaveLength(1);
    elsewhere.state = 'there';
    const next = await open();
    expect(await collect(next.read(stream))).toEqual(facts);
    expect(await journals()).toEqual([]);
  });

  test('what the store refuses is refused, and not written elsewhere', async () => {
    const store = await open(20_000); // It is there, however busy its disk is.
    await store.append(stream, -1, chain(stream, 2));
    await expect(store.append(stream, 0, chain(stream, 2, chain(stream, 1)[0], 'otherwise').slice(0, 1))).rejects.toBeInstanceOf(Refusal);
    expect(await journals()).toEqual([]);
  });

  test('a follower hears what the store took and went away before telling', async () => {
    const store = await open();
    const facts = chain(stream, 4);
    elsewhere.tells = false;
    const followed = take(store.follow('conference', undefined, new AbortController().signal), 4);
    await store.append(stream, -1, facts.slice(0, 3));
    elsewhere.state = 'away';
    await store.append(stream, 2, facts.slice(3));
    expect((await followed).map(({ fact }) => fact)).toEqual(facts);
  });

  test('a follower that comes meanwhile hears what only the journal has', async () => {
    const store = await open();
    const facts = chain(stream, 3);
    elsewhere.state = 'away';
    await store.append(stream, -1, facts.slice(0, 2));
    const followed = take(store.follow('conference', undefined, new AbortController().signal), 3);
    await store.append(stream, 1, facts.slice(2));
    expect((await followed).map(({ fact }) => fact)).toEqual(facts);
  });
});
