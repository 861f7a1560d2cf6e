import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { userCache } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { mustRun } from '../lib/run.mjs';

/** npm's package of that name is a dummy; the real one is a Go program. */
const VERSION = 'v1.8.1';

/** The real k6: the one on the PATH, else one built from its Go module, once per user. @returns {Promise<string>} its path */
export const ensureK6 = async () => {
  if (answers('k6')) return 'k6';
  const folder = join(userCache(), `k6-${VERSION}`);
  const program = join(folder, 'k6');
  if (existsSync(program) && answers(program)) return program;
  if (spawnSync('go', ['version']).error) {
    throw new Problem(
      'The real k6 is needed, and there is neither a k6 nor a Go on the PATH to build it with.',
      'Install k6 (grafana.com/docs/k6) or Go 1.24 or newer, and run this again.',
    );
  }
  await step(`k6 ${VERSION}, built from its Go module once per user`, async (note) => {
    const making = `${folder}.making`;
    mkdirSync(making, { recursive: true });
    await mustRun('go', ['install', `go.k6.io/k6@${VERSION}`], {
      log: 'k6-build.log',
      env: { ...process.env, GOBIN: making },
      note: (line) => note(line.slice(0, 60)),
      what: 'k6 could not be built',
      next: 'Check the connection to the Go module proxy, or install k6 yourself.',
    });
    renameSync(making, folder);
  });
  return program;
};

/** @param {string} program */
const answers = (program) => spawnSync(program, ['version']).status === 0;
