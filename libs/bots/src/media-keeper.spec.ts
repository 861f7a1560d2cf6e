import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MediaKeeper } from './media-keeper.js';
import type { MediaSession } from './media-session.js';
import type { MediaPlace } from './seat.js';

const placeOf = (url: string) => ({ url, token: 'token' }) as MediaPlace;

describe('media where a seat is', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are tried again at the newest place, also when that is refused while the one before waits for its turn', async () => {
    const [before, after] = [placeOf('one'), placeOf('two')];
    const tried: string[] = [];
    let lost = (_: string): void => undefined;
    const keeper = new MediaKeeper({
      attach: async (place, onLost) => {
        tried.push(place.url);
        if (tried.join() === 'one,two') throw new Error('nobody listens there');
        lost = onLost;
        return { close: () => undefined } as MediaSession;
      },
      onAgain: () => undefined,
    });
    await keeper.go(before);
    lost('the node has ended');
    await vi.advanceTimersByTimeAsync(100);
    await keeper.go(after);
    expect(keeper.session).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([tried, keeper.session === null]).toEqual([['one', 'two', 'two'], false]);
    keeper.close();
  });
});
