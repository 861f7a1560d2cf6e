import { describe, expect, it, vi } from 'vitest';
import type { ConferenceId, ConferenceView, LegId, PersonId } from '@isthmus/conference';
import { Fault, type SiteId } from '@isthmus/kernel';
import type { ViewPublished } from '@isthmus/protocol';
import type { Brain, Entered } from './brain.js';
import type { SeatOf } from './seat.js';
import { Seats } from './seats.js';

describe('what a gateway-router tells the brain of those who have gone', () => {
  it('is told of a few at a time, however many they are, and of all', async () => {
    let [now, most] = [0, 0];
    const told: string[] = [];
    const leave = async (_room: string, leg: LegId): Promise<void> => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      told.push(leg);
    };
    const seats = new Seats({ leave } as unknown as Brain, { now: () => 0, monotonic: () => 0 }, 0);
    const legs = Array.from({ length: 100 }, (_, n) => `nyc-${n}` as LegId);
    await Promise.all(legs.map((leg) => seats.withdraw('r1', leg)));
    expect(told.toSorted()).toEqual(legs.toSorted());
    expect(most).toBe(16);
  });

  it('holds up nobody with what the brain cannot hear yet', async () => {
    const leave = vi.fn((_room: string, leg: LegId) =>
      leg === 'nyc-away' && leave.mock.calls.length < 4 ? Promise.reject(new Fault('store.unavailable', 'away')) : Promise.resolve(),
    );
    const seats = new Seats({ leave } as unknown as Brain, { now: () => 0, monotonic: () => 0 }, 0);
    await Promise.all(['nyc-away', 'nyc-1', 'nyc-2'].map((leg) => seats.withdraw('r1', leg as LegId)));
    expect(leave.mock.calls.map(([, leg]) => leg)).toEqual(['nyc-away', 'nyc-1', 'nyc-2', 'nyc-away']);
  });
});

describe('what is published in the moment in which the brain answers', () => {
  const leg = 'nyc-1' as LegId;
  const of: SeatOf = {
    ...{ leg, person: 'ana' as PersonId, room: 'r1', roomName: 'Board', role: 'host', proof: 0 },
    ...{ resume: 'word', connect: 1, re: 1 },
  };
  const viewAt = (revision: number): ConferenceView => ({
    ...{ conference: 'r1_1' as ConferenceId, room: 'r1', site: 'nyc' as SiteId, version: { epoch: 1, revision }, started: true },
    ...{ seats: [], waiting: [], byRecency: [], floor: null, locked: false },
  });
  const media = (token: string) => ({ url: 'ws://nyc-1/media', token });
  const joined = (revision: number): Entered => ({
    ...{ type: 'Joined', leg, conference: 'r1_1', resume: 'word', role: 'host' },
    ...{ media: media('of the answer'), view: viewAt(revision) },
  });
  const published = (revision: number, what: Partial<ViewPublished>): ViewPublished => ({
    ...{ view: viewAt(revision), ended: [], attach: [], notices: [] },
    ...what,
  });
  /** What a client hears, in short. */
  const client = () => {
    const heard: string[] = [];
    const send = (message: object) => {
      const { type, reason, media: to } = message as { type: string; reason?: string; media?: { token: string } };
      heard.push([type, reason ?? to?.token ?? []].flat().join(' '));
    };
    return { heard, line: { address: '192.0.2.1', open: true, backlogBytes: 0, send, close: vi.fn() } };
  };
  const seatsHere = () => new Seats({} as Brain, { now: () => 0, monotonic: () => 0 }, 0);

  it.each(['once', 'again'])('ends a seat whose end was told before the answer, for who comes %s', (which) => {
    const [seats, before, now] = [seatsHere(), client(), client()];
    if (which === 'again') seats.take(of, joined(4), before.line);
    seats.heard(published(6, { ended: [{ leg, reason: 'removed' }] }));
    const seat = seats.take({ ...of, connect: 2 }, joined(5), now.line);
    expect(now.heard).toEqual(['joined of the answer', 'ended removed']);
    expect([seat.state, seats.size]).toEqual(['over', 0]);
  });

  it('sends who comes back to where they have been moved meanwhile, and nowhere twice', () => {
    const [seats, before, now, later] = [seatsHere(), client(), client(), client()];
    seats.take(of, joined(4), before.line);
    seats.heard(published(6, { attach: [{ leg, media: media('elsewhere') }] }));
    seats.take({ ...of, connect: 2 }, joined(5), now.line);
    expect(now.heard).toEqual(['joined of the answer', 'media elsewhere']);
    seats.heard(published(7, { attach: [{ leg, media: media('elsewhere again') }] }));
    seats.take({ ...of, connect: 3 }, joined(7), later.line);
    expect(later.heard).toEqual(['joined of the answer']);
  });
});
