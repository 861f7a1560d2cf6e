/** Runs benchmarks one after the other and reports; started by bench.mjs, under Node 24. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runTool } from '../lib/problem.mjs';
import { duration, step } from '../lib/progress.mjs';
import { Endings } from './endings.mjs';
import { jsonOf, meetsGoal, tableOf } from './figures.mjs';
import { HERE, chosenFiles, readWish } from './wish.mjs';

/** @typedef {import('./figures.mjs').Outcome} Outcome */
/** @typedef {import('./figures.mjs').Benchmark} Benchmark */

/** A benchmark is stopped and failed at this many times what it says it takes, and some time to start and end. */
const PATIENCE = 4;
const START_AND_END_MS = 120_000;

await runTool(async () => {
  const wish = readWish(process.argv.slice(2));
  /** Set by the first signal: what runs is ended, nothing more is begun. @type {AbortController} */
  const stop = new AbortController();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => stop.abort(new Error('stopped')));
  process.once('disconnect', () => stop.abort(new Error('whoever started this has gone')));
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const file of chosenFiles(wish)) {
    if (stop.signal.aborted) break;
    outcomes.push(await measure(file, wish.quick, stop.signal));
  }
  process.stdout.write(`\n${tableOf(outcomes)}\n`);
  if (wish.json) writeFileSync(wish.json, `${JSON.stringify(jsonOf(outcomes), null, 2)}\n`);
  if (process.connected) process.disconnect();
  const missed = outcomes.some((outcome) => 'failed' in outcome || outcome.figures.some((figure) => meetsGoal(figure) === false));
  return missed || stop.signal.aborted ? 1 : 0;
});
// A benchmark that was cut off may still wait for something, for minutes. Everything that it started has been ended.
process.exit();

/** @param {string} file @param {boolean} quick @param {AbortSignal} stop @returns {Promise<Outcome>} */
async function measure(file, quick, stop) {
  /** @type {Benchmark} */
  const { title, seconds, run } = await import(pathToFileURL(join(HERE, file)).href);
  const endings = new Endings();
  const context = {
    worker: process.env['MEDIASOUP_WORKER_BIN'] ?? '',
    quick,
    atEnd: (/** @type {() => unknown} */ ending) => endings.add(ending),
  };
  try {
    const figures = await step(`${title} (about ${duration((quick ? seconds / 3 : seconds) * 1000)})`, async (note) => {
      const work = run({ ...context, note });
      try {
        return await bounded(work, seconds * 1000 * PATIENCE + START_AND_END_MS, stop);
      } finally {
        note('ending what it started');
        await endings.finish(work);
      }
    });
    return { title, figures };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return { title, failed: error instanceof Error ? error.message : String(error) };
  }
}

/** @template T @param {Promise<T>} work @param {number} ms @param {AbortSignal} stop @returns {Promise<T>} */
async function bounded(work, ms, stop) {
  /** @type {NodeJS.Timeout | undefined} */
  let late;
  /** @type {() => void} */
  let stopped = () => {};
  const cut = new Promise((_resolve, reject) => {
    late = setTimeout(() => reject(new Error(`It was stopped: it took more than ${duration(ms)}.`)), ms);
    stopped = () => reject(stop.reason);
    if (stop.aborted) stopped();
    stop.addEventListener('abort', stopped);
  });
  // What it does after it was cut off fails, because what it uses is ended under it.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, /** @type {Promise<never>} */ (cut)]);
  } finally {
    clearTimeout(late);
    stop.removeEventListener('abort', stopped);
  }
}
