import { spawn } from 'node:child_process';
import { join } from 'node:path';
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
  /** @type {NodeJS.Timeout | undefined} */
  let forced;
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    // Ctrl-C reaches it by itself, as one of the terminal's foreground processes; a second signal would mean "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    forced ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, pass);
  // Only when somebody started us with a channel of their own, as tests do.
  process.once('disconnect', () => pass('SIGTERM'));
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      clearTimeout(forced);
      if (process.connected) process.disconnect();
      resolve(code ?? (signal ? 128 : 1));
    });
  });
};
