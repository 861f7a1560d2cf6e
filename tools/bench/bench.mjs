/**
 * `npm run bench`: runs every benchmark in turn and prints one table. Options: `--only PART` of a benchmark's file name (again for
 * more; also without `--only`), `--quick` for fewer samples, `--json FILE`. What a benchmark is, README.md says.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootstrap } from '../lib/bootstrap.mjs';
import { endOf } from '../lib/child.mjs';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { BIN, toolEnvironment } from '../lib/paths.mjs';
import { runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { chosenFiles, readWish } from './wish.mjs';

/** How long the benchmarks may take to end what they started before they are ended. */
const GRACE_MS = 60_000;
/** Browsers, what bots' pictures and voices are made with, and what slows a disk. */
const PACKAGES = ['chromium', 'espeak-ng', 'ffmpeg', 'strace'];

await runTool(async () => {
  // What is wrong with the question is said before anything is fetched.
  chosenFiles(readWish(process.argv.slice(2)));
  const { worker } = await bootstrap();
  await step('Debian packages', (note) => ensureDebianPackages(PACKAGES, 'run the benchmarks', note));
  return underNode24(worker);
});

/** Benchmarks import what was built, which wants Node 24; whoever typed the command may have another. @param {string} worker @returns {Promise<number>} */
function underNode24(worker) {
  const program = fileURLToPath(new URL('run-all.mjs', import.meta.url));
  // Over the channel, it notices when we are gone, however we went.
  const child = spawn(join(BIN, 'node'), [program, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...toolEnvironment(), MEDIASOUP_WORKER_BIN: worker },
  });
  return endOf(child, GRACE_MS);
}
