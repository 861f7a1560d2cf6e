/**
 * `npm start`: from a bare checkout to a running demo of three sites. Runs under any Node from 20 on and needs no package; what
 * it hands over to runs under the Node 24 that it brought. Arguments go to `isthmus demo`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap } from '../lib/bootstrap.mjs';
import { BIN, ROOT, toolEnvironment } from '../lib/paths.mjs';
import { runTool } from '../lib/problem.mjs';

/** How long the demo may take to end its processes before it is ended. */
const GRACE_MS = 10_000;

await runTool(async () => {
  const { worker } = await bootstrap();
  return demo(process.argv.slice(2), worker);
});

/** @param {string[]} args @param {string} worker @returns {Promise<number>} the demo's exit status */
function demo(args, worker) {
  // Over the channel, the demo notices when we are gone, however we went.
  const child = spawn(join(BIN, 'node'), ['--enable-source-maps', join(ROOT, 'apps', 'isthmus', 'dist', 'main.js'), 'demo', ...args], {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...toolEnvironment(), MEDIASOUP_WORKER_BIN: worker },
  });
  /** @type {NodeJS.Timeout | undefined} */
  let forced;
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    // Ctrl-C reaches the demo by itself, as one of the terminal's foreground processes; a second signal would mean "at once".
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
}
