import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayToClient, MeetingView } from '@isthmus/protocol';
import { ViewFeed } from './view-feed.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const view = (revision: number, locked = revision % 2 === 0): MeetingView => ({
  revision,
  roster: [],
  stage: { main: null, thumbnails: [] },
  floor: null,
  locked,
  held: false,
  waiting: [],
});

const feed = () => {
  const sent: GatewayToClient[] = [];
  const line = {
    address: '192.0.2.1',
    open: true,
    backlogBytes: 0,
    send: (message: object) => void sent.push(message as GatewayToClient),
    close: vi.fn(),
  };
  return {
    line,
    sent,
    feed: new ViewFeed(line, { now: () => 0, monotonic: () => performance.now() }),
    revisions: () => sent.map((message) => (message.type === 'view' ? message.view.revision : -1)),
  };
};

describe('keeping a client up to date', () => {
  it('sends the first view at once and then at most one per 30 ms, the latest', () => {
    const { feed: views, revisions } = feed();
    for (let revision = 1; revision <= 9; revision++) views.show(view(revision));
    expect(revisions()).toEqual([1]);
    vi.advanceTimersByTime(29);
    expect(revisions()).toEqual([1]);
    vi.advanceTimersByTime(1);
    views.show(view(10));
    vi.advanceTimersByTime(100);
    expect(revisions()).toEqual([1, 10]);
  });

  it('does not repeat what the client knows', () => {
    const { feed: views, revisions } = feed();
    views.told(view(1, true));
    vi.advanceTimersByTime(100);
    views.show(view(2, true));
    vi.advanceTimersByTime(100);
    views.show(view(3, false));
    expect(revisions()).toEqual([3]);
  });

  it('holds back from a client that is behind, and sends the latest when it has caught up', () => {
    const { line, feed: views, revisions } = feed();
    line.backlogBytes = 300 * 1024;
    for (let revision = 1; revision <= 5; revision++) views.show(view(revision));
    vi.advanceTimersByTime(2_000);
    expect(revisions()).toEqual([]);
    line.backlogBytes = 0;
    vi.advanceTimersByTime(250);
    expect(revisions()).toEqual([5]);
  });

  it('gives up on a client that stays behind for ten seconds', () => {
    const { line, feed: views } = feed();
    line.backlogBytes = 300 * 1024;
    views.show(view(1));
    vi.advanceTimersByTime(10_500);
    expect(line.close).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(10_500);
    expect(line.close).toHaveBeenCalledOnce();
  });

  it('is silent once stopped', () => {
    const { feed: views, revisions } = feed();
    views.show(view(1));
    views.show(view(2));
    views.stop();
    vi.advanceTimersByTime(1_000);
    expect(revisions()).toEqual([1]);
  });
});
