import type { Stored } from '@isthmus/ports';
import { BATCH_BYTES, BATCH_FACTS, PEER_MESSAGE_BYTES, WINDOW, WORD_BYTES } from './peer-protocol.js';

export interface Batch {
  readonly facts: readonly Stored['fact'][];
  readonly position: string;
}

/** How many batches a peer has asked for and not yet got. */
export class Credit {
  private left = 0;
  private wake: () => void = () => undefined;

  /** False if the peer asks for more than it may. */
  add(batches: number): boolean {
    this.left += batches;
    this.wake();
    return this.left <= WINDOW;
  }

  /** Waits until there is one, and takes it. */
  async take(signal: AbortSignal): Promise<void> {
    while (this.left === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.left--;
  }

  /** Whoever waits looks at its signal again. */
  recheck(): void {
    this.wake();
  }
}

/**
 * Facts in batches, each gathered only when it is asked for: what the source has ready goes together, and nothing waits for
 * company. So of a long history never more than a batch is in memory here, however slow the peer.
 */
export async function* batchesOf(
  source: AsyncIterable<Stored>,
  credit: Credit,
  signal: AbortSignal,
  tooBig: (stored: Stored, bytes: number) => void,
): AsyncGenerator<Batch> {
  const iterator = source[Symbol.asyncIterator]();
  let ahead: Promise<IteratorResult<Stored>> | undefined;
  const next = () => {
    const result = ahead ?? iterator.next();
    ahead = undefined;
    return result;
  };
  signal.addEventListener('abort', () => credit.recheck(), { once: true });
  try {
    for (;;) {
      await credit.take(signal);
      if (signal.aborted) return;
      const facts: Stored['fact'][] = [];
      let position: string | undefined;
      let bytes = 0;
      for (let result = await next(); ; result = await next()) {
        if (result.done || signal.aborted) return;
        const size = Buffer.byteLength(JSON.stringify(result.value.fact));
        if (facts.length > 0 && bytes + size > BATCH_BYTES) {
          ahead = Promise.resolve(result);
          break;
        }
        if (size > PEER_MESSAGE_BYTES - WORD_BYTES) {
          tooBig(result.value, size);
        } else {
          facts.push(result.value.fact);
          position = result.value.position;
          bytes += size;
        }
        if (facts.length === BATCH_FACTS) break;
        if (facts.length === 0) continue;
        ahead = iterator.next();
        if (!(await isReady(ahead))) break;
      }
      if (position !== undefined) yield { facts, position };
    }
  } finally {
    // A read that is still under way ends by the signal; whatever it ends with, nobody waits for it any more.
    ahead?.catch(() => undefined);
    await iterator.return?.();
  }
}

/** Whether it comes within this turn of the event loop. A failure counts as ready: whoever awaits it will hear of it. */
const isReady = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
