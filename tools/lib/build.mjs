import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, LOCAL_CACHE, ROOT } from './paths.mjs';
import { step } from './progress.mjs';
import { mustRun } from './run.mjs';

const STAMP = join(LOCAL_CACHE, 'build-stamp');
/** Beside the sources themselves, what the result of a build depends on. */
const SHARED = ['package-lock.json', 'tsconfig.base.json', 'nx.json'];

/** Builds every app and lib, unless nothing has changed since the last time. */
export const ensureBuild = async () => {
  const now = stampOfSources(ROOT);
  if (now === readStamp() && everythingIsBuilt(ROOT)) return;
  await step('build', async (note) => {
    await mustRun(join(BIN, 'nx'), ['run-many', '-t', 'build', '--output-style=stream-without-prefixes'], {
      log: 'build.log',
      line: (line) => {
        const [, project] = /nx run ([\w@/-]+):build/.exec(line) ?? [];
        if (project) note(project);
      },
      telling: /error/i,
      what: 'The build failed',
      next: 'Correct what it names, then run this again.',
    });
    mkdirSync(LOCAL_CACHE, { recursive: true });
    writeFileSync(STAMP, now);
  });
};

const readStamp = () => (existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : undefined);

/** Of names, sizes and times only: a few milliseconds. Nx looks at the contents when this says that something changed. @param {string} root */
export const stampOfSources = (root) => {
  const hash = createHash('sha256');
  const visit = (/** @type {string} */ folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'dist' || entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else add(path);
    }
  };
  const add = (/** @type {string} */ path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  for (const folder of ['apps', 'libs']) visit(join(root, folder));
  for (const file of SHARED) add(join(root, file));
  return hash.digest('hex');
};

/** @param {string} root */
const everythingIsBuilt = (root) =>
  ['apps', 'libs', 'libs/adapters'].every((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => existsSync(join(root, folder, name, 'package.json')))
      .every((name) => existsSync(join(root, folder, name, 'dist'))),
  );
