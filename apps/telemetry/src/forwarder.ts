import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@isthmus/kernel';
import type { TelemetryBatch } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit';

/** Sends one batch; rejects if it did not arrive. */
export type Send = (batch: TelemetryBatch, signal: AbortSignal) => Promise<void>;

/** What is kept while management is away: two minutes, at one a second. The oldest goes first; counters lose nothing by it. */
const QUEUE_MAX = 120;
const BACKOFF_MS = { first: 200, most: 5_000 };

/** Brings batches to management in order, and goes on when it is away. Telemetry never holds up a site, nor fills its memory. */
export class Forwarder {
  private readonly queue: TelemetryBatch[] = [];
  private readonly stopped = new AbortController();
  private wake: () => void = () => undefined;
  private failures = 0;
  private readonly working: Promise<void>;
  dropped = 0;

  constructor(private readonly send: Send) {
    this.working = this.work();
  }

  /** Undefined while management takes what it is sent. */
  get trouble(): string | undefined {
    return this.failures === 0 ? undefined : `management is away: ${this.queue.length} batches wait`;
  }

  push(batch: TelemetryBatch): void {
    this.queue.push(batch);
    if (this.queue.length > QUEUE_MAX) {
      this.queue.shift();
      this.dropped += 1;
    }
    this.wake();
  }

  async close(): Promise<void> {
    this.stopped.abort();
    this.wake();
    await this.working;
  }

  private async work(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      const [batch] = this.queue;
      if (!batch) {
        await new Promise<void>((resolve) => (this.wake = resolve));
        continue;
      }
      try {
        await this.send(batch, signal);
        if (this.failures > 0) logOf('telemetry').info({ waiting: this.queue.length }, 'management takes reports again');
        this.failures = 0;
        this.done(batch);
      } catch (error) {
        if (signal.aborted) return;
        if (this.failures === 0) logOf('telemetry').warn({ error }, 'management takes no reports; they wait');
        this.failures += 1;
        // Said no, not away: the same batch would be refused again.
        if (error instanceof Refusal && error.code === 'request.invalid') this.done(batch);
        await sleep(Math.min(BACKOFF_MS.first * 2 ** Math.min(this.failures, 10), BACKOFF_MS.most), undefined, { signal }).catch(
          () => undefined,
        );
      }
    }
  }

  /** It may have been dropped as the oldest while it was on its way. */
  private done(batch: TelemetryBatch): void {
    if (this.queue[0] === batch) this.queue.shift();
  }
}
