import { describe, expect, it, vi } from 'vitest';
import { EarlySocket } from './early-socket.js';
import { scriptedSockets, settle } from './testing/scripted-socket.js';

const URL_OF_NODE = 'ws://node-1/media';

describe('a connection opened before the click', () => {
  it('is taken as it is, and says that it is open to whoever takes it', async () => {
    const sockets = scriptedSockets();
    const early = new EarlySocket(sockets.open);
    early.prepare(URL_OF_NODE);
    sockets.latest().opens();
    const taken = early.take(URL_OF_NODE);
    taken.onopen = vi.fn<(event: Event) => void>();
    await settle();
    expect(taken).toBe(sockets.all[0]);
    expect(taken.onopen).toHaveBeenCalledOnce();
  });

  it('may still be opening when it is taken', async () => {
    const sockets = scriptedSockets();
    const early = new EarlySocket(sockets.open);
    early.prepare(URL_OF_NODE);
    const taken = early.take(URL_OF_NODE);
    taken.onopen = vi.fn<(event: Event) => void>();
    await settle();
    expect(taken.onopen).not.toHaveBeenCalled();
    sockets.latest().opens();
    expect(taken.onopen).toHaveBeenCalledOnce();
  });

  it('is given once; the next one is new', () => {
    const sockets = scriptedSockets();
    const early = new EarlySocket(sockets.open);
    early.prepare(URL_OF_NODE);
    early.prepare(URL_OF_NODE);
    expect(sockets.all).toHaveLength(1);
    expect(early.take(URL_OF_NODE)).toBe(sockets.all[0]);
    expect(early.take(URL_OF_NODE)).toBe(sockets.all[1]);
  });

  it('is not used for another node, nor when it is lost', () => {
    const sockets = scriptedSockets();
    const early = new EarlySocket(sockets.open);
    early.prepare(URL_OF_NODE);
    expect(early.take('ws://node-2/media')).toBe(sockets.all[1]);
    sockets.all[0]!.breaks();
    expect(early.take(URL_OF_NODE)).toBe(sockets.all[2]);
    early.prepare(URL_OF_NODE);
    early.close();
    expect(sockets.all[3]!.closed).toBe(true);
  });
});
