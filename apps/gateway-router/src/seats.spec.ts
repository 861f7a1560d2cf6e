import { describe, expect, it, vi } from 'vitest';
import type { LegId } from '@isthmus/conference';
import { Fault } from '@isthmus/kernel';
import type { Brain } from './brain.js';
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
