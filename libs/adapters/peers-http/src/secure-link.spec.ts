import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import type { SiteId } from '@isthmus/kernel';
import { secureLink, type SecureLink } from './secure-link.js';

const LIMITS = { messageBytes: 1_000, bufferedBytes: 1_000, pingMs: 500, deadMs: 1_500 };

/** A socket that says when it was asked for a sign of life, and the bytes under it. */
let pings: number[];
let began: number;
let stream: EventEmitter & { bytesRead: number };
let socket: EventEmitter & { terminate: () => void };
let link: SecureLink;

const now = () => performance.now() - began;
const comes = (whole = true) => {
  stream.bytesRead += 100;
  if (whole) stream.emit('data');
};
/** Bytes come every so many ms for so long. */
const talks = async (everyMs: number, forMs: number, whole = true) => {
  for (let at = 0; at < forMs; at += everyMs) {
    await vi.advanceTimersByTimeAsync(everyMs);
    comes(whole);
  }
};

beforeEach(() => {
  vi.useFakeTimers();
  [pings, began] = [[], performance.now()];
  stream = Object.assign(new EventEmitter(), { bytesRead: 0 });
  socket = Object.assign(new EventEmitter(), {
    ...{ OPEN: 1, readyState: 1, isPaused: false, bufferedAmount: 0 },
    ping: () => void pings.push(Math.round(now())),
    terminate: () => void socket.emit('close', 1006, Buffer.from('')),
  });
  link = secureLink(socket as unknown as WebSocket, stream as unknown as TLSSocket, { kind: 'site', site: 'lon' as SiteId }, LIMITS);
});
afterEach(() => void vi.useRealTimers());

describe('signs of life on a link', () => {
  it('are asked for when there was none for the time of a ping, and a link without them is dead after its deadline', async () => {
    const reasons: [string, number][] = [];
    link.onClose((reason) => reasons.push([reason, now()]));
    await talks(400, 2_400);
    pings = [];
    const silentFrom = now();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(pings.map((at) => Math.round((at - silentFrom) / 100))).toEqual([5, 10]);
    const [[reason, at] = ['', 0]] = reasons;
    expect(reason).toBe('no answer for 1.5 s');
    expect(at - silentFrom).toBeGreaterThanOrEqual(1_490);
    expect(at - silentFrom).toBeLessThan(1_520);
  });

  it('are not asked for while they come, but now and then, to know how long the way is', async () => {
    await talks(100, 10_000);
    expect(pings.length).toBeGreaterThanOrEqual(4);
    expect(pings.length).toBeLessThanOrEqual(6);
    expect(link.open).toBe(true);
  });

  it('come as answers on a link on which nothing else is said: two questions a second, and it is dead as soon when they cease', async () => {
    const answer = vi.fn(() => void setTimeout(comes, 5));
    Object.assign(socket, { ping: answer });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(answer.mock.calls.length).toBeGreaterThan(15);
    expect(answer.mock.calls.length).toBeLessThan(22);
    answer.mockImplementation(() => undefined);
    const { heardAtMs } = link;
    await vi.advanceTimersByTimeAsync(heardAtMs + 1_490 - performance.now());
    expect(link.open).toBe(true);
    await vi.advanceTimersByTimeAsync(30);
    expect(link.open).toBe(false);
  });

  it('are given by whoever does not read, and so does not answer', async () => {
    Object.assign(socket, { isPaused: true });
    pings = [];
    await vi.advanceTimersByTimeAsync(5_100);
    expect(pings.length).toBeGreaterThanOrEqual(9);
    expect(link.open).toBe(true);
  });

  it('are bytes of a message that is not whole yet, too', async () => {
    await talks(100, 10_000, false);
    expect(link.open).toBe(true);
    await vi.advanceTimersByTimeAsync(2_100);
    expect(link.open).toBe(false);
  });
});
