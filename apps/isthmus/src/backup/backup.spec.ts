import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sqliteEventStore, type SqliteEventStore } from '@isthmus/event-store-sqlite';
import { isFact, seal, streamNameOf, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import { backUp, newIncarnation, restore } from './backup.js';
import { openControls } from './control.js';

const stream = streamNameOf('conference', '7f3a', writerIdOf('nyc' as SiteId, 1));
const facts: Fact[] = [];
for (let seq = 0; seq < 20; seq += 1) {
  const unsealed = { stream, seq, at: seq, prev: facts.at(-1)?.hash ?? null, after: [], by: 'spec', type: 'Happened', v: 1, body: { seq } };
  facts.push(seal(unsealed, (text) => createHash('sha256').update(text).digest('hex')));
}
const kept = async (store: SqliteEventStore): Promise<readonly Fact[]> => {
  const read: Fact[] = [];
  for await (const fact of store.read(stream)) read.push(fact);
  return read;
};
let folder: string;
let state: string;
let backup: string;
const closers: (() => Promise<void>)[] = [];

// A part's files are written through to the disk, which others may be using.
vi.setConfig({ testTimeout: 60_000 });

/** A part as it runs: it holds its facts, and can be told to copy them. */
const running = async (): Promise<SqliteEventStore> => {
  const store = await sqliteEventStore({ file: join(state, 'facts.db') });
  const controls = await openControls(state, { copyFacts: (to) => store.copyTo(to) });
  closers.push(async () => {
    await controls.close();
    await store.close();
  });
  return store;
};
const stop = async (): Promise<void> => {
  for (const close of closers.splice(0)) await close();
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isthmus-backup-'));
  [state, backup] = [join(folder, 'nyc'), join(folder, 'backup')];
  await mkdir(join(state, 'credentials'), { recursive: true });
  await writeFile(join(state, 'credentials', 'site.key'), 'a key', { mode: 0o600 });
  await writeFile(join(state, 'nyc.log'), 'what happened');
});
afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

describe('a backup', () => {
  it('is taken of a part that runs and of one that does not, for its owner only', async () => {
    const store = await running();
    await store.append(stream, -1, facts);
    await backUp(state, backup);
    await stop();
    await backUp(state, `${backup}-2`);
    for (const each of [backup, `${backup}-2`]) {
      expect((await stat(each)).mode & 0o777).toBe(0o700);
      expect((await readdir(each, { recursive: true })).toSorted()).toEqual([
        'backup.json',
        'credentials',
        'credentials/site.key',
        'facts.db',
      ]);
      for (const file of ['facts.db', 'credentials/site.key', 'backup.json'])
        expect((await stat(join(each, file))).mode & 0o777).toBe(0o600);
    }
    await expect(backUp(state, backup)).rejects.toMatchObject({ code: 'backup.exists' });
    await expect(backUp(folder, `${backup}-3`)).rejects.toMatchObject({ code: 'backup.nothing-there' });
  });

  it('brings back what was kept then, under an epoch that nobody has had since', async () => {
    const store = await running();
    expect(await store.beginEpoch()).toBe(1);
    await store.append(stream, -1, facts.slice(0, 10));
    await backUp(state, backup);
    await store.append(stream, 9, facts.slice(10));
    const lastEpoch = await store.beginEpoch();
    await stop();
    await rm(state, { recursive: true });
    expect(await restore(backup, state, { replace: false })).toBeUndefined();
    const restored = await running();
    expect(await kept(restored)).toEqual(facts.slice(0, 10));
    expect(await restored.beginEpoch()).toBeGreaterThan(lastEpoch);
    expect(await readFile(join(state, 'credentials', 'site.key'), 'utf8')).toBe('a key');
  });

  it('is put in nobody’s way: not where something is unless that is said, and never where a part runs', async () => {
    await running();
    await backUp(state, backup);
    await expect(restore(backup, state, { replace: false })).rejects.toMatchObject({ code: 'restore.in-the-way' });
    await expect(restore(backup, state, { replace: true })).rejects.toMatchObject({ code: 'store.locked' });
    await stop();
    const before = await restore(backup, state, { replace: true });
    expect(await readFile(join(before!, 'nyc.log'), 'utf8')).toBe('what happened');
  });

  it('that was changed or cut short is refused, and what is there stays', async () => {
    await (await running()).append(stream, -1, facts);
    await backUp(state, backup);
    await stop();
    await writeFile(join(backup, 'credentials', 'site.key'), 'another key');
    await expect(restore(backup, state, { replace: true })).rejects.toMatchObject({ code: 'backup.damaged' });
    await rm(join(backup, 'backup.json'));
    await expect(restore(backup, state, { replace: true })).rejects.toMatchObject({ code: 'backup.damaged' });
    expect(await readFile(join(state, 'nyc.log'), 'utf8')).toBe('what happened');
  });

  it('restored twice in one second begins two different tenures', () => {
    expect(newIncarnation(1_800_000_000_000)).not.toBe(newIncarnation(1_800_000_000_000));
    expect(newIncarnation(1_800_000_001_000)).toBeGreaterThan(newIncarnation(1_800_000_000_000));
  });

  it('begins tenures under which facts are written that others take', () => {
    for (const year of [2026, 2089]) {
      const restored = streamNameOf('conference', '7f3a', writerIdOf('nyc' as SiteId, newIncarnation(Date.UTC(year, 0)) + 1_000));
      const { hash: _, ...fact } = facts[0]!;
      expect(isFact(seal({ ...fact, stream: restored }, (text) => createHash('sha256').update(text).digest('hex')))).toBe(true);
    }
  });
});
