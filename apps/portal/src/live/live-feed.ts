import { status as statusShape, type Status } from '@isthmus/protocol';

/** The little of `EventSource` that the feed needs; a spec hands it a scripted one. */
export interface Line {
  readonly readyState: number;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'status', listener: (event: { readonly data: string }) => void): void;
  close(): void;
}

export interface LiveNow {
  readonly status: Status | undefined;
  /** When it came, on the monotonic clock, ms: clocks of other machines say nothing about its age here. */
  readonly receivedAt: number | undefined;
  readonly connection: 'connecting' | 'open' | 'lost';
  /** The service sends what this page cannot read: the page is older than the service. */
  readonly unreadable: boolean;
}

interface FeedOptions {
  readonly open: () => Line;
  readonly now: () => number;
  /** The server closed the door instead of answering; perhaps the session is over. */
  readonly onRefused: () => void;
}

const CLOSED = 2;
/** A new snapshot comes each second; after this long without one they are old, and the page says so. */
export const OLD_MS = 5_000;
/** After this long in silence the line may be dead without anybody having said so; a new one costs little. */
const DEAD_MS = 20_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000] as const;

/** Keeps the running estate on screen: takes snapshots from the stream, and comes back by itself whenever it breaks. */
export class LiveFeed {
  private now: LiveNow = { status: undefined, receivedAt: undefined, connection: 'connecting', unreadable: false };
  private readonly listeners = new Set<() => void>();
  private line: Line | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private openedAt = 0;
  private failures = 0;

  constructor(private readonly options: FeedOptions) {}

  readonly current = (): LiveNow => this.now;

  readonly listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  start(): void {
    this.connect();
    this.watch = setInterval(() => this.lookForLife(), OLD_MS);
  }

  close(): void {
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.hangUp();
    this.listeners.clear();
  }

  /** Do not wait for the next attempt. */
  readonly again = (): void => {
    clearTimeout(this.timer);
    this.hangUp();
    this.tell({ connection: 'connecting' });
    this.connect();
  };

  private connect(): void {
    const line = this.options.open();
    this.line = line;
    this.openedAt = this.options.now();
    line.addEventListener('open', () => {
      if (this.line !== line) return;
      this.failures = 0;
      this.tell({ connection: 'open' });
    });
    line.addEventListener('status', ({ data }) => {
      if (this.line === line) this.take(data);
    });
    line.addEventListener('error', () => {
      if (this.line === line) this.lose(line);
    });
  }

  private lose(line: Line): void {
    this.tell({ connection: 'lost' });
    // Otherwise the browser tries again by itself, as the stream's `retry` told it.
    if (line.readyState !== CLOSED) return;
    this.hangUp();
    this.options.onRefused();
    this.timer = setTimeout(() => this.connect(), RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]);
    this.failures += 1;
  }

  private take(data: string): void {
    const parsed = statusShape.safeParse(jsonIn(data));
    if (!parsed.success) return this.tell({ unreadable: true });
    this.tell({ status: parsed.data, receivedAt: this.options.now(), connection: 'open', unreadable: false });
  }

  private lookForLife(): void {
    if (this.line === undefined) return;
    const lastSign = Math.max(this.openedAt, this.now.receivedAt ?? 0);
    if (this.options.now() - lastSign > DEAD_MS) this.again();
  }

  private hangUp(): void {
    this.line?.close();
    this.line = undefined;
  }

  private tell(change: Partial<LiveNow>): void {
    this.now = { ...this.now, ...change };
    for (const listener of this.listeners) listener();
  }
}

const jsonIn = (data: string): unknown => {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
};
