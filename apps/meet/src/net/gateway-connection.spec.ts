import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayToClient } from '@isthmus/protocol';
import { Backoff } from './backoff.js';
import { GatewayConnection, type GatewayStatus } from './gateway-connection.js';
import { scriptedSockets } from './testing/scripted-socket.js';

const WELCOME = { type: 'welcome', v: 1, site: 'nyc', siteName: 'New York', rtpCapabilities: {} };

const begin = () => {
  const sockets = scriptedSockets();
  const statuses: GatewayStatus[] = [];
  const heard: GatewayToClient[] = [];
  const onWelcome = vi.fn();
  const connection = new GatewayConnection({
    url: 'ws://site/ws',
    openSocket: sockets.open,
    backoff: new Backoff(100, 1_000, () => 0),
    onStatus: (status) => statuses.push(status),
    onWelcome,
    onMessage: (message) => heard.push(message),
  });
  return { connection, sockets, statuses, heard, onWelcome };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the connection to the gateway-router', () => {
  it('opens by itself and is open from the welcome on, not before', async () => {
    const { connection, sockets, statuses, onWelcome } = begin();
    sockets.latest().opens();
    await expect(connection.request({ type: 'leave' })).rejects.toThrow(/not connected/);
    sockets.latest().says(WELCOME);
    expect(statuses).toEqual(['open']);
    expect(onWelcome).toHaveBeenCalledWith(WELCOME);
    const left = connection.request({ type: 'leave' });
    sockets.latest().answers('leave', { type: 'ok' });
    expect(await left).toMatchObject({ type: 'ok' });
  });

  it('comes back after a loss, waiting longer each time that fails and briefly again after a success', async () => {
    const { sockets, statuses } = begin();
    sockets.latest().opens().says(WELCOME);
    sockets.latest().breaks();
    expect(statuses).toEqual(['open', 'lost']);
    await vi.advanceTimersByTimeAsync(99);
    expect(sockets.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets.all).toHaveLength(2);
    sockets.latest().breaks();
    await vi.advanceTimersByTimeAsync(199);
    expect(sockets.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    sockets.latest().opens().says(WELCOME);
    sockets.latest().breaks();
    await vi.advanceTimersByTimeAsync(100);
    expect(sockets.all).toHaveLength(4);
  });

  it('gives up on a server that accepts and then says nothing', async () => {
    const { sockets } = begin();
    sockets.latest().opens();
    await vi.advanceTimersByTimeAsync(15_100);
    expect(sockets.all[0]?.closed).toBe(true);
    expect(sockets.all).toHaveLength(2);
  });

  it('connects at once when it is told that the network is back', async () => {
    const { connection, sockets } = begin();
    sockets.latest().opens().says(WELCOME);
    connection.refresh();
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets.all).toHaveLength(2);
    expect(sockets.all[0]?.closed).toBe(true);
  });

  it('passes on what it is told, and stays closed once closed', async () => {
    const { connection, sockets, heard } = begin();
    sockets.latest().opens().says(WELCOME);
    sockets.latest().says({ type: 'notice', code: 'a.b', message: 'Hello.' });
    expect(heard).toEqual([{ type: 'notice', code: 'a.b', message: 'Hello.' }]);
    connection.close();
    connection.close();
    connection.refresh();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets.all).toHaveLength(1);
  });
});
