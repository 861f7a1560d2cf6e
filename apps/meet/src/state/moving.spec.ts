import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { consumerOffer } from '../net/testing/fake-device.js';
import { joinedAt, entry, meetingUnderTest, settle, viewOf } from './testing/meeting-under-test.js';

const view = (you: string, ...others: readonly string[]) => viewOf(entry(you, { you: true }), ...others);
const WAYS = [
  { site: 'lon', name: 'London', url: 'http://lon' },
  { site: 'cpt', name: 'Cape Town', url: 'http://cpt' },
];
const LINKS = 'This site is about to be closed. Please leave, and join the same meeting at London: http://lon/r/harbour';

/** Ana is in by New York, with a PIN, and New York is to end. */
const begin = async () => {
  const { at, asks, attaches, ...rest } = meetingUnderTest();
  await rest.welcomes('nyc', 'New York');
  await asks('0815');
  at('nyc').answers('join', joinedAt('nyc'));
  await settle();
  await attaches('nyc');
  const told = async (afterMs = 100): Promise<void> => {
    at('nyc').says({ type: 'notice', code: 'join.site-draining', message: LINKS, move: { v: 1, afterMs, ways: WAYS } });
    await vi.advanceTimersByTimeAsync(afterMs);
    await settle();
  };
  const toasts = () => rest.state().toasts.map(({ text }) => text);
  return { ...rest, at, attaches, told, toasts };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a site that is to end', () => {
  it('is left for another by itself, but not before media come there, with a quiet word', async () => {
    const { sockets, at, welcomes, attaches, told, toasts, state } = await begin();
    await told();
    expect(toasts()).toEqual([]);
    await welcomes('lon', 'London');
    expect(at('lon').asked('join')).toMatchObject({ alias: 'harbour', name: 'Ana', pin: '0815', connect: 2, from: 'nyc-1' });
    at('lon').answers('join', joinedAt('lon', { view: view('lon-1', 'nyc-2') }));
    await settle();
    expect([state().leg, state().siteName, at('nyc').closed]).toEqual(['nyc-1', 'New York', false]);
    await attaches('lon');
    expect(at('nyc').sent.some(({ type }) => type === 'leave')).toBe(false);
    await vi.advanceTimersByTimeAsync(600);
    expect(state()).toMatchObject({ phase: 'meeting', leg: 'lon-1', siteName: 'London', media: 'good', gateway: 'open' });
    expect(at('nyc').asked('leave')).toBeDefined();
    expect([at('nyc').closed, at('node-nyc').closed]).toEqual([true, true]);
    expect(toasts()).toEqual(['You are now connected through London.']);
    expect(state().view?.roster.map(({ leg }) => leg)).toEqual(['lon-1', 'nyc-2']);
    expect(state().view?.stage).toEqual({ main: 'nyc-2', thumbnails: [] });
    expect(sockets.all.map(({ url }) => url).join()).not.toContain('0815');
  });

  it('is left with the seat at the other one as good as any: a broken connection opens that one again', async () => {
    const { at, welcomes, attaches, told } = await begin();
    await told();
    await welcomes('lon', 'London');
    at('lon').answers('join', joinedAt('lon'));
    await settle();
    await attaches('lon');
    await vi.advanceTimersByTimeAsync(600);
    at('lon').breaks();
    await vi.advanceTimersByTimeAsync(1_000);
    await welcomes('lon', 'London');
    expect(at('lon').asked('join')).toMatchObject({ pin: '0815', resume: 'back-lon', connect: 3 });
    expect(at('lon').asked('join')).not.toHaveProperty('from');
  });

  it('is left for one that is to end as well, by the time that they are there, and that one for a third', async () => {
    const { at, welcomes, attaches, told, state } = await begin();
    await told();
    await welcomes('lon', 'London');
    at('lon').answers('join', joinedAt('lon'));
    await settle();
    at('lon').says({ type: 'notice', code: 'join.site-draining', message: LINKS, move: { v: 1, afterMs: 100, ways: [WAYS[1]] } });
    await attaches('lon');
    await vi.advanceTimersByTimeAsync(600);
    expect(state().leg).toBe('lon-1');
    await vi.advanceTimersByTimeAsync(100);
    await welcomes('cpt', 'Cape Town');
    expect(at('cpt').asked('join')).toMatchObject({ pin: '0815', connect: 3, from: 'lon-1' });
  });

  it('is not left while what others send has no way here', async () => {
    const { at, welcomes, attaches, told, state } = await begin();
    await told();
    await welcomes('lon', 'London');
    at('lon').answers('join', joinedAt('lon', { view: view('lon-1', 'nyc-2') }));
    await settle();
    await attaches('lon', [consumerOffer('nyc-2', 'camera')]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(state().leg).toBe('nyc-1');
    // No packet ever comes: given up, and the next way is tried.
    await vi.advanceTimersByTimeAsync(12_000);
    expect([at('lon').asked('leave').type, at('lon').closed, at('node-lon').closed]).toEqual(['leave', true, true]);
    expect(at('cpt').closed).toBe(false);
    expect(state().phase).toBe('meeting');
  });

  it.each([
    ['refuses', { type: 'refused', code: 'site.full', message: 'Full.' }],
    ['asks for another PIN', { type: 'pin-needed' }],
    ['lets people wait', { type: 'waiting', reason: 'host' }],
  ])('is not left for one that %s; the next is tried, and after the last the person is asked', async (_, answer) => {
    const { at, welcomes, told, toasts, state } = await begin();
    await told();
    await welcomes('lon', 'London');
    at('lon').answers('join', answer);
    await settle();
    expect(at('lon').closed).toBe(true);
    expect(toasts()).toEqual([]);
    // No way there, or a certificate that this browser does not trust.
    at('cpt').breaks();
    await settle();
    expect(toasts()).toEqual([LINKS]);
    expect(state()).toMatchObject({ phase: 'meeting', leg: 'nyc-1', siteName: 'New York' });
    expect(at('nyc').closed).toBe(false);
  });

  it('is left with the other one, where a seat was taken meanwhile, by whoever closes the page', async () => {
    const { meeting, at, told, welcomes } = await begin();
    await told();
    await welcomes('lon', 'London');
    at('lon').answers('join', joinedAt('lon'));
    await settle();
    meeting.goodbye();
    await settle();
    expect([at('nyc').asked('leave').type, at('lon').asked('leave').type]).toEqual(['leave', 'leave']);
  });

  it('is not left by whoever has left the meeting, before or meanwhile', async () => {
    const { meeting, at, sockets, told, welcomes } = await begin();
    await told();
    await welcomes('lon', 'London');
    meeting.leave();
    await settle();
    expect(at('lon').closed).toBe(true);
    const before = sockets.all.length;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sockets.all).toHaveLength(before);
  });
});
