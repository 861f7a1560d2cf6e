import type { Cancel, Timers } from '@isthmus/ports';

interface Event {
  readonly atMs: number;
  readonly order: number;
  work: (() => void) | undefined;
}

const EVENTS_IN_A_TURN = 64;

/**
 * Time that passes only when everything has been done. One event at a time; before the next one begins, every promise that can
 * settle has settled. So what happens, and in which order, depends on the events alone.
 */
export class Schedule implements Timers {
  nowMs = 0;
  /** Events that were carried out. */
  done = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  after(ms: number, work: () => void): Cancel {
    const event: Event = { atMs: this.nowMs + Math.max(0, ms), order: this.#order++, work };
    this.#push(event);
    return () => {
      event.work = undefined;
    };
  }

  every(ms: number, work: () => void): Cancel {
    let cancel: Cancel = () => undefined;
    const again = () => {
      cancel = this.after(ms, again);
      work();
    };
    cancel = this.after(ms, again);
    return () => cancel();
  }

  /** Lets time pass. Rejects with what an event throws; then the events after it have not happened. */
  async runUntil(ms: number): Promise<void> {
    while ((this.#heap[0]?.atMs ?? Infinity) <= ms) await this.#turn(ms);
    this.nowMs = ms;
  }

  /**
   * Some events in one turn of the real event loop. Between two immediates Node lets every promise settle that can, and nothing here
   * waits for real time; a turn of its own for each event would take longer than most events do.
   */
  #turn(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let broken = false;
      const next = () => {
        if (broken) return;
        try {
          this.#carryOut(ms);
        } catch (error) {
          broken = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      for (let n = 0; n < EVENTS_IN_A_TURN; n++) setImmediate(next);
      setImmediate(resolve);
    });
  }

  /** The next event, if it is due by then. */
  #carryOut(ms: number): void {
    for (let event = this.#heap[0]; event !== undefined && event.atMs <= ms; event = this.#heap[0]) {
      this.#pop();
      if (event.work === undefined) continue;
      this.nowMs = event.atMs;
      this.done += 1;
      event.work();
      return;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
