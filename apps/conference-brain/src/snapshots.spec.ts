import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalState, legIdOf, type LegId } from '@isthmus/conference';
import { noBus, noPeers, sampleNode, sampleRoom, sha256 } from '@isthmus/contract/samples';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { seal, streamNameOf, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import type { EventStore, Timers } from '@isthmus/ports';
import type { BrainAnswer } from '@isthmus/protocol';
import { Brain } from './brain.js';
import type { SnapshotNews } from './snapshot-keeper.js';

/** Merge rule 13: a brain comes back from a snapshot, which is never believed against the facts. */
const site = 'nyc' as SiteId;
const [LOOK_MS, BEHIND_MS] = [611, 3_999];
const PIN_HASH = '$argon2id$v=19$m=1,t=1,p=1$c2VjcmV0$cGxhbnRlZA';
const resumeKey = new Uint8Array(32).fill(7);

const room = sampleRoom('r1', { hostPinHash: PIN_HASH });
const report = sampleNode(site);

let store: EventStore;
let news: SnapshotNews[];
let brain: Brain;
/** How many facts the brain has read of streams from their beginning. */
let readWhole: number;
let nowMs: number;

/** Timers that go off when they are told to. */
const waiting = new Map<number, (() => void)[]>();
const later = (ms: number, work: () => void) => {
  waiting.set(ms, [...(waiting.get(ms) ?? []), work]);
  return () => undefined;
};
const timers: Timers = { after: later, every: later };
const goOff = (ms: number) => waiting.get(ms)?.forEach((work) => work());

/** Which brain it is; what one before it has under way comes to nothing. */
let life = 0;
const kill = () => (life += 1);

const start = async (): Promise<Brain> => {
  const mine = kill();
  const heard: SnapshotNews[] = [];
  waiting.clear();
  news = heard;
  readWhole = 0;
  const counting: EventStore = {
    ...store,
    read: async function* (stream, from) {
      for await (const fact of store.read(stream, from)) {
        if (fact.stream.startsWith('conference-')) readWhole += 1;
        yield fact;
      }
    },
    keepSnapshot: async (...kept) => {
      if (life === mine) await store.keepSnapshot(...kept);
    },
  };
  const begun = new Brain(
    {
      ...{ site, store: counting, timers, resumeKey, chance: { bytes: (count) => new Uint8Array(count).map(() => (nowMs += 1) % 256) } },
      ...{ bus: noBus, peers: noPeers },
      clock: { now: () => nowMs, monotonic: () => nowMs },
      snapshots: { everyFacts: 3, lookEveryMs: LOOK_MS, readBehindAfterMs: BEHIND_MS, heard: (what) => heard.push(what) },
    },
    await store.beginEpoch(),
  );
  await begun.start();
  await begun.open();
  begun.nodeReported(report);
  brain = begun;
  return begun;
};

/** One of those that only the killed leave behind: whatever was kept is what is there. */
const killAndStart = () => start();

const join = async (person: string, connect = 1) => {
  nowMs += 1_000;
  const answer = await brain.handle({
    ...{
      type: 'Join',
      room: 'r1',
      person: person as never,
      name: person,
      role: 'host',
      connect,
      muted: false,
      cameraOff: false,
      proof: 1_000,
    },
  });
  return answer as Extract<BrainAnswer, { type: 'Joined' }>;
};
const act = (leg: LegId, type: 'lock' | 'unlock') => {
  nowMs += 1_000;
  return brain.handle({ type: 'Act', room: 'r1', leg, act: { type } });
};
/** It looks every so often, and not while it still is at what it saw before. */
const looks = <T>(then: () => T) => {
  goOff(LOOK_MS);
  return then();
};
const keepOne = () => expect.poll(() => looks(() => news.includes('kept')), { timeout: 30_000 }).toBe(true);
const state = () => canonicalState(brain.histories('r1')[0]!.state);
const isWhole = () => brain.histories('r1').every(({ whole }) => whole);
/** What all facts come to, without any snapshot. */
const replayed = async () => {
  kill();
  const text = await store.snapshot('r1');
  await store.keepSnapshot('r1', undefined);
  await start();
  expect(news).toEqual([]);
  await store.keepSnapshot('r1', text);
  return state();
};

/** Somebody came at another site, whose clock says this. Neither side knew of the other. */
const comesElsewhere = (at: number): Fact => {
  const { conferences } = brain.histories('r1')[0]!;
  const lon = 'lon' as SiteId;
  const leg = legIdOf(lon, `at${at}`);
  const coming = { leg, person: leg, name: 'Lou', site: lon, role: 'guest', connect: 1, muted: false, cameraOff: false, proof: 0 };
  const stream = streamNameOf('conference', conferences[0]!, writerIdOf(lon, 1));
  return seal({ stream, seq: 0, at, prev: null, after: [], by: leg, type: 'LegJoined', v: 1, body: coming }, sha256);
};

beforeEach(async () => {
  nowMs = 1_800_000_000_000;
  store = await sqliteEventStore({ file: ':memory:' });
  const stream = streamNameOf('estate', 'main', writerIdOf('management' as SiteId, 1));
  await store.adopt([
    seal({ stream, seq: 0, at: 1, prev: null, after: [], by: 'system', type: 'RoomCreated', v: 1, body: { room } }, sha256),
  ]);
  await start();
});
afterEach(() => store.close());

describe('a brain that kept a snapshot', { timeout: 60_000 }, () => {
  it('comes back from it and what came since, without reading what it was made of, and goes on', async () => {
    const ana = await join('ana');
    await join('bo');
    await act(ana.leg, 'lock');
    await keepOne();
    await act(ana.leg, 'unlock');
    await act(ana.leg, 'lock');
    const before = state();
    await killAndStart();
    expect(news).toEqual(['used']);
    expect(readWhole).toBe(0);
    expect(state()).toBe(before);

    // People come back, act and come anew before the facts are read.
    expect((await join('ana', 2)).leg).not.toBe(ana.leg);
    const { leg, view } = await join('cy');
    expect(view).toMatchObject({ locked: true });
    await act(leg, 'unlock');
    expect(isWhole()).toBe(false);
    const then = state();
    goOff(BEHIND_MS);
    await expect.poll(isWhole, { timeout: 30_000 }).toBe(true);
    expect(readWhole).toBeGreaterThan(0);
    expect(state()).toBe(then);
    expect(news).not.toContain('contradicted');
    expect(await replayed()).toBe(then);
  });

  it('keeps the next one from what it read and what came since', async () => {
    const ana = await join('ana');
    await act(ana.leg, 'lock');
    await keepOne();
    await killAndStart();
    goOff(BEHIND_MS);
    await expect.poll(isWhole, { timeout: 30_000 }).toBe(true);
    await act(ana.leg, 'unlock');
    await act(ana.leg, 'lock');
    await join('bo');
    const [then, first] = [state(), await store.snapshot('r1')];
    await keepOne();
    expect(await store.snapshot('r1')).not.toBe(first);
    await killAndStart();
    expect(news).toEqual(['used']);
    expect(state()).toBe(then);
    expect(await replayed()).toBe(then);
  });

  it('goes on from a late fact that sorts after it, and drops it for one that sorts before', async () => {
    const ana = await join('ana');
    const early = comesElsewhere(nowMs - 500);
    await act(ana.leg, 'lock');
    await act(ana.leg, 'unlock');
    await keepOne();
    await store.adopt([comesElsewhere(nowMs + 60_000)]);
    await killAndStart();
    expect(news).toEqual(['used']);
    const later = state();
    expect(later).toContain('lon');
    expect(await replayed()).toBe(later);

    await store.adopt([{ ...early }]);
    await killAndStart();
    // Two stories of one stream, and one of them from before: neither can be put on top.
    expect(news).toEqual(['undercut']);
    expect(await replayed()).toBe(state());
  });

  it('drops it for a fact from before it that came later', async () => {
    const ana = await join('ana');
    await act(ana.leg, 'lock');
    await keepOne();
    await store.adopt([comesElsewhere(nowMs - 10_000)]);
    await killAndStart();
    expect(news).toEqual(['undercut']);
    expect(isWhole()).toBe(true);
    const then = state();
    expect(then).toContain('lon');
    expect(await replayed()).toBe(then);
  });

  it('reads the facts first when others come to a room that goes on from one', async () => {
    const ana = await join('ana');
    await act(ana.leg, 'lock');
    await keepOne();
    await killAndStart();
    expect(isWhole()).toBe(false);
    const [late] = await store.adopt([comesElsewhere(nowMs - 10_000)]);
    await (brain as unknown as { adopted(facts: readonly Fact[]): Promise<void> }).adopted([late!]);
    expect(isWhole()).toBe(true);
    const then = state();
    expect(then).toContain('lon');
    expect(await replayed()).toBe(then);
  });

  it('takes one that is torn, changed, of another fold or of another format for none', async () => {
    const ana = await join('ana');
    await act(ana.leg, 'lock');
    await keepOne();
    const then = state();
    const text = (await store.snapshot('r1'))!;
    const spoilt = [
      text.slice(0, text.length / 2),
      text.slice(0, -1),
      `${text.slice(0, -9)}${text.at(-9) === 'A' ? 'B' : 'A'}${text.slice(-8)}`,
      text.replace(/fold\/\d+/, 'fold/1'),
      text.replace('isthmus-snapshot/1', 'isthmus-snapshot/0'),
      '',
      'something else',
    ];
    for (const other of spoilt) {
      expect(other).not.toBe(text);
      await store.keepSnapshot('r1', other);
      await killAndStart();
      expect(news).toEqual([]);
      expect(state()).toBe(then);
    }
    await store.keepSnapshot('r1', text);
    await killAndStart();
    expect(news).toEqual(['used']);
  });

  it('has kept no secret in it: no PIN, no hash of one, no resume word, no token, no key', async () => {
    const ana = await join('ana');
    await act(ana.leg, 'lock');
    await keepOne();
    const text = (await store.snapshot('r1'))!;
    expect(text).toContain('"ana"');
    const { resume, media } = ana;
    const key = Buffer.from(resumeKey);
    for (const secret of [PIN_HASH, resume, resume.split('.').at(-1)!, media.token, key.toString('hex'), key.toString('base64')]) {
      expect(secret.length).toBeGreaterThan(8);
      expect(text).not.toContain(secret);
    }
  });

  it('forgets it when everybody has gone', async () => {
    const ana = await join('ana');
    await act(ana.leg, 'lock');
    await keepOne();
    await brain.handle({ type: 'Leave', room: 'r1', leg: ana.leg });
    await expect.poll(() => looks(() => store.snapshot('r1')), { timeout: 30_000 }).toBeUndefined();
  });
});
