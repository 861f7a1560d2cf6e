import { accessSync, constants } from 'node:fs';
import { ensureWorker } from '../mediasoup-worker/ensure-worker.mjs';
import { ensureBuild } from './build.mjs';
import { ensureNodeModules } from './node-modules.mjs';
import { ROOT } from './paths.mjs';
import { Problem } from './problem.mjs';

/**
 * Makes a bare checkout able to run: packages and Node 24, mediasoup's worker, the build. Each part is quick when it is there
 * already. What is needed only to develop (browsers, recorders) is not its business.
 * @returns {Promise<{ worker: string }>} the worker's path, for MEDIASOUP_WORKER_BIN
 */
export const bootstrap = async () => {
  checkCheckout();
  await ensureNodeModules();
  const worker = await ensureWorker();
  await ensureBuild();
  return { worker };
};

export const checkCheckout = () => {
  try {
    accessSync(ROOT, constants.W_OK);
  } catch (cause) {
    throw new Problem(
      `The checkout ${ROOT} cannot be written to, so nothing can be installed or built in it.`,
      'Give yourself the right to, or clone it elsewhere.',
      { cause },
    );
  }
};
