import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, ROOT } from '../lib/paths.mjs';

/**
 * @typedef {object} Suite
 * @property {string} name as `--only` takes it
 * @property {string} about
 * @property {number} budgetMin what it may take on two cores; it is stopped at twice that
 * @property {boolean} needsWorld real media, browsers and recorders: waits until they are there
 * @property {boolean} [long] only with `--long`
 * @property {readonly [string, ...string[]]} [check] a command that is one test by its exit status
 * @property {string} [project] a project of vitest.config.ts
 * @property {readonly string[]} [files] of that project only those spec files whose path has one of these in it
 * @property {Readonly<Record<string, string>>} [env] what its tests are told beside that
 * @property {number} [brokers] how many Kafka brokers run beside it, one for each site of a demo
 */

/** In the order they run: what fails fastest comes first. Together within 35 minutes. @type {readonly Suite[]} */
export const SUITES = [
  { name: 'format', about: 'Prettier', budgetMin: 0.5, needsWorld: false, check: [bin('prettier'), '--check', '--log-level=warn', '.'] },
  {
    name: 'build',
    about: 'every app and lib, strict TypeScript',
    budgetMin: 1.5,
    needsWorld: false,
    check: [bin('nx'), 'run-many', '-t', 'build'],
  },
  {
    name: 'types',
    about: 'the tools, by their JSDoc',
    budgetMin: 0.5,
    needsWorld: false,
    check: [bin('tsc'), '-p', 'tools/tsconfig.json'],
  },
  { name: 'lint', about: 'ESLint and who may import whom', budgetMin: 1.5, needsWorld: false, check: [bin('nx'), 'run', 'isthmus:lint'] },
  { name: 'unit', about: 'rules, laws and the house itself', budgetMin: 2, needsWorld: false, project: 'unit' },
  {
    name: 'simulation',
    about: '2,000 histories of several sites, each by a seed',
    budgetMin: 1,
    needsWorld: false,
    check: simulation('--seeds', '2000'),
  },
  { name: 'service', about: 'services over real adapters and sockets', budgetMin: 9.5, needsWorld: true, project: 'service' },
  { name: 'e2e', about: 'the whole product, real media and browsers', budgetMin: 11.5, needsWorld: true, project: 'e2e' },
  {
    name: 'apart',
    about: 'the same with a process per service and a broker per site',
    budgetMin: 5,
    needsWorld: true,
    project: 'apart',
    files: ['src/e2e/'],
    brokers: 3,
  },
  {
    name: 'engines',
    about: 'brokers and stores killed under fifty joins a second, three times each',
    budgetMin: 2,
    needsWorld: true,
    project: 'apart',
    files: ['src/engines-lost'],
    brokers: 2,
  },
  {
    name: 'simulation-long',
    about: '10,000 more',
    budgetMin: 20,
    needsWorld: false,
    long: true,
    check: simulation('--seeds', '10000', '--from', '2001'),
  },
  {
    name: 'planted',
    about: 'bugs that the simulation has to find',
    budgetMin: 30,
    needsWorld: false,
    long: true,
    check: simulation('--planted'),
  },
  {
    name: 'brains-long',
    about: 'several brains of a site over a broker',
    budgetMin: 3,
    needsWorld: true,
    long: true,
    project: 'apart',
    files: ['src/several-brains'],
    brokers: 1,
  },
  {
    name: 'engines-long',
    about: 'brokers and stores killed twenty times each',
    budgetMin: 20,
    needsWorld: true,
    long: true,
    project: 'apart',
    files: ['src/engines-lost'],
    brokers: 2,
    env: { ISTHMUS_TEST_KILLS: '20' },
  },
  { name: 'long', about: 'many more of the same', budgetMin: 90, needsWorld: true, long: true, project: 'long' },
];

/** What tests use beside what npm brings, by Debian's names. */
export const TEST_PACKAGES = ['chromium', 'espeak-ng', 'ffmpeg', 'iproute2', 'nftables', 'procps', 'strace'];

/** @param {string} name */
function bin(name) {
  return join(BIN, name);
}

/** @param {readonly string[]} wish @returns {[string, ...string[]]} */
function simulation(...wish) {
  return [bin('node'), join(ROOT, 'tools/simulate/run-all.mjs'), ...wish];
}

/** How many spec files a vitest project has: a suite that has none is not run, and said so. @param {string} project */
export const specFiles = (project) => {
  const kinds = ['service', 'e2e', 'apart', 'long'];
  const belongs = (/** @type {string} */ file) => {
    const [, kind = ''] = /(?:\.([a-z0-9]+))?\.spec\.tsx?$/.exec(file) ?? [];
    return project === 'unit' ? !kinds.includes(kind) : kind === project;
  };
  return ['apps', 'libs', 'tools']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }))
    .filter((file) => /\.spec\.tsx?$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file) && belongs(file)).length;
};
