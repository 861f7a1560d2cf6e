import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { transportOffer } from '../net/testing/fake-device.js';
import { entry, joinedAt, meetingUnderTest, settle, viewOf } from './testing/meeting-under-test.js';

const you = entry('nyc-1', { name: 'Ana', you: true });
const view = (change: object = {}) => viewOf({ ...you, ...change });
const joined = (change: object = {}) => joinedAt('nyc', { view: view(), ...change });

const begin = async (welcomed: object = {}) => {
  const { meeting, sockets, at, welcomes, asks, attaches, state } = meetingUnderTest();
  const gateways = () => sockets.all.filter(({ url }) => url.endsWith('/ws'));
  const nodes = () => sockets.all.filter(({ url }) => url.endsWith('/media'));
  const gateway = () => at('nyc');
  const welcome = (more: object = {}) => welcomes('nyc', 'New York', more);
  await welcome(welcomed);
  const enter = async (): Promise<void> => {
    await asks();
    gateway().answers('join', joined());
    await settle();
  };
  return { meeting, gateway, gateways, nodes, welcome, ask: asks, enter, attaches, state };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a split of the link', () => {
  it('is over with a word about who is back, said once', async () => {
    const { gateway, enter, state } = await begin();
    await enter();
    const bo = { leg: 'lon-1', name: 'Bo', site: 'lon', role: 'guest', muted: false, cameraOff: false, you: false };
    const told = async (revision: number, inReach: boolean): Promise<void> => {
      gateway().says({ type: 'view', view: { ...view(), revision, roster: [you, { ...bo, inReach }] } });
      await settle();
    };
    await told(2, true);
    await told(3, false);
    expect(state().toasts).toEqual([]);
    await told(4, true);
    await told(5, true);
    expect(state().toasts.map(({ text }) => text)).toEqual(['lon is back, and with it Bo.']);
    await told(6, false);
    expect(state().toasts).toEqual([]);
  });

  it('that made two things void is told twice', async () => {
    const { gateway, enter, state } = await begin();
    await enter();
    for (const name of ['Bo', 'Cy']) gateway().says({ type: 'notice', code: 'void.admit', message: `${name} waits again.` });
    await settle();
    expect(state().toasts.map(({ text }) => text)).toEqual(['Bo waits again.', 'Cy waits again.']);
  });
});

describe('coming in', () => {
  it('asks with name, identity and a trace that began at the click', async () => {
    const { gateway, ask } = await begin();
    await ask();
    expect(gateway().asked('join')).toMatchObject({ alias: 'harbour', name: 'Ana', connect: 1, muted: true, cameraOff: true });
    expect(gateway().asked('join').traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(gateway().asked('join')).not.toHaveProperty('pin');
  });

  it('connects to the likely node while still at the door, and attaches there without delay', async () => {
    const { nodes, enter } = await begin({ media: 'ws://node-nyc/media' });
    expect(nodes()).toHaveLength(1);
    nodes()[0]!.opens();
    await enter();
    expect(nodes()).toHaveLength(1);
    expect(nodes()[0]!.asked('attach')).toMatchObject({ leg: 'nyc-1', token: 't1' });
  });

  it('is drawn once media are set up, or 150 ms later', async () => {
    for (const attached of [true, false]) {
      const { meeting, nodes, ask, gateway, state } = await begin({ media: 'ws://node-nyc/media' });
      const drawn: string[] = [];
      nodes()[0]!.opens();
      await ask();
      meeting.store.subscribe(() => drawn.push(state().phase));
      gateway().answers('join', joined());
      await vi.advanceTimersByTimeAsync(100);
      expect([state().phase, drawn]).toEqual(['meeting', []]);
      const offers = { send: transportOffer(), receive: transportOffer(), consumers: [] };
      if (attached) nodes()[0]!.answers('attach', { type: 'attached', ...offers });
      await vi.advanceTimersByTimeAsync(attached ? 5 : 60);
      expect(new Set(drawn)).toEqual(new Set(['meeting']));
      meeting.close();
    }
  });

  it('attaches where the seat is, wherever that was thought to be', async () => {
    const { nodes, enter } = await begin({ media: 'ws://node-2/media' });
    await enter();
    nodes()[1]!.opens();
    await settle();
    expect(nodes()[1]!.url).toBe('ws://node-nyc/media');
    expect(nodes()[1]!.asked('attach')).toMatchObject({ token: 't1' });
  });

  it('may ask before the server has said welcome', async () => {
    const { at, asks, welcomes } = meetingUnderTest('');
    await asks();
    await welcomes('nyc', 'New York');
    expect(at('nyc').asked('join').alias).toBe('harbour');
  });

  it('prompts for a PIN when told to, and says the same words after any that did not work', async () => {
    const { gateway, ask, state } = await begin();
    await ask();
    gateway().answers('join', { type: 'pin-needed' });
    await settle();
    expect(state()).toMatchObject({ phase: 'pin', pinFailed: false, asking: false });
    await ask('1234');
    expect(gateway().asked('join').pin).toBe('1234');
    gateway().answers('join', { type: 'pin-needed' });
    await settle();
    expect(state()).toMatchObject({ phase: 'pin', pinFailed: true });
  });

  it('waits at the door, with the reason, until it is let in', async () => {
    const { gateway, ask, state } = await begin();
    await ask();
    gateway().answers('join', { type: 'waiting', reason: 'host' });
    await settle();
    expect(state()).toMatchObject({ phase: 'waiting', waitingFor: 'host' });
    gateway().answers('join', joined());
    await settle();
    expect(state()).toMatchObject({ phase: 'meeting', room: 'Harbour planning' });
  });

  it('shows a refusal at the door, in the words of the server', async () => {
    const { gateway, ask, state } = await begin();
    await ask();
    gateway().answers('join', { type: 'refused', code: 'room.full', message: 'All seats are taken.' });
    await settle();
    expect(state()).toMatchObject({ phase: 'lobby', refusal: 'All seats are taken.', asking: false });
  });

  it('gives back a seat that was granted after the person went away', async () => {
    const { meeting, gateway, ask, state } = await begin();
    await ask();
    const before = gateway().asked('join');
    gateway().says({ type: 'waiting', re: before.id, reason: 'host' });
    await settle();
    meeting.leave();
    gateway().says({ re: before.id, ...joined() });
    await settle();
    expect(state().phase).toBe('lobby');
    expect(gateway().sent.filter(({ type }) => type === 'leave')).toHaveLength(2);
  });
});

describe('losing the connection', () => {
  it('asks for the same seat again, with the word that opens it and a higher count', async () => {
    const { gateway, gateways, nodes, welcome, enter, attaches, state } = await begin();
    await enter();
    await attaches('nyc');
    gateway().breaks();
    await vi.advanceTimersByTimeAsync(1_000);
    await welcome();
    expect(gateways()).toHaveLength(2);
    expect(gateway().asked('join')).toMatchObject({ resume: 'back-nyc', connect: 2 });
    gateway().answers('join', joined({ resume: 'back-2' }));
    await settle();
    expect(state()).toMatchObject({ phase: 'meeting', media: 'good' });
    expect(nodes()).toHaveLength(1);
  });

  it('comes back by itself when the node is lost', async () => {
    const { gateway, nodes, welcome, enter, state } = await begin();
    await enter();
    gateway().says({ type: 'ended', reason: 'node-lost', message: '' });
    await settle();
    expect(state()).toMatchObject({ phase: 'meeting', media: 'reconnecting' });
    await welcome();
    gateway().answers('join', joined({ media: { url: 'ws://node-2/media', token: 't2' } }));
    await settle();
    expect(nodes().at(-1)?.url).toBe('ws://node-2/media');
  });

  it('keeps asking while the site has trouble of its own', async () => {
    const { gateway, gateways, welcome, enter, state } = await begin();
    await enter();
    gateway().breaks();
    await vi.advanceTimersByTimeAsync(1_000);
    await welcome();
    gateway().answers('join', { type: 'refused', code: 'site.starting', message: 'Starting.' });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(gateways()).toHaveLength(3);
    expect(state().phase).toBe('meeting');
  });

  it('asks anew when the node lets go and nobody says what comes next', async () => {
    const { gateway, nodes, welcome, enter } = await begin();
    await enter();
    nodes()[0]?.opens().says({ type: 'ended', reason: 'draining' });
    await vi.advanceTimersByTimeAsync(5_100);
    await welcome();
    expect(gateway().asked('join').resume).toBe('back-nyc');
  });
});

describe('endings', () => {
  it.each(['removed', 'ended', 'replaced', 'room-disabled'] as const)(
    '"%s" is for good: no way back is taken by itself',
    async (reason) => {
      const { gateway, gateways, welcome, enter, state } = await begin();
      await enter();
      gateway().says({ type: 'ended', reason, message: '' });
      gateway().breaks();
      await vi.advanceTimersByTimeAsync(5_000);
      await welcome();
      expect(state()).toMatchObject({ phase: 'ended', ended: { reason } });
      expect(gateways()).toHaveLength(2);
      expect(gateway().sent).toEqual([]);
    },
  );

  it('leaving tells the server and closes media', async () => {
    const { meeting, gateway, nodes, enter, state } = await begin();
    await enter();
    meeting.leave();
    expect(gateway().asked('leave')).toBeDefined();
    expect(nodes()[0]?.closed).toBe(true);
    expect(state()).toMatchObject({ phase: 'ended', ended: { reason: 'left' }, media: 'idle' });
  });
});

describe('inside', () => {
  it('closes the trace of the click once, with its moments', async () => {
    const { meeting, gateway, enter } = await begin();
    await enter();
    meeting.firstFrame(Date.now() + 120);
    meeting.firstFrame(Date.now() + 500);
    await settle();
    const reports = gateway().sent.filter(({ type }) => type === 'first-frame');
    expect(reports).toHaveLength(1);
    expect(reports[0]?.marks).toHaveProperty('joined');
  });

  it('says what a host did, and never opens a microphone by itself', async () => {
    const { meeting, gateway, enter, state } = await begin();
    await enter();
    meeting.local.store.set({ microphone: { ...meeting.local.store.get().microphone, on: true } });
    gateway().says({ type: 'view', view: view({ muted: 'host' }) });
    await settle();
    expect(meeting.local.store.get().microphone.on).toBe(false);
    expect(state().toasts.map(({ code }) => code)).toEqual(['meet.muted-by-host']);
    gateway().says({ type: 'view', view: view({ muted: false }) });
    await settle();
    expect(meeting.local.store.get().microphone.on).toBe(false);
    expect(gateway().asked('act').act).toEqual({ type: 'mute', leg: 'nyc-1' });
  });

  it('tells a refused act in the words of the server', async () => {
    const { meeting, gateway, enter, state } = await begin();
    await enter();
    const outcome = meeting.act({ type: 'lock' });
    gateway().answers('act', { type: 'refused', code: 'conference.host-only', message: 'Only a host can do that.' });
    expect(await outcome).toBe('refused');
    expect(state().toasts.at(-1)?.text).toBe('Only a host can do that.');
  });

  it('says why a device is not to be had, and joins without it', async () => {
    const { meeting, enter, state } = await begin();
    await enter();
    void meeting.toggle('camera');
    await settle();
    void meeting.toggle('camera');
    await settle();
    expect(meeting.local.store.get().camera).toMatchObject({ on: false, problem: 'insecure' });
    expect(state().toasts.at(-1)?.text).toContain('https://');
  });
});
