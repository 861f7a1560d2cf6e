/** How a link behaves in one direction. */
export interface Condition {
  /** Nothing passes: packets are lost, TCP waits. */
  readonly cut: boolean;
  readonly delayMs: number;
  /** Each item takes up to this much longer, evenly spread; order is kept. */
  readonly jitterMs: number;
  /** Of UDP packets, 0 to 100. TCP would only repeat them. */
  readonly lossPercent: number;
}

export const PERFECT: Condition = { cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0 };

interface Waiting<T> {
  readonly dueMs: number;
  readonly item: T;
}

/** Keeps items for a link's delay and lets them go in order. */
export class DelayLine<T> {
  private waiting: Waiting<T>[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly deliver: (item: T) => void,
    private readonly random: () => number = Math.random,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get length(): number {
    return this.waiting.length;
  }

  push(item: T, { delayMs, jitterMs }: Pick<Condition, 'delayMs' | 'jitterMs'>): void {
    const dueMs = Math.max(this.now() + delayMs + this.random() * jitterMs, this.waiting.at(-1)?.dueMs ?? 0);
    this.waiting.push({ dueMs, item });
    this.schedule();
  }

  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = [];
  }

  private schedule(): void {
    const first = this.waiting[0];
    if (this.timer || !first) return;
    this.timer = setTimeout(() => this.release(), Math.max(0, first.dueMs - this.now()));
  }

  private release(): void {
    this.timer = undefined;
    const now = this.now();
    const due = this.waiting.findIndex(({ dueMs }) => dueMs > now);
    const ready = this.waiting.splice(0, due === -1 ? this.waiting.length : due);
    for (const { item } of ready) this.deliver(item);
    this.schedule();
  }
}
