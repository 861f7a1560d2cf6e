import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Problem } from '../lib/problem.mjs';

/** @typedef {import('./seed-worker.mjs').Result} Result */

const PROGRAM = fileURLToPath(new URL('seed-worker.mjs', import.meta.url));

/** A process that runs seeds of one build of the product. One of its own: a thread beside others takes an eighth longer for each. */
export class SeedProcess {
  /** @param {string} entry URL of the simulator's built index @param {import('@isthmus/simulator').WorldOptions} options */
  constructor(entry, options) {
    this.child = fork(PROGRAM, [JSON.stringify({ entry, options })], { serialization: 'advanced' });
    this.ended = once(this.child, 'exit');
  }

  /** @param {number} from @param {number} count @param {boolean} stop at the first failure @returns {Promise<Result>} */
  async run(from, count, stop = false) {
    this.child.send({ from, count, stop });
    const died = this.ended.then(([code, signal]) => {
      throw new Problem(
        `A process of the simulation ended by itself, ${signal ?? `with status ${code}`}, in seeds ${from} to ${from + count - 1}.`,
        'If nobody has ended it, the machine may lack memory: run it again with a smaller number behind --processes.',
      );
    });
    const [result] = await Promise.race([once(this.child, 'message'), died]);
    return result;
  }

  async end() {
    this.child.kill();
    await this.ended;
  }
}

/** @param {number | undefined} wanted */
export const processesFor = (wanted) => wanted ?? Math.max(1, availableParallelism());

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
