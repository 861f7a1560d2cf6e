import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { ROOT } from '../lib/paths.mjs';
import { runTool } from '../lib/problem.mjs';
import { runPlanted } from './planted.mjs';
import { inParallel, processesFor, SeedProcess } from './pool.mjs';
import { addToLog, rangesLeft, readLog } from './range-log.mjs';
import { optionsOf, readWish } from './wish.mjs';

/** @typedef {import('./wish.mjs').Wish} Wish */

const ENTRY = pathToFileURL(join(ROOT, 'libs/simulator/dist/index.js')).href;
/** Seeds that a process is given at a time. */
const CHUNK = 50;
/** The same where each such part is a line of a log. */
const LOGGED_CHUNK = 500;
const FAILURES_TOLD = 10;
/** So many of the histories must be such that both sides of a split wrote, and became one. */
const MERGED_SHARE = 0.8;

await runTool(async () => {
  const wish = readWish(process.argv.slice(2));
  const begun = performance.now();
  if (wish.planted || wish.verify) return runPlanted(wish, ENTRY, begun);
  return wish.seed === undefined ? await runSeeds(wish, begun) : await replay(wish, wish.seed, begun);
});

/** @param {Wish} wish @param {number} begun @returns {Promise<number>} */
async function runSeeds(wish, begun) {
  /** @type {{ seed: number, violations: readonly string[] }[]} */
  const failures = [];
  /** @type {Map<string, { times: number, worlds: number }>} */
  const did = new Map();
  let [seeds, merged, told] = [0, 0, performance.now()];
  const { log } = wish;
  const options = optionsOf(wish);
  const lived = log === undefined ? [] : readLog(log, options);
  const chunks = rangesLeft({ from: wish.from, count: wish.seeds }, lived, log === undefined ? CHUNK : LOGGED_CHUNK);
  const processes = Array.from({ length: Math.min(processesFor(wish.processes), chunks.length) }, () => new SeedProcess(ENTRY, options));
  const idle = [...processes];
  const living = inParallel(chunks, processes.length, async ({ from, count }) => {
    const runner = /** @type {SeedProcess} */ (idle.pop());
    const since = performance.now();
    const result = await runner.run(from, count);
    idle.push(runner);
    if (log !== undefined) {
      const failed = result.failures.map(({ seed }) => seed);
      addToLog(log, options, {
        from,
        count,
        failed,
        commit: commit(),
        seconds: (performance.now() - since) / 1_000,
      });
    }
    seeds += result.seeds;
    merged += result.merged;
    const worlds = new Map(result.worlds);
    for (const [what, times] of result.did) {
      const known = did.get(what) ?? { times: 0, worlds: 0 };
      did.set(what, {
        times: known.times + times,
        worlds: known.worlds + (worlds.get(what) ?? 0),
      });
    }
    for (const failure of result.failures) {
      failures.push(failure);
      if (failures.length <= FAILURES_TOLD) tellFailure(failure, wish);
    }
    if (performance.now() - told > 60_000) {
      told = performance.now();
      process.stdout.write(
        `${seeds} of ${chunks.reduce((sum, chunk) => sum + chunk.count, 0)} seeds, ${failures.length} failures, ${seconds(begun)} s\n`,
      );
    }
  });
  // However it ends: processes that are left would keep the command for ever.
  await living.finally(() => Promise.all(processes.map((each) => each.end())));
  if (log !== undefined) tellLog(readLog(log, options));
  tellDistribution(did, seeds);
  const share = merged / Math.max(1, seeds);
  process.stdout.write(
    `${(100 * share).toFixed(1)} % merged histories that both sides of a split had written (at least ${100 * MERGED_SHARE} %)\n`,
  );
  // Of a handful of seeds a share says nothing.
  const tooTame = seeds >= 100 && share < MERGED_SHARE;
  if (tooTame) process.stdout.write('Too few histories merge: the simulation has become too tame, and that is a failure.\n');
  const failed = failures.length + (tooTame ? 1 : 0);
  process.stdout.write(`simulation: ${seeds} seeds, ${failed} failures, ${seconds(begun)} s\n`);
  return failed === 0 ? 0 : 1;
}

/** One seed, twice: that it comes out the same is what makes a seed worth anything. @param {Wish} wish @param {number} seed @param {number} begun @returns {Promise<number>} */
async function replay(wish, seed, begun) {
  process.env['ISTHMUS_LOG_LEVEL'] ??= 'silent';
  const { runSeed } = /** @type {typeof import('@isthmus/simulator')} */ (await import(ENTRY));
  const options = optionsOf(wish);
  const [once, again] = [await runSeed(seed, options), await runSeed(seed, options)];
  const name = (/** @type {typeof once} */ { print, violations }) =>
    createHash('sha256')
      .update(`${print}\n${violations.join('\n')}`)
      .digest('hex')
      .slice(0, 16);
  for (const [what, times] of [...once.did].sort()) process.stdout.write(`${String(times).padStart(7)}  ${what}\n`);
  for (const violation of once.violations) process.stdout.write(`violated: ${violation}\n`);
  const same = name(once) === name(again);
  process.stdout.write(`history ${name(once)}, ${same ? 'the same again' : `and then ${name(again)}: IT DOES NOT REPLAY`}\n`);
  const failed = once.violations.length > 0 || !same ? 1 : 0;
  process.stdout.write(`simulation: 1 seeds, ${failed} failures, ${seconds(begun)} s\n`);
  return failed;
}

/** @param {{ seed: number, violations: readonly string[] }} failure @param {Wish} wish */
function tellFailure({ seed, violations }, wish) {
  process.stdout.write(`SEED=${seed} COMMIT=${commit()}\n${violations.map((violation) => `  ${violation}\n`).join('')}`);
  const options = [
    wish.sites === undefined ? '' : ` --sites ${wish.sites}`,
    wish.restores ? ' --restores' : '',
    wish.moves ? ' --moves' : '',
    wish.pins ? ' --pins' : '',
  ];
  process.stdout.write(`  again: npm run simulate -- --seed ${seed}${options.join('')}\n`);
}

/** What all runs together have found. @param {readonly import('./range-log.mjs').Lived[]} lived */
function tellLog(lived) {
  const all = lived.reduce((sum, { count }) => sum + count, 0);
  const failed = lived.flatMap((range) => range.failed);
  process.stdout.write(`logged so far: ${all} seeds, ${failed.length} failures${failed.length > 0 ? `: ${failed.join(', ')}` : ''}\n`);
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** @param {ReadonlyMap<string, { times: number, worlds: number }>} did @param {number} seeds */
function tellDistribution(did, seeds) {
  process.stdout.write('   times  in % of seeds  what\n');
  for (const [what, { times, worlds }] of [...did].sort(([a], [b]) => (a < b ? -1 : 1)))
    process.stdout.write(`${String(times).padStart(8)}  ${((100 * worlds) / seeds).toFixed(1).padStart(13)}  ${what}\n`);
}

/** @param {number} begun */
function seconds(begun) {
  return ((performance.now() - begun) / 1_000).toFixed(1);
}
