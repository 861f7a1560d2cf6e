import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BIN, ROOT, toolEnvironment } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { freshFolder, linkPackages, patch } from './copies.mjs';
import { inParallel } from './pool.mjs';

/** @typedef {import('./planted.mjs').Planted} Planted */

/** The simulation in person: what it has found once is told there again, and it is meant to find these. */
const NOT_ORDINARY = 'libs/simulator';

/**
 * Whether the ordinary specs let each bug pass: all of the package that it is in, and the quick ones of every package that depends
 * on it. They run in copies of the sources, one for each thread, in which one file at a time is changed; the first failure ends a run.
 * @param {readonly Planted[]} all @param {number} threads @param {(planted: Planted, good: boolean, what: string) => void} say
 */
export const verifyAll = async (all, threads, say) => {
  const packages = packagesOf();
  const copies = Array.from({ length: Math.min(threads, all.length) }, (_, i) => copyOfSources(`specs-${i}`, [...packages.keys()]));
  await inParallel(all, copies.length, async (planted) => {
    const source = patch(planted);
    if (source === undefined) return;
    const copy = /** @type {string} */ (copies.pop());
    writeFileSync(join(copy, planted.file), source);
    const found = await foundBySpecs(copy, planted, packages);
    writeFileSync(join(copy, planted.file), readFileSync(join(ROOT, planted.file)));
    copies.push(copy);
    say(planted, found === undefined, found === undefined ? 'the ordinary specs let it pass' : `ordinary specs find it: ${found}`);
  });
};

/** @param {string} copy @param {Planted} planted @param {ReadonlyMap<string, readonly string[]>} packages @returns {Promise<string | undefined>} the log of those that do */
const foundBySpecs = async (copy, planted, packages) => {
  const touched = [...packages.keys()].find((folder) => planted.file.startsWith(`${folder}/`)) ?? '';
  const ordinary = dependantsOf(touched, packages).filter((folder) => folder !== NOT_ORDINARY);
  for (const [project, folders] of /** @type {const} */ ([
    ['unit', [touched, ...ordinary]],
    ['service', [touched]],
  ])) {
    const specs = ['--passWithNoTests', '--retry', '0', '--bail', '1', ...folders.map((folder) => `${folder}/src/`)];
    const { status, log } = await run(join(BIN, 'vitest'), ['run', '--root', copy, '--project', project, ...specs], {
      log: `planted-${planted.name}-${project}.log`,
      env: toolEnvironment(),
      cwd: copy,
    });
    if (status !== 0) return relative(ROOT, log);
  }
  return undefined;
};

/** Folders of packages, and those of the packages that each depends on. @returns {Map<string, readonly string[]>} */
const packagesOf = () => {
  const folders = ['apps', 'libs', 'libs/adapters']
    .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => existsSync(join(ROOT, folder, 'package.json')));
  const read = (/** @type {string} */ folder) => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  const byName = new Map(folders.map((folder) => [read(folder).name, folder]));
  return new Map(
    folders.map((folder) => {
      const { dependencies = {}, devDependencies = {} } = read(folder);
      return [folder, Object.keys({ ...dependencies, ...devDependencies }).flatMap((name) => byName.get(name) ?? [])];
    }),
  );
};

/** @param {string} folder @param {ReadonlyMap<string, readonly string[]>} packages @returns {string[]} directly or through others */
const dependantsOf = (folder, packages) => {
  const found = [folder];
  for (const one of found) for (const [other, needs] of packages) if (needs.includes(one) && !found.includes(other)) found.push(other);
  return found.slice(1);
};

/** @param {string} name @param {readonly string[]} packages */
const copyOfSources = (name, packages) => {
  const root = freshFolder(name);
  const keep = (/** @type {string} */ path) => !/(^|\/)(node_modules|dist|\.cache)(\/|$)/.test(relative(ROOT, path));
  for (const folder of ['libs', 'apps']) cpSync(join(ROOT, folder), join(root, folder), { recursive: true, filter: keep });
  for (const file of ['vitest.config.ts', 'package.json', 'tsconfig.base.json']) cpSync(join(ROOT, file), join(root, file));
  linkPackages(root, packages);
  return root;
};
