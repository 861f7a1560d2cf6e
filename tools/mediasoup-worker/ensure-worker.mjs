import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, userCache } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { buildWorker } from './build-worker.mjs';
import { downloadWorker } from './download-worker.mjs';
import { PATCH_LEVEL } from './patches.mjs';

/** What the worker answers a parent that is not mediasoup (main.cpp); mediasoup's own install script checks the same. */
const NOT_MY_FATHER = 41;
const PACKAGE = join(ROOT, 'node_modules', 'mediasoup');

/**
 * Finds, fetches or builds mediasoup's worker, as the README here says.
 * @returns {Promise<string>} the path of one that runs; mediasoup reads it from MEDIASOUP_WORKER_BIN
 */
export const ensureWorker = async () => {
  const named = process.env['MEDIASOUP_WORKER_BIN'];
  if (named) {
    if (runsHere(named)) return named;
    throw new Problem(
      `MEDIASOUP_WORKER_BIN names ${named}, which is no mediasoup worker that runs here.`,
      'Unset it, or name one that does.',
    );
  }
  const version = String(JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).version);
  const cached = cachedWorker(version);
  const found = [join(PACKAGE, 'worker', 'out', 'Release', 'mediasoup-worker'), cached].find(runsHere);
  if (found) return found;
  await step(`mediasoup worker ${version}`, async (note) => {
    if (await downloadWorker(PACKAGE, version, cached, note)) {
      if (runsHere(cached)) return 'prebuilt';
      note('the prebuilt one does not run here');
    }
    await buildWorker(PACKAGE, cached, note);
    return 'built';
  });
  if (!runsHere(cached)) {
    throw new Problem(`The worker that was just built (${cached}) does not start.`, 'Please report this with the output of `ldd` on it.');
  }
  return cached;
};

/** Whether a worker is there already, so that nothing has to be fetched or built. */
export const haveWorker = () => {
  const version = String(JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).version);
  return [
    process.env['MEDIASOUP_WORKER_BIN'] ?? '',
    join(PACKAGE, 'worker', 'out', 'Release', 'mediasoup-worker'),
    cachedWorker(version),
  ].some(runsHere);
};

/** @param {string} version */
export const cachedWorker = (version) => {
  const key = PATCH_LEVEL === 0 ? version : `${version}-p${PATCH_LEVEL}`;
  return join(userCache(), 'mediasoup-worker', key, 'mediasoup-worker');
};

/** @param {string} worker */
export const runsHere = (worker) =>
  existsSync(worker) && spawnSync(worker, { env: {}, stdio: 'ignore', timeout: 10_000 }).status === NOT_MY_FATHER;
