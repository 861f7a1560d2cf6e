import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LegId } from '@isthmus/conference';
import { Backoff } from './backoff.js';
import { BLOCKED_AFTER_MS, type Streams } from './media-attachment.js';
import { MediaSession, type MediaSessionOptions, type MediaStatus } from './media-session.js';
import { blocked, consumerOffer, loadedDevice, received, track, transportOffer, transportsUnderWay } from './testing/fake-device.js';
import { scriptedSockets, type ScriptedSocket } from './testing/scripted-socket.js';

const SEAT = { leg: 'nyc-1' as LegId, url: 'ws://node-1/media', token: 'first' };

const begin = async (more: Partial<MediaSessionOptions> = {}) => {
  const sockets = scriptedSockets();
  const statuses: MediaStatus[] = [];
  const shown: Streams[] = [];
  const marks: string[] = [];
  const onSpeaking = vi.fn();
  const onTrouble = vi.fn();
  const session = new MediaSession(SEAT, {
    device: await loadedDevice(),
    openSocket: sockets.open,
    backoff: new Backoff(100, 1_000, () => 0),
    traceparent: '00-1-2-01',
    onStatus: (status) => statuses.push(status),
    onStreams: (streams) => shown.push(streams),
    onSpeaking,
    mark: (moment) => marks.push(moment),
    onTrouble,
    ...more,
  });
  return { session, sockets, statuses, shown, marks, onSpeaking, onTrouble };
};

/** mediasoup-client's promises and the ones above them. */
const settle = () => vi.advanceTimersByTimeAsync(5);

const attach = async (node: ScriptedSocket, consumers: readonly unknown[] = [], more: object = {}): Promise<void> => {
  node.opens();
  node.answers('attach', { type: 'attached', send: transportOffer(), receive: transportOffer(), consumers, ...more });
  await settle();
};

const answerAll = async (node: ScriptedSocket): Promise<void> => {
  for (let answered = 0; answered < node.sent.length;) {
    const { id, type } = node.sent[answered++] ?? { id: 0, type: '' };
    if (type === 'attach') continue;
    node.says(type === 'produce' ? { type: 'produced', re: id, producerId: `producer-${id}` } : { type: 'ok', re: id });
    await settle();
  }
};

const sent = (node: ScriptedSocket) => node.sent.map(({ type, source }) => (typeof source === 'string' ? `${type} ${source}` : type));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a seat with its media', () => {
  it('attaches with its token, its trace and what it can receive', async () => {
    const { sockets, statuses, marks } = await begin();
    const node = sockets.latest().opens();
    expect(node.url).toBe(SEAT.url);
    expect(node.asked('attach')).toMatchObject({ leg: 'nyc-1', token: 'first', traceparent: '00-1-2-01' });
    expect(node.asked('attach').rtpCapabilities).toHaveProperty('codecs');
    await attach(node);
    expect(statuses).toEqual(['good']);
    expect(marks.slice(0, 2)).toEqual(['media-open', 'attached']);
  });

  it('shows what it is offered on attaching, says so before the pictures can come, and before it sends its own', async () => {
    const { session, sockets, shown } = await begin();
    session.send('camera', { track: track('video'), on: true });
    const [camera, voice] = [consumerOffer('lon-1', 'camera'), consumerOffer('lon-1', 'microphone')];
    const node = sockets.latest();
    await attach(node, [camera, voice]);
    expect(node.asked('ready').consumers).toEqual([camera.id, voice.id]);
    received();
    await settle();
    expect(sent(node).indexOf('ready')).toBeLessThan(sent(node).indexOf('produce camera'));
    expect(Object.keys(shown.at(-1)?.get('lon-1' as LegId) ?? {}).toSorted()).toEqual(['camera', 'microphone']);
  });

  it('leaves the browser to the pictures of others until they can come, or half a second', async () => {
    for (const come of [true, false]) {
      const { session, sockets } = await begin();
      session.send('camera', { track: track('video'), on: true });
      const node = sockets.latest();
      received();
      await attach(node, [consumerOffer('lon-1', 'camera')]);
      await vi.advanceTimersByTimeAsync(400);
      expect(transportsUnderWay()).toBe(1);
      expect(sent(node)).not.toContain('produce camera');
      if (come) received();
      await vi.advanceTimersByTimeAsync(come ? 5 : 100);
      expect(sent(node)).toContain('produce camera');
    }
  });

  it('sends its own at once where there is nothing to wait for', async () => {
    const { session, sockets } = await begin();
    session.send('camera', { track: track('video'), on: true });
    await attach(sockets.latest());
    expect(sent(sockets.latest())).toContain('produce camera');
  });

  it('tells under which certificate it comes when it attaches, and again only to a node that did not take it', async () => {
    const identity = {
      certificate: {} as RTCCertificate,
      dtlsParameters: { role: 'client' as const, fingerprints: [{ algorithm: 'sha-256' as const, value: 'AA:BB' }] },
    };
    for (const connected of [true, false]) {
      const { sockets } = await begin({ identity });
      const node = sockets.latest();
      await attach(node, [consumerOffer('lon-1', 'camera')], { connected });
      expect(node.asked('attach')).toMatchObject({ dtlsParameters: identity.dtlsParameters });
      expect(sent(node).slice(0, 3)).toEqual(connected ? ['attach', 'ready'] : ['attach', 'connect', 'ready']);
    }
  });

  it('takes streams that come later only once it is set up for them, and lets go of those that are closed', async () => {
    const { sockets, shown } = await begin();
    const node = sockets.latest();
    await attach(node);
    const camera = consumerOffer('cpt-1', 'camera');
    node.says({ type: 'consume', consumers: [camera] });
    expect(sent(node)).not.toContain('ready');
    await settle();
    expect(node.asked('ready').consumers).toEqual([camera.id]);
    expect(shown.at(-1)?.has('cpt-1' as LegId)).toBe(true);
    node.says({ type: 'closed', consumers: [camera.id, 'never heard of'] });
    expect(shown.at(-1)?.size).toBe(0);
  });

  it('goes on with the others when one stream cannot be received', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const { sockets, shown, statuses } = await begin();
    const strange = { ...consumerOffer('lon-1', 'camera'), rtpParameters: { codecs: 'none' } };
    await attach(sockets.latest(), [strange, consumerOffer('lon-2', 'camera')]);
    expect([...(shown.at(-1)?.keys() ?? [])]).toEqual(['lon-2']);
    expect(statuses).toEqual(['good']);
    expect(warn).toHaveBeenCalled();
    warn.mockRestore();
  });

  it('sends a muted microphone silently ready, and opens it with one word', async () => {
    const { session, sockets } = await begin();
    const microphone = track('audio');
    session.send('microphone', { track: microphone, on: false });
    const node = sockets.latest();
    await attach(node);
    await answerAll(node);
    expect(sent(node).filter((what) => what.includes('microphone'))).toEqual(['produce microphone', 'pause microphone']);
    expect(microphone.enabled).toBe(false);
    session.send('microphone', { track: microphone, on: true });
    await settle();
    expect(microphone.enabled).toBe(true);
    expect(sent(node).at(-1)).toBe('resume microphone');
    session.send('microphone', { track: microphone, on: false });
    // At once: not after the answer to "resume", which is still to come.
    expect(microphone.enabled).toBe(false);
  });

  it('does not announce a camera that is off', async () => {
    const { session, sockets } = await begin();
    session.send('camera', { track: null, on: false });
    await attach(sockets.latest());
    await answerAll(sockets.latest());
    expect(sent(sockets.latest())).not.toContain('produce camera');
  });

  it('tells who is audible', async () => {
    const { sockets, onSpeaking } = await begin();
    await attach(sockets.latest());
    sockets.latest().says({ type: 'speaking', legs: ['lon-1', 'nyc-1'] });
    expect(onSpeaking).toHaveBeenCalledWith(['lon-1', 'nyc-1']);
  });
});

describe('when media is lost', () => {
  it('attaches again by itself, sends what was sent, and keeps the old pictures until new ones are there', async () => {
    const { session, sockets, statuses, shown } = await begin();
    session.send('camera', { track: track('video'), on: true });
    await attach(sockets.latest(), [consumerOffer('lon-1', 'camera')]);
    const before = shown.at(-1)?.get('lon-1' as LegId)?.camera;
    sockets.latest().breaks();
    expect(statuses).toEqual(['good', 'reconnecting']);
    expect(before?.readyState).toBe('live');
    await vi.advanceTimersByTimeAsync(100);
    expect(sockets.all).toHaveLength(2);
    await attach(sockets.latest(), [consumerOffer('lon-1', 'camera')]);
    received();
    await settle();
    await answerAll(sockets.latest());
    expect(statuses.at(-1)).toBe('good');
    expect(before?.readyState).toBe('ended');
    expect(shown.at(-1)?.get('lon-1' as LegId)?.camera?.readyState).toBe('live');
    expect(sent(sockets.latest())).toContain('produce camera');
  });

  it('tries with growing patience and says how often, because the seat itself may be gone', async () => {
    const { sockets, onTrouble } = await begin();
    sockets.latest().breaks();
    await vi.advanceTimersByTimeAsync(100);
    sockets.latest().opens().answers('attach', { type: 'refused', code: 'media.unknown-leg', message: 'No such seat.' });
    await settle();
    expect(onTrouble.mock.calls).toEqual([[1], [2]]);
    expect(sockets.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(sockets.all).toHaveLength(3);
  });

  it.each([
    ['the browser gives up', blocked],
    ['the browser keeps trying for long', () => vi.advanceTimersByTime(BLOCKED_AFTER_MS)],
  ])(
    'says that nothing gets through, and through which doors it should, when %s; attaching again does not make it well',
    async (_, happens) => {
      const onStatus = vi.fn<MediaSessionOptions['onStatus']>();
      const { sockets } = await begin({ onStatus });
      await attach(sockets.latest(), [consumerOffer('lon-1', 'camera')]);
      happens();
      expect(onStatus.mock.lastCall).toEqual([
        'blocked',
        expect.arrayContaining([{ address: '9.9.9.9', port: expect.any(Number) as number, protocol: 'udp' }]),
      ]);
      sockets.latest().breaks();
      await vi.advanceTimersByTimeAsync(100);
      await attach(sockets.latest(), [consumerOffer('lon-1', 'camera')]);
      expect(onStatus.mock.lastCall?.[0]).toBe('blocked');
      const told = onStatus.mock.calls.length;
      happens();
      expect(onStatus.mock.calls.slice(told)).toMatchObject([['blocked', [{ address: '9.9.9.9' }, {}]]]);
      received();
      expect(onStatus.mock.lastCall).toEqual(['good', []]);
    },
  );

  it('moves to another node when told, but leaves media alone that flows from the same one', async () => {
    const { session, sockets } = await begin();
    await attach(sockets.latest());
    session.moveTo({ ...SEAT, token: 'second' });
    expect(sockets.all).toHaveLength(1);
    session.moveTo({ ...SEAT, url: 'ws://node-2/media', token: 'third' });
    expect(sockets.all).toHaveLength(2);
    expect(sockets.latest().opens().asked('attach').token).toBe('third');
    expect(sockets.all[0]?.closed).toBe(true);
  });

  it('waits for word when the node lets go of the seat', async () => {
    const { session, sockets, statuses } = await begin();
    await attach(sockets.latest());
    sockets.latest().says({ type: 'ended', reason: 'moved' });
    sockets.all[0]?.breaks();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(statuses.at(-1)).toBe('released');
    expect(sockets.all).toHaveLength(1);
    session.moveTo({ ...SEAT, token: 'second' });
    expect(sockets.all).toHaveLength(2);
  });

  it('ends for good when closed', async () => {
    const { session, sockets, statuses } = await begin();
    await attach(sockets.latest());
    session.close();
    session.close();
    session.retryNow();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets.all).toHaveLength(1);
    expect(statuses).toEqual(['good']);
  });
});
