/**
 * `npm test`: everything, from a bare clone. Brings what is needed, runs the suites in order, and ends with the one line
 * `tests: N passed, N failed, N skipped`. Options: `--only SUITE` (again for more), `--long`, and parts of spec files' paths.
 */
import { parseArgs } from 'node:util';
import { ensureKafka } from '../kafka/install.mjs';
import { checkCheckout } from '../lib/bootstrap.mjs';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { ensureNodeModules } from '../lib/node-modules.mjs';
import { Problem, runTool } from '../lib/problem.mjs';
import { duration, red, step } from '../lib/progress.mjs';
import { WORKER_BUILD_PACKAGES } from '../mediasoup-worker/build-worker.mjs';
import { ensureWorker, haveWorker } from '../mediasoup-worker/ensure-worker.mjs';
import { besideBrokers } from './brokers.mjs';
import { runSuite } from './run-suite.mjs';
import { SUITES, TEST_PACKAGES, specFiles } from './suites.mjs';

/** @typedef {import('./run-suite.mjs').SuiteResult} SuiteResult */
/** @typedef {import('./suites.mjs').Suite} Suite */

await runTool(async () => {
  const { suites, filters } = chosen(process.argv.slice(2));
  const begun = Date.now();
  sayPlan(suites);
  /** @type {SuiteResult[]} */
  const results = [];
  try {
    checkCheckout();
    await ensureNodeModules();
    // The first suites need no media: they run while the worker is fetched or compiled.
    const world = suites.some(({ needsWorld }) => needsWorld) ? prepareWorld() : undefined;
    world?.catch(() => undefined);
    for (const suite of suites) results.push(await runOne(suite, filters, world));
  } catch (error) {
    // The count is the last line even then; why is above it.
    process.stdout.write(`\n${error instanceof Problem ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
    results.push({ name: 'set-up', ms: Date.now() - begun, budgetMin: 0, passed: 0, failed: 1, skipped: 0 });
  }
  return conclude(results, Date.now() - begun);
});

/** @param {string[]} args @returns {{ suites: Suite[], filters: string[] }} */
function chosen(args) {
  const { values, positionals } = parseArgs({
    args,
    options: { long: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const unknown = values.only?.find((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown) throw new Problem(`There is no suite "${unknown}".`, `There are: ${SUITES.map(({ name }) => name).join(', ')}.`);
  const wanted = SUITES.filter(({ name, long }) => (values.only ? values.only.includes(name) : !long || values.long));
  const suites = builtFirst(positionals.length > 0 ? wanted.filter(({ project }) => project) : wanted);
  return { suites: suites.filter(({ project }) => !project || specFiles(project) > 0), filters: positionals };
}

/** What runs the product runs what is built. @param {Suite[]} suites @returns {Suite[]} */
function builtFirst(suites) {
  const build = SUITES.filter(({ name }) => name === 'build');
  return suites.some(({ needsWorld }) => needsWorld) && !suites.some(({ name }) => name === 'build') ? [...build, ...suites] : suites;
}

/** @param {Suite[]} suites */
function sayPlan(suites) {
  process.stdout.write('suite     budget\n');
  for (const { name, budgetMin, about } of suites)
    process.stdout.write(`${name.padEnd(8)} ${String(budgetMin).padStart(3)} min  ${about}\n`);
  process.stdout.write(`together ${String(suites.reduce((sum, { budgetMin }) => sum + budgetMin, 0)).padStart(3)} min\n\n`);
}

/** Browsers, recorders, a broker and mediasoup's worker. @returns {Promise<Record<string, string>>} what tests are told of it */
async function prepareWorld() {
  // One round of apt for everything: it allows only one at a time.
  const packages = haveWorker() ? TEST_PACKAGES : [...TEST_PACKAGES, ...WORKER_BUILD_PACKAGES];
  await step('Debian packages', (note) => ensureDebianPackages(packages, 'run the tests', note));
  if (!process.env['KAFKA_BROKERS']) await ensureKafka();
  return { MEDIASOUP_WORKER_BIN: await ensureWorker() };
}

/** @param {Suite} suite @param {string[]} filters @param {Promise<Record<string, string>> | undefined} world @returns {Promise<SuiteResult>} */
async function runOne(suite, filters, world) {
  try {
    const told = (suite.needsWorld && (await world)) || {};
    if (suite.brokers === undefined) return await runSuite(suite, told, filters);
    return await besideBrokers(suite.brokers, (brokers) => runSuite(suite, { ...told, ...brokers }, filters));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    process.stdout.write(`\n${suite.name}: ${red('could not run')}. ${error.message}\n`);
    return { name: suite.name, ms: 0, budgetMin: suite.budgetMin, passed: 0, failed: 1, skipped: 0 };
  }
}

/** @param {SuiteResult[]} results @param {number} ms @returns {number} the exit status */
function conclude(results, ms) {
  const sum = (/** @type {'passed' | 'failed' | 'skipped'} */ key) => results.reduce((total, result) => total + result[key], 0);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  process.stdout.write('\nsuite     passed  failed  skipped      took  budget\n');
  for (const result of results) {
    const counts = [result.passed, result.failed, result.skipped].map((count, at) => String(count).padStart(at === 0 ? 7 : 8)).join('');
    process.stdout.write(
      `${result.name.padEnd(8)} ${counts} ${duration(result.ms).padStart(10)} ${String(result.budgetMin).padStart(3)} min\n`,
    );
  }
  process.stdout.write(`all of it took ${duration(ms)}\n`);
  if (passed === 0 && failed === 0) process.stdout.write('Nothing ran, and that is a failure too.\n');
  const skipsCount = process.env['CI'] === 'true' && skipped > 0;
  if (skipsCount) process.stdout.write('A skipped test counts as a failed one here.\n');
  process.stdout.write(`tests: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 || passed === 0 || skipsCount ? 1 : 0;
}
