import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { patchKafkajs } from '../kafka/patch-kafkajs.mjs';
import { BIN, ROOT, toolEnvironment } from './paths.mjs';
import { Problem } from './problem.mjs';
import { step } from './progress.mjs';
import { mustRun } from './run.mjs';

/** Node 24 comes with the packages; this is only what can bring them. */
const NODE_MAJOR_MIN = 20;
const NODE_MAJOR = 24;

/** @typedef {{ version?: string, optional?: boolean, link?: boolean, resolved?: string }} LockedPackage */

/** Installs what package-lock.json names if anything of it is missing, checks that Node 24 runs, and patches what must be. */
export const ensureNodeModules = async () => {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR_MIN) {
    throw new Problem(
      `Node ${process.versions.node} is too old to install with.`,
      `Any Node from ${NODE_MAJOR_MIN} on will do; it brings Node ${NODE_MAJOR} itself.`,
    );
  }
  const missing = missingPackages(ROOT);
  if (missing.length > 0) await step('packages', (note) => install(missing, note));
  checkNode();
  patchKafkajs();
};

/**
 * The packages that package-lock.json names and `node_modules` has not, or in another version. npm keeps a list of what it
 * installed in node_modules/.package-lock.json; what npm may leave out on this platform does not count.
 * @param {string} root
 * @returns {string[]}
 */
export const missingPackages = (root) => {
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  if (!wanted) throw new Problem('There is no package-lock.json here.', 'Run this in a complete checkout of Isthmus.');
  const installed = lockedPackages(join(root, 'node_modules', '.package-lock.json')) ?? {};
  return Object.entries(wanted)
    .filter(([path]) => path.startsWith('node_modules/'))
    .filter(([path, { version, optional, link }]) =>
      link ? !existsSync(join(root, path, 'package.json')) : !optional && installed[path]?.version !== version,
    )
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
};

/** @param {string} file @returns {Record<string, LockedPackage> | undefined} */
const lockedPackages = (file) => {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
};

/** @param {string[]} missing @param {import('./progress.mjs').Note} note */
const install = async (missing, note) => {
  note(`${missing.length} to install`);
  const npm = process.env['npm_execpath'];
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  await mustRun(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=http'], {
    log: 'npm-ci.log',
    // mediasoup's own postinstall would compile for minutes where it cannot download; ensureWorker() does better.
    env: { ...process.env, MEDIASOUP_WORKER_BIN: process.env['MEDIASOUP_WORKER_BIN'] || 'provided-later' },
    note: (line) => note(line.replace(/^npm (http fetch|http cache|warn|info) /, '').slice(0, 60)),
    what: 'npm could not install the packages',
    next: 'Check the connection to the npm registry and the free disk space, then run the same command again.',
  });
  return `${missing.length} installed`;
};

const checkNode = () => {
  const node = join(BIN, 'node');
  const next = 'Allow the install script of the package "node" (npm config get ignore-scripts), delete node_modules, and run this again.';
  let version;
  try {
    version = execFileSync(node, ['--version'], { env: toolEnvironment(), encoding: 'utf8' }).trim();
  } catch (cause) {
    throw new Problem(`Node ${NODE_MAJOR} did not arrive with the packages.`, next, { cause });
  }
  if (!version.startsWith(`v${NODE_MAJOR}.`)) throw new Problem(`node_modules has Node ${version}, not ${NODE_MAJOR}.`, next);
};
