import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientToMedia, MediaToClient } from '@isthmus/protocol';
import { granted, RequestSocket } from './request-socket.js';
import { scriptedSockets } from './testing/scripted-socket.js';
import { readMediaMessage } from './wire.js';

const connect = () => {
  const sockets = scriptedSockets();
  const heard: MediaToClient[] = [];
  const onLost = vi.fn();
  const socket = new RequestSocket<ClientToMedia, MediaToClient>({
    url: 'ws://node/media',
    read: readMediaMessage,
    openSocket: sockets.open,
    deadlineMs: 1_000,
    onMessage: (message) => heard.push(message),
    onLost,
  });
  return { socket, heard, onLost, line: sockets.latest().opens() };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('requests on a socket', () => {
  it('carry the version and growing ids, and each gets the answer that names it', async () => {
    const { socket, line } = connect();
    const pause = socket.request({ type: 'pause', source: 'camera' });
    const resume = socket.request({ type: 'resume', source: 'camera' });
    expect(line.sent.map(({ v, id, type }) => [v, id, type])).toEqual([
      [1, 1, 'pause'],
      [1, 2, 'resume'],
    ]);
    line.says({ type: 'refused', re: 2, code: 'media.unknown-source', message: 'No camera.' });
    line.says({ type: 'ok', re: 1 });
    expect(await pause).toEqual({ type: 'ok', re: 1 });
    expect((await resume).type).toBe('refused');
  });

  it('fail after their deadline, and a late answer harms nobody', async () => {
    const { socket, line } = connect();
    const late = socket.request({ type: 'pause', source: 'camera' });
    const failed = expect(late).rejects.toMatchObject({ code: 'meet.unanswered' });
    await vi.advanceTimersByTimeAsync(1_000);
    await failed;
    line.says({ type: 'ok', re: 1 });
  });

  it('fail at once when the socket breaks, and the loss is told once', async () => {
    const { socket, line, onLost } = connect();
    const cut = socket.request({ type: 'pause', source: 'camera' });
    const failed = expect(cut).rejects.toMatchObject({ code: 'meet.disconnected' });
    line.breaks();
    line.breaks();
    await failed;
    expect(onLost).toHaveBeenCalledTimes(1);
    await expect(socket.request({ type: 'pause', source: 'camera' })).rejects.toMatchObject({ code: 'meet.disconnected' });
  });

  it('are not needed to be told things', () => {
    const { heard, line } = connect();
    line.says({ type: 'layers', large: false, small: true });
    expect(heard).toEqual([{ type: 'layers', large: false, small: true }]);
  });

  it('survive nonsense, without repeating it in the log', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const { heard, line } = connect();
    line.says({ type: 'confetti', token: 'secret' });
    line.says('{{{');
    line.says({ type: 'speaking', legs: [] });
    expect(heard).toEqual([{ type: 'speaking', legs: [] }]);
    expect(JSON.stringify(warn.mock.calls)).not.toContain('secret');
  });

  it('hear nothing after closing, and closing twice is quiet', () => {
    const { socket, heard, line, onLost } = connect();
    socket.close();
    socket.close();
    line.says({ type: 'speaking', legs: [] });
    line.breaks();
    expect(heard).toEqual([]);
    expect(onLost).not.toHaveBeenCalled();
  });
});

describe('granted', () => {
  it('gives the answer asked for, throws a refusal with its code, and distrusts any other answer', () => {
    const refusal: MediaToClient = { type: 'refused', re: 1, code: 'media.full', message: 'Full.' };
    expect(granted<MediaToClient, 'ok'>({ type: 'ok', re: 1 }, 'ok')).toEqual({ type: 'ok', re: 1 });
    expect(() => granted<MediaToClient, 'ok'>(refusal, 'ok')).toThrowError(
      expect.objectContaining({ code: 'media.full', kind: 'refusal' }),
    );
    expect(() => granted<MediaToClient, 'ok'>({ type: 'produced', re: 1, producerId: 'p' }, 'ok')).toThrowError(/where "ok" was due/);
  });
});
