import type { Cancel, Timers } from '@isthmus/ports';

interface Event {
  readonly atMs: number;
  readonly order: number;
  work: (() => void) | undefined;
}

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

  /** Lets time pass. */
  async runUntil(ms: number): Promise<void> {
    for (let event = this.#heap[0]; event !== undefined && event.atMs <= ms; event = this.#heap[0]) {
      this.#pop();
      if (event.work === undefined) continue;
      this.nowMs = event.atMs;
      this.done += 1;
      event.work();
      await settled();
    }
    this.nowMs = ms;
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

/** The next turn of the real event loop comes when no promise is left that could settle. Nothing here waits for real time. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
