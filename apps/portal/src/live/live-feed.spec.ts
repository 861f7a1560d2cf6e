import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveFeed, type Line } from './live-feed.js';

class ScriptedLine implements Line {
  readyState = 1;
  private readonly listeners = new Map<string, (event: { readonly data: string }) => void>();
  addEventListener(type: string, listener: (event: { readonly data: string }) => void): void {
    this.listeners.set(type, listener);
  }
  close(): void {
    this.readyState = 2;
  }
  say(value: unknown): void {
    this.listeners.get('status')?.({ data: typeof value === 'string' ? value : JSON.stringify(value) });
  }
  open(): void {
    this.listeners.get('open')?.({ data: '' });
  }
  break(readyState: number): void {
    this.readyState = readyState;
    this.listeners.get('error')?.({ data: '' });
  }
}

const SNAPSHOT = { at: 1, configurationVersion: 3, sites: [], conferences: [], links: [], components: [], alarms: [] };

describe('the live feed', () => {
  let lines: ScriptedLine[];
  let refused: number;
  let feed: LiveFeed;

  beforeEach(() => {
    vi.useFakeTimers();
    lines = [];
    refused = 0;
    feed = new LiveFeed({
      open: () => {
        const line = new ScriptedLine();
        lines.push(line);
        return line;
      },
      now: () => Date.now(),
      onRefused: () => void (refused += 1),
    });
    feed.start();
  });
  afterEach(() => {
    feed.close();
    vi.useRealTimers();
  });

  it('keeps the last snapshot, and when it came, through a loss', () => {
    lines[0]?.say(SNAPSHOT);
    const { receivedAt } = feed.current();
    vi.advanceTimersByTime(3_000);
    lines[0]?.break(0);
    expect(feed.current()).toMatchObject({ status: SNAPSHOT, receivedAt, connection: 'lost' });
  });

  it('leaves an interrupted stream to the browser, which comes back by itself', () => {
    lines[0]?.break(0);
    vi.advanceTimersByTime(8_000);
    expect(lines).toHaveLength(1);
    lines[0]?.open();
    expect(feed.current().connection).toBe('open');
    expect(refused).toBe(0);
  });

  it('asks who is signed in when it is refused, and tries again, ever more slowly', () => {
    lines[0]?.break(2);
    expect(refused).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(lines).toHaveLength(2);
    lines[1]?.break(2);
    vi.advanceTimersByTime(1_000);
    expect(lines).toHaveLength(2);
    vi.advanceTimersByTime(1_000);
    expect(lines).toHaveLength(3);
  });

  it('takes a new line when nothing came for long, for the old one may be dead', () => {
    lines[0]?.say(SNAPSHOT);
    vi.advanceTimersByTime(30_000);
    expect(lines).toHaveLength(2);
    expect(lines[0]?.readyState).toBe(2);
  });

  it('says that it cannot read what is none, and keeps what it has', () => {
    lines[0]?.say(SNAPSHOT);
    lines[0]?.say({ at: 'yesterday' });
    expect(feed.current()).toMatchObject({ status: SNAPSHOT, unreadable: true });
    lines[0]?.say('{');
    expect(feed.current().unreadable).toBe(true);
    lines[0]?.say(SNAPSHOT);
    expect(feed.current().unreadable).toBe(false);
  });

  it('opens nothing any more once it is closed', () => {
    lines[0]?.break(2);
    feed.close();
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(1);
  });
});
