import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BIN, ROOT, toolEnvironment } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';
import { run } from '../lib/run.mjs';
import { freshFolder, linkPackages, patch, putBuilt } from './copies.mjs';
import { inParallel } from './pool.mjs';

/** @typedef {import('./planted.mjs').Planted} Planted */

/** The simulation in person: what it has found once is told there again, and it is meant to find these. */
const NOT_ORDINARY = 'libs/simulator';
const SERVICE_SPEC = /\.service\.spec\.ts$/;
const LEFT_OUT = /(^|\/)(node_modules|\.[^/]*)(\/|$)/;

/**
 * Whether the ordinary specs let each bug pass: all of the package that it is in, and the quick ones of every package that depends
 * on it. They run in copies of the checkout, one for each thread, in which one file at a time is changed; the first failure ends a run.
 * @param {readonly Planted[]} all @param {number} threads @param {(planted: Planted, good: boolean, what: string) => void} say
 */
export const verifyAll = async (all, threads, say) => {
  const packages = packagesOf();
  const copies = Array.from({ length: Math.min(threads, all.length) }, (_, i) => copyOfCheckout(`specs-${i}`, [...packages.keys()]));
  await inParallel(all, copies.length, async (planted) => {
    const source = patch(planted);
    if (source === undefined) return;
    const copy = /** @type {string} */ (copies.pop());
    put(copy, planted.file, source);
    const found = await foundBySpecs(copy, planted, packages);
    put(copy, planted.file, readFileSync(join(ROOT, planted.file), 'utf8'));
    copies.push(copy);
    say(planted, found === undefined, found === undefined ? 'the ordinary specs let it pass' : `ordinary specs find it: ${found}`);
  });
};

/** As source for what a spec imports, and compiled for the processes that it starts. @param {string} copy @param {string} file @param {string} source */
const put = (copy, file, source) => {
  writeFileSync(join(copy, file), source);
  putBuilt(copy, file, source);
};

/** @param {string} copy @param {Planted} planted @param {ReadonlyMap<string, readonly string[]>} packages @returns {Promise<string | undefined>} the log of those that do */
const foundBySpecs = async (copy, planted, packages) => {
  const touched = [...packages.keys()].find((folder) => planted.file.startsWith(`${folder}/`)) ?? '';
  const ordinary = dependantsOf(touched, packages).filter((folder) => folder !== NOT_ORDINARY);
  const specs = async (/** @type {'unit' | 'service'} */ project, /** @type {string} */ about) => {
    const folders = project === 'unit' ? [touched, ...ordinary] : [touched];
    const wish = ['--project', project, '--retry', '0', '--bail', '1', ...folders.map((folder) => `${folder}/src/`)];
    const log = `planted-${about}-${project}.log`;
    return run(join(BIN, 'vitest'), ['run', '--root', copy, ...wish], { log, env: toolEnvironment(), cwd: copy });
  };
  const hasService = readdirSync(join(ROOT, touched, 'src'), { recursive: true, encoding: 'utf8' }).some((file) => SERVICE_SPEC.test(file));
  for (const project of hasService ? /** @type {const} */ (['unit', 'service']) : /** @type {const} */ (['unit'])) {
    const { status, log } = await specs(project, planted.name);
    if (status === 0) continue;
    // What fails without the bug as well has not found it.
    put(copy, planted.file, readFileSync(join(ROOT, planted.file), 'utf8'));
    const without = await specs(project, `${planted.name}-without`);
    if (without.status === 0) return relative(ROOT, log);
    throw new Problem(`Ordinary specs fail without any planted bug: ${relative(ROOT, without.log)}.`, 'Mend those first.');
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
const copyOfCheckout = (name, packages) => {
  const root = freshFolder(name);
  const keep = (/** @type {string} */ path) => !LEFT_OUT.test(relative(ROOT, path));
  for (const entry of readdirSync(ROOT).filter((one) => keep(join(ROOT, one))))
    cpSync(join(ROOT, entry), join(root, entry), { recursive: true, filter: keep });
  linkPackages(root, packages);
  return root;
};
