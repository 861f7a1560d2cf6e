import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { endOf } from './child.mjs';
import { BIN, ROOT, toolEnvironment } from './paths.mjs';

/** How long it may take to end its processes before it is ended. */
const GRACE_MS = 10_000;

/**
 * Runs the built `isthmus` under the Node that came with it, and passes on what ends it.
 * @param {readonly string[]} args
 * @param {string} worker mediasoup's
 * @returns {Promise<number>} its exit status
 */
export const runIsthmus = (args, worker) => {
  // Over the channel, it notices when we are gone, however we went.
  const child = spawn(join(BIN, 'node'), ['--enable-source-maps', join(ROOT, 'apps', 'isthmus', 'dist', 'main.js'), ...args], {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...toolEnvironment(), MEDIASOUP_WORKER_BIN: worker },
  });
  return endOf(child, GRACE_MS);
};
