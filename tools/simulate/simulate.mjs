/**
 * `npm run simulate`: many brains in one thread by one seed, and many seeds one after the other (docs/simulation.md). Builds what
 * it runs, then runs it under Node 24. Ends with `simulation: N seeds, N failures, N s`, and with status 0 only if nothing failed.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkCheckout } from '../lib/bootstrap.mjs';
import { endOf } from '../lib/child.mjs';
import { ensureNodeModules } from '../lib/node-modules.mjs';
import { BIN, toolEnvironment } from '../lib/paths.mjs';
import { runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { mustRun } from '../lib/run.mjs';
import { readWish } from './wish.mjs';

/** How long its processes may take to end before they are ended. */
const GRACE_MS = 10_000;

await runTool(async () => {
  // What is wrong with the question is said before anything is built.
  const { verify } = readWish(process.argv.slice(2));
  checkCheckout();
  await ensureNodeModules();
  await step('build', () =>
    mustRun(join(BIN, 'tsc'), verify ? ['-b'] : ['-b', 'libs/simulator'], {
      log: 'simulate-build.log',
      telling: /error/i,
      what: 'The build failed',
      next: 'Correct what it names, then run this again.',
    }),
  );
  const program = fileURLToPath(new URL('run-all.mjs', import.meta.url));
  const child = spawn(join(BIN, 'node'), [program, ...process.argv.slice(2)], { stdio: 'inherit', env: toolEnvironment() });
  return endOf(child, GRACE_MS);
});
