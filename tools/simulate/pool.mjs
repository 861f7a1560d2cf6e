import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** @typedef {import('./seed-worker.mjs').Result} Result */

/** A thread that runs seeds of one build of the product. */
export class SeedThread {
  /** @param {string} entry URL of the simulator's built index @param {import('@isthmus/simulator').WorldOptions} options */
  constructor(entry, options) {
    this.worker = new Worker(new URL('seed-worker.mjs', import.meta.url), {
      workerData: { entry, options },
      env: { ...process.env, ISTHMUS_LOG_LEVEL: process.env['ISTHMUS_LOG_LEVEL'] ?? 'silent' },
    });
  }

  /** @param {number} from @param {number} count @param {boolean} stop at the first failure @returns {Promise<Result>} */
  run(from, count, stop = false) {
    return new Promise((resolve, reject) => {
      this.worker.once('message', (/** @type {Result} */ result) => {
        this.worker.off('error', reject);
        resolve(result);
      });
      this.worker.once('error', reject);
      this.worker.postMessage({ from, count, stop });
    });
  }

  async end() {
    await this.worker.terminate();
  }
}

/** @param {number | undefined} wanted */
export const threadsFor = (wanted) => wanted ?? Math.max(1, availableParallelism());

/**
 * Does the tasks, so many at a time.
 * @template T
 * @param {readonly T[]} tasks @param {number} atOnce @param {(task: T) => Promise<void>} work
 */
export const inParallel = async (tasks, atOnce, work) => {
  const left = [...tasks];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let task = left.shift(); task !== undefined; task = left.shift()) await work(task);
    }),
  );
};
