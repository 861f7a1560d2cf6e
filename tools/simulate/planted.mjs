import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';
import { freshFolder, linkPackages, patch, putBuilt, removeCopies } from './copies.mjs';
import { optionsOf } from './wish.mjs';
import { inParallel, processesFor, SeedProcess } from './pool.mjs';
import { verifyAll } from './verify.mjs';

/**
 * A bug planted in product code: in `file`, `from` (which stands there exactly once) becomes `to`.
 * @typedef {object} Planted
 * @property {string} name
 * @property {string} breaks the kind of mistake, or the rule of merge that it breaks
 * @property {string} file
 * @property {string} from
 * @property {string} to
 * @property {boolean} [pins] whether it is looked for only in worlds in which rooms have PINs
 */

/** What the simulator runs, as folders of the checkout. */
const PACKAGES = readdirSync(join(ROOT, 'libs'))
  .filter((name) => existsSync(join(ROOT, 'libs', name, 'dist')))
  .map((name) => `libs/${name}`)
  .concat('apps/conference-brain');
const SEEDS_AT_A_TIME = 25;

/** @returns {Promise<Planted[]>} */
export const allPlanted = async () => {
  const folder = fileURLToPath(new URL('planted/', import.meta.url));
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  const lists = await Promise.all(files.map((file) => import(pathToFileURL(join(folder, file)).href)));
  return lists.flatMap(({ PLANTED }) => PLANTED);
};

/** @param {import('./wish.mjs').Wish} wish @param {string} entry of the product as it is @param {number} begun @returns {Promise<number>} */
export const runPlanted = async (wish, entry, begun) => {
  const all = (await allPlanted()).filter(({ name }) => wish.only.length === 0 || wish.only.some((part) => name.includes(part)));
  if (all.length === 0)
    throw new Problem(`No planted bug is named like ${wish.only.join(' or ')}.`, 'Their names are in tools/simulate/planted.');
  let [failed, seeds] = [0, 0];
  const say = (/** @type {Planted} */ { name, breaks }, /** @type {boolean} */ good, /** @type {string} */ what) => {
    if (!good) failed += 1;
    process.stdout.write(`${good ? '✓' : '✗'} ${name} (${breaks}): ${what}\n`);
  };
  const hunted = wish.planted ? all : [];
  await inParallel(hunted, processesFor(wish.processes), async (planted) => {
    const patched = patch(planted);
    if (patched === undefined) return say(planted, false, `does not apply to ${planted.file} any more`);
    const found = await hunt(copyOfBuilt(planted, patched), entry, { ...wish, pins: wish.pins || planted.pins === true });
    seeds += found.seeds;
    say(planted, found.at !== undefined, found.what);
  });
  if (wish.verify) await verifyAll(all, processesFor(wish.processes), say);
  removeCopies();
  process.stdout.write(
    `planted: ${all.length} bugs, ${failed} failures, ${seeds} seeds, ${((performance.now() - begun) / 1_000).toFixed(1)} s\n`,
  );
  return failed === 0 ? 0 : 1;
};

/**
 * @param {string} bad @param {string} good @param {import('./wish.mjs').Wish} wish
 * @returns {Promise<{ at: number | undefined, seeds: number, what: string }>}
 */
const hunt = async (bad, good, wish) => {
  const { from, seeds: most } = wish;
  const [sick, sound] = [new SeedProcess(bad, optionsOf(wish)), new SeedProcess(good, optionsOf(wish))];
  try {
    let seeds = 0;
    while (seeds < most) {
      const result = await sick.run(from + seeds, Math.min(SEEDS_AT_A_TIME, most - seeds), true);
      seeds += result.seeds;
      const failure = result.failures[0];
      if (failure === undefined) continue;
      // What fails without the bug as well has not found it.
      const { failures } = await sound.run(failure.seed, 1);
      if (failures.length > 0)
        return {
          at: undefined,
          seeds,
          what: `SEED=${failure.seed} fails without it, too`,
        };
      return {
        at: failure.seed,
        seeds,
        what: `found by seed ${failure.seed}, after ${seeds}: ${String(failure.violations[0]).slice(0, 100)}`,
      };
    }
    return { at: undefined, seeds, what: `NOT FOUND in ${seeds} seeds` };
  } finally {
    await Promise.all([sick.end(), sound.end()]);
  }
};

/** A copy of what is built, with one file compiled anew. @param {Planted} planted @param {string} source @returns {string} its entry */
const copyOfBuilt = ({ name, file }, source) => {
  const root = freshFolder(name);
  for (const folder of PACKAGES) {
    cpSync(join(ROOT, folder, 'package.json'), join(root, folder, 'package.json'));
    cpSync(join(ROOT, folder, 'dist'), join(root, folder, 'dist'), {
      recursive: true,
      filter: (path) => !/\.(map|tsbuildinfo|d\.ts)$/.test(path),
    });
  }
  linkPackages(root, PACKAGES);
  putBuilt(root, file, source);
  return pathToFileURL(join(root, 'libs/simulator/dist/index.js')).href;
};
