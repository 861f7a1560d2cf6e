import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeDesire } from '@isthmus/placement';
import { Fault, type Fact, type SiteId } from '@isthmus/kernel';
import type { Bus, EventStore } from '@isthmus/ports';
import { TOPICS, type BrainAnswer, type BrainCommand, type NodeReport, type ViewPublished } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { estateFacts, noPeers, roomsCreated, sampleNode, sampleRoom, sha256 } from '@isthmus/contract/samples';
import { machineTimers } from './machine.js';
import { startBrain } from './start.js';
import { Management } from './testing/management.js';

const site = 'nyc' as SiteId;
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

const room = sampleRoom('r1', { name: 'Demo', aliases: ['demo'], guestsWaitForHost: true, seatsMax: 3 });

const report = (node: string, capacity = 10): NodeReport => sampleNode(site, { node: node as never, capacity });

const resumeKey = new Uint8Array(32).fill(7);
let folder: string, bus: Bus, brain: RunningService, store: Awaited<ReturnType<typeof sqliteEventStore>>;
let views: ViewPublished[], desires: NodeDesire[];
let management: Management;

/** Whether the brain learns what became of its appends. */
let outcome: 'told' | 'lost';
const forgetful = (real: EventStore): EventStore => ({
  ...real,
  append: async (...append) => {
    await real.append(...append);
    if (outcome === 'lost') throw new Fault('store.unavailable', 'planted: the store went away before it answered');
  },
});

const start = async (timers = machineTimers, reporting: readonly string[] = ['nyc-1']) => {
  outcome = 'told';
  bus = embeddedBus();
  store = await sqliteEventStore({ file: join(folder, 'store.sqlite') });
  views = [];
  desires = [];
  await bus.subscribe(TOPICS.views, { group: 'spec' }, async ({ value }) => void views.push(value as ViewPublished));
  await bus.subscribe(TOPICS.desires, { group: 'spec' }, async ({ value }) => void desires.push(value as NodeDesire));
  management = new Management([...estateFacts(roomsCreated(room))]);
  await store.adopt(management.facts);
  brain = await startBrain({
    site,
    listen: { host: '127.0.0.1', port: 0 },
    bus,
    store: forgetful(store),
    peers: noPeers,
    clock,
    resumeKey,
    timers,
    followEstate: (after, _applied, signal, word) => management.followedBy(site, after, signal, word),
  });
  for (const node of reporting) await bus.publish({ topic: TOPICS.nodes, key: node, value: report(node) });
};
const stop = async () => {
  await brain.close();
  await bus.close();
  await store.close();
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brain-'));
  await start();
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

const ask = async (command: BrainCommand): Promise<BrainAnswer> =>
  (await bus.request({ topic: TOPICS.commands, key: 'r1', value: command }, 2_000)).value as BrainAnswer;
const enter = (name: string, more: Partial<Extract<BrainCommand, { type: 'Join' }>> = {}) =>
  ask({ type: 'Join', room: 'r1', person: `p-${name}` as never, name, role: 'host', connect: 1, muted: false, cameraOff: false, ...more });
const enterIn = async (name: string, more: Parameters<typeof enter>[1] = {}) => {
  const answer = await enter(name, more);
  if (answer.type !== 'Joined') throw new Error(`${name} did not get in: ${answer.type}`);
  return answer;
};

describe('a brain', () => {
  it('seats who joins, and tells the node what they should get before it answers', async () => {
    const ana = await enterIn('Ana');
    const bo = await enterIn('Bo');
    expect(ana.conference).toBe(bo.conference);
    expect(ana.media).toMatchObject({ url: 'ws://nyc-1/media' });
    expect(bo.view.seats.map(({ name }) => name)).toEqual(['Ana', 'Bo']);
    const desire = desires.at(-1)!;
    expect(desire.legs.find(({ leg }) => leg === bo.leg)).toMatchObject({
      stage: { main: ana.leg, thumbnails: [] },
      tokenHash: sha256(bo.media.token),
    });
    expect(JSON.stringify(desires)).not.toContain(bo.media.token);
  });

  it('gives the floor to who is heard', async () => {
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo')];
    await bus.publish({ topic: TOPICS.mediaEvents, key: 'r1', value: { type: 'Spoke', conference: 'r1', leg: bo.leg, node: 'nyc-1' } });
    await expect.poll(() => views.at(-1)?.view.floor).toBe(bo.leg);
    expect(desires.at(-1)?.legs.find(({ leg }) => leg === ana.leg)?.stage.main).toBe(bo.leg);
  });

  it('lets guests wait for a host, and seats them when one comes', async () => {
    const guest = await enter('Gus', { role: 'guest' });
    expect(guest).toMatchObject({ type: 'Waiting', reason: 'host' });
    await enterIn('Ana');
    await expect.poll(() => views.flatMap(({ attach }) => attach).map(({ leg }) => leg)).toEqual([(guest as { leg: string }).leg]);
  });

  it('refuses who comes to a full meeting, and says so in words', async () => {
    for (const name of ['Ana', 'Bo', 'Cy']) await enterIn(name);
    await expect(enter('Di')).rejects.toMatchObject({ code: 'conference.full' });
  });

  it('removes whom a host removes, and tells the gateway why', async () => {
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo', { role: 'guest' })];
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'remove', leg: bo.leg } });
    expect(views.flatMap(({ ended }) => ended)).toEqual([{ leg: bo.leg, reason: 'removed' }]);
    expect(desires.at(-1)?.legs.map(({ leg }) => leg)).toEqual([ana.leg]);
    await expect(enter('Bo', { role: 'guest' })).rejects.toMatchObject({ code: 'conference.removed' });
  });

  it('gives a lost connection its seat back', async () => {
    const ana = await enterIn('Ana');
    const again = await enterIn('Ana', { resume: ana.resume, connect: 2 });
    expect(again.leg).toBe(ana.leg);
    expect(again.media.token).not.toBe(ana.media.token);
  });

  it('begins a new occasion when everyone has left, with no old lock', async () => {
    const ana = await enterIn('Ana');
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'lock' } });
    await ask({ type: 'Leave', room: 'r1', leg: ana.leg });
    expect(desires.at(-1)).toMatchObject({ legs: [], pipes: [] });
    const bo = await enterIn('Bo');
    expect(bo.conference).not.toBe(ana.conference);
    expect(bo.view.locked).toBe(false);
  });

  it('remembers a meeting across a restart, and who is removed stays removed', async () => {
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo', { role: 'guest' })];
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'remove', leg: bo.leg } });
    await stop();
    await start();
    await expect(enter('Bo', { role: 'guest' })).rejects.toMatchObject({ code: 'conference.removed' });
    const back = await enterIn('Ana', { connect: 2 });
    expect(back.conference).toBe(ana.conference);
    expect(back.view.seats.map(({ leg }) => leg)).toEqual([back.leg]);
  });

  it('gives people their seats back after it was started anew: who they are, muted and locked as before', async () => {
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo', { role: 'guest' })];
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'mute', leg: bo.leg } });
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'lock' } });
    const before = views.at(-1)!.view;
    await stop();
    await start();
    const recall = (who: typeof bo, person: string) => ask({ type: 'Recall', room: 'r1', person: person as never, resume: who.resume });
    expect(await recall(bo, 'p-Bo')).toEqual({ type: 'Recalled', role: 'guest', connect: 1 });
    await expect(recall(bo, 'p-Ana')).rejects.toMatchObject({ code: 'conference.unknown-leg' });
    await expect(recall({ ...bo, resume: `${bo.resume}x` }, 'p-Bo')).rejects.toMatchObject({ code: 'conference.unknown-leg' });
    expect((await enterIn('Bo', { role: 'guest', connect: 2, resume: bo.resume })).leg).toBe(bo.leg);
    const { view } = await enterIn('Ana', { connect: 2, resume: ana.resume });
    expect({ ...view, version: 0 }).toEqual({ ...before, version: 0 });
    expect(view.version.epoch).toBeGreaterThan(before.version.epoch);
  });

  it('opens no seat with the resume word of somebody who was removed', async () => {
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo', { role: 'guest' })];
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'remove', leg: bo.leg } });
    await expect(ask({ type: 'Recall', room: 'r1', person: 'p-Bo' as never, resume: bo.resume })).rejects.toMatchObject({
      code: 'conference.unknown-leg',
    });
    await expect(enter('Bo', { role: 'guest', connect: 2, resume: bo.resume })).rejects.toMatchObject({ code: 'conference.removed' });
  });

  it('leaves people on the media node that still has them, and tells those who answer for them where that is', async () => {
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: { ...report('nyc-2'), legs: 5 } });
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo')];
    await stop();
    await start();
    const holds = [{ conference: 'r1' as never, legs: [ana.leg, bo.leg, 'nyc-nobody' as never] }];
    // Emptier than the one that has them.
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-3', value: report('nyc-3') });
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: { ...report('nyc-2'), legs: 2, holds } });
    await expect.poll(() => desires.at(-1)?.legs.map(({ leg }) => leg)).toEqual([ana.leg, bo.leg]);
    expect(desires.at(-1)?.node).toBe('nyc-2');
    await ask({ type: 'Confirm', room: 'r1', leg: ana.leg });
    await ask({ type: 'Confirm', room: 'r1', leg: ana.leg });
    const { attach } = views.find((published) => published.attach.length > 0)!;
    expect(attach).toMatchObject([{ leg: ana.leg, media: { url: 'ws://nyc-2/media' } }]);
    const hash = sha256(attach[0]!.media.token);
    await expect.poll(() => desires.at(-1)?.legs.find(({ leg }) => leg === ana.leg)?.tokenHash).toBe(hash);
    await expect(ask({ type: 'Confirm', room: 'r1', leg: 'nyc-nobody' as never })).rejects.toMatchObject({
      code: 'conference.unknown-leg',
    });
  });

  it('leaves people on the media node that still has them also when they are back before it, and another node, are heard', async () => {
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2') });
    const ana = await enterIn('Ana');
    const had = desires.at(-1)!.node;
    const other = had === 'nyc-1' ? 'nyc-2' : 'nyc-1';
    await stop();
    await start(machineTimers, []);
    expect(await enter('Ana', { connect: 2, resume: ana.resume })).toMatchObject({ type: 'Waiting', leg: ana.leg });
    await bus.publish({ topic: TOPICS.nodes, key: other, value: report(other) });
    await bus.publish({
      topic: TOPICS.nodes,
      key: had,
      value: { ...report(had), legs: 1, holds: [{ conference: 'r1' as never, legs: [ana.leg] }] },
    });
    await expect
      .poll(() => views.flatMap(({ attach }) => attach), { timeout: 30_000 })
      .toMatchObject([{ leg: ana.leg, media: { url: `ws://${had}/media` } }]);
  });

  it('gives people another media node when the one that had them is not heard any more', async () => {
    const ana = await enterIn('Ana');
    await stop();
    await start(machineTimers, []);
    expect(await enter('Ana', { connect: 2, resume: ana.resume })).toMatchObject({ type: 'Waiting' });
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2') });
    await expect
      .poll(() => views.flatMap(({ attach }) => attach), { timeout: 30_000 })
      .toMatchObject([{ leg: ana.leg, media: { url: 'ws://nyc-2/media' } }]);
  });

  it('tells a media node that nobody is there any more of those whom the brain before it had there, once they could be back', async () => {
    const ana = await enterIn('Ana');
    const former = desires.at(-1)!.version;
    await stop();
    // Whoever does not come back is swept after a second, not twenty.
    await start({ ...machineTimers, after: (ms, work) => machineTimers.after(ms / 20, work) });
    const holds = [
      { conference: 'r1' as never, legs: [], epoch: former.epoch },
      { conference: 'r2' as never, legs: [], epoch: former.epoch },
    ];
    const say = () => void bus.publish({ topic: TOPICS.nodes, key: 'nyc-1', value: { ...report('nyc-1'), holds } });
    const saying = setInterval(say, 200);
    try {
      await expect.poll(() => desires.at(-1), { timeout: 30_000 }).toMatchObject({ node: 'nyc-1', conference: 'r1', legs: [], pipes: [] });
    } finally {
      clearInterval(saying);
    }
    expect(desires.at(-1)!.version.epoch).toBeGreaterThan(former.epoch);
    expect(views.flatMap(({ view }) => view.seats).filter(({ leg }) => leg !== ana.leg)).toEqual([]);
  });

  it('is fenced at its first append once another has taken over, which goes on from what was recorded', async () => {
    const ana = await enterIn('Ana');
    const elsewhere = embeddedBus();
    const told: NodeDesire[] = [];
    await elsewhere.subscribe(TOPICS.desires, { group: 'spec' }, async ({ value }) => void told.push(value as NodeDesire));
    const next = await startBrain({
      site,
      listen: { host: '127.0.0.1', port: 0 },
      bus: elsewhere,
      store,
      peers: noPeers,
      clock,
      resumeKey,
    });
    await elsewhere.publish({ topic: TOPICS.nodes, key: 'nyc-1', value: report('nyc-1') });
    await expect(ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'lock' } })).rejects.toMatchObject({
      kind: 'fault',
      code: 'store.fenced',
    });
    const again = { type: 'Join', room: 'r1', person: 'p-Ana', name: 'Ana', role: 'host', connect: 2, resume: ana.resume };
    const { value } = await elsewhere.request(
      { topic: TOPICS.commands, key: 'r1', value: { ...again, muted: false, cameraOff: false } },
      5_000,
    );
    expect(value).toMatchObject({ type: 'Joined', leg: ana.leg, view: { locked: false } });
    // Its desires come after all of the former's, so a media node heeds no other.
    await expect.poll(() => told.at(-1)?.version.epoch).toBeGreaterThan(desires.at(-1)!.version.epoch);
    await next.close();
    await elsewhere.close();
  });

  it('finds out what became of an append whose outcome it never learned, and does not do it again', async () => {
    const ana = await enterIn('Ana');
    outcome = 'lost';
    const lock = () => ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'lock' } });
    await expect(lock()).rejects.toMatchObject({ code: 'store.unavailable' });
    outcome = 'told';
    await expect(lock()).rejects.toMatchObject({ code: 'store.outcome-unknown' });
    await lock();
    const facts: Fact[] = [];
    for (const stream of await store.streams('conference')) for await (const fact of store.read(stream)) facts.push(fact);
    expect(facts.filter(({ type }) => type === 'ConferenceLocked')).toHaveLength(1);
    expect((await enterIn('Bo')).view.locked).toBe(true);
  });

  it('moves people of a media node that has ended to another of its nodes: same leg, roles, mute, lock and stage', async () => {
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo', { role: 'guest' })];
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'mute', leg: bo.leg } });
    await ask({ type: 'Act', room: 'r1', leg: ana.leg, act: { type: 'lock' } });
    const before = views.at(-1)!.view;
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2') });
    await bus.publish({ topic: TOPICS.nodeLosses, key: 'nyc-1', value: { node: 'nyc-1' } });
    await expect.poll(() => views.at(-1)?.attach.length).toBe(2);
    const { attach, ended, view } = views.at(-1)!;
    expect(attach.map(({ leg, media }) => [leg, media.url])).toEqual([ana.leg, bo.leg].map((leg) => [leg, 'ws://nyc-2/media']));
    expect(ended).toEqual([]);
    expect({ ...view, version: 0 }).toEqual({ ...before, version: 0 });
    const desire = desires.findLast(({ node }) => node === ('nyc-2' as never))!;
    expect(desire.intermediary).toBe(true);
    expect(desire.legs.map(({ tokenHash }) => tokenHash)).toEqual(attach.map(({ media }) => sha256(media.token)));
  });

  it('lets the people of a lost node keep their seats when no other has room, and tells the node when it is back', async () => {
    const ana = await enterIn('Ana');
    await bus.publish({ topic: TOPICS.nodeLosses, key: 'nyc-1', value: { node: 'nyc-1' } });
    await expect(enter('Bo')).rejects.toMatchObject({ code: 'site.full' });
    desires.length = 0;
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-1', value: report('nyc-1') });
    const hash = sha256(ana.media.token);
    await expect.poll(() => desires.at(-1)?.legs).toMatchObject([{ leg: ana.leg, tokenHash: hash }]);
    expect(views.flatMap(({ attach, ended }) => [...attach, ...ended])).toEqual([]);
  });

  it('tells a node that was lost, and comes back, that its people are elsewhere', async () => {
    await enterIn('Ana');
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2') });
    await bus.publish({ topic: TOPICS.nodeLosses, key: 'nyc-1', value: { node: 'nyc-1' } });
    await expect.poll(() => views.at(-1)?.attach.length).toBe(1);
    const { version } = desires.findLast(({ node }) => node === ('nyc-2' as never))!;
    desires.length = 0;
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-1', value: report('nyc-1') });
    await expect.poll(() => desires.filter(({ node }) => node === ('nyc-1' as never)).at(-1)).toMatchObject({ legs: [], pipes: [] });
    expect(desires.at(-1)!.version.revision).toBeGreaterThanOrEqual(version.revision);
  });

  it('empties a node that is to stop', async () => {
    await enterIn('Ana');
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2') });
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-1', value: { ...report('nyc-1'), draining: true } });
    await expect.poll(() => views.at(-1)?.attach.map(({ media }) => media.url)).toEqual(['ws://nyc-2/media']);
  });

  it('empties a node that an administrator drains, and has people there again when it is taken back', async () => {
    await enterIn('Ana');
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2') });
    management.say('SiteEnrolled', { site: { id: 'nyc', name: 'New York', meetUrl: 'http://nyc', linkUrl: 'wss://nyc' } });
    management.say('NodeDrained', { id: 'nyc-1', site: 'nyc' });
    await expect.poll(() => views.at(-1)?.attach.map(({ media }) => media.url)).toEqual(['ws://nyc-2/media']);
    expect(desires.findLast(({ node }) => node === ('nyc-1' as never))).toMatchObject({ legs: [], pipes: [], intermediary: false });
    expect(desires.findLast(({ node }) => node === ('nyc-2' as never))).toMatchObject({ legs: [{}], intermediary: true });
    management.say('NodeReturned', { id: 'nyc-1', site: 'nyc' });
    management.say('NodeDrained', { id: 'nyc-2', site: 'nyc' });
    await expect.poll(() => views.at(-1)?.attach.map(({ media }) => media.url)).toEqual(['ws://nyc-1/media']);
  });

  it('keeps people on a node that is drained while no other has room', async () => {
    await enterIn('Ana');
    management.say('NodeDrained', { id: 'nyc-1', site: 'nyc' });
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2', 0) });
    const known = () => bus.request({ topic: TOPICS.estateRequests, key: 'estate', value: {} }, 2_000);
    await expect.poll(async () => (await known()).value).toMatchObject({ nodes: { 'nyc-1': { state: 'draining' } } });
    await expect(enterIn('Bo')).rejects.toMatchObject({ code: 'site.full' });
    expect(desires.findLast(({ node }) => node === ('nyc-1' as never))).toMatchObject({ legs: [{}], intermediary: true });
  });

  it('heeds nothing that is said under the name of a node that was removed, and tells it so at each of its reports', async () => {
    const dismissals: unknown[] = [];
    await bus.subscribe(TOPICS.nodeDismissals, { group: 'spec' }, async ({ value }) => void dismissals.push(value));
    const [ana, bo] = [await enterIn('Ana'), await enterIn('Bo')];
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-2', value: report('nyc-2') });
    management.say('NodeRemoved', { id: 'nyc-1', site: 'nyc' });
    await expect.poll(() => views.at(-1)?.attach.map(({ media }) => media.url)).toContain('ws://nyc-2/media');
    await bus.publish({ topic: TOPICS.nodes, key: 'nyc-1', value: { ...report('nyc-1'), at: 7 } });
    await expect.poll(() => dismissals).toEqual([{ node: 'nyc-1', at: 7 }]);
    const spoke = (leg: string, node: string) =>
      bus.publish({ topic: TOPICS.mediaEvents, key: 'r1', value: { type: 'Spoke', conference: 'r1', leg, node } });
    await spoke(bo.leg, 'nyc-1');
    await spoke(ana.leg, 'nyc-2');
    await expect.poll(() => views.at(-1)?.view.floor).toBe(ana.leg);
    expect(views.some(({ view }) => view.floor === bo.leg)).toBe(false);
  });

  it('answers nonsense with a refusal and goes on', async () => {
    await expect(ask({ type: 'Fly' } as never)).rejects.toMatchObject({ code: 'bus.malformed' });
    await expect(ask({ type: 'Act', room: 'nowhere', leg: 'nyc-1' as never, act: { type: 'lock' } })).rejects.toMatchObject({
      code: 'conference.ended',
    });
    await enterIn('Ana');
  });
});
