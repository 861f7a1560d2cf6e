import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BIN, LOCAL_CACHE, ROOT, toolEnvironment } from '../lib/paths.mjs';
import { dim, duration, green, red } from '../lib/progress.mjs';
import { plain, run, tail } from '../lib/run.mjs';
import { MARK } from './live-reporter.mjs';

const REPORTER = join(dirname(fileURLToPath(import.meta.url)), 'live-reporter.mjs');
/** A suite over its budget is said to be; at this many times its budget it is stopped. */
const PATIENCE = 2;

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {Counts & { name: string, ms: number, budgetMin: number }} SuiteResult */

/**
 * Runs one suite and says how it goes.
 * @param {import('./suites.mjs').Suite} suite
 * @param {Record<string, string>} extra environment variables that its tests are told
 * @param {readonly string[]} filters spec files to run, by a part of their path; all if empty
 * @returns {Promise<SuiteResult>}
 */
export const runSuite = async (suite, extra, filters) => {
  process.stdout.write(`\n${suite.name}: ${suite.about} ${dim(`(budget ${suite.budgetMin} min)`)}\n`);
  const begun = Date.now();
  const env = { ...toolEnvironment(), ...extra, ...suite.env };
  const limitMs = suite.budgetMin * 60_000 * PATIENCE;
  const counts = suite.check
    ? await runCheck(suite.name, suite.check, env, limitMs)
    : await runVitest(suite, suite.files && filters.length === 0 ? suite.files : filters, env, limitMs);
  const ms = Date.now() - begun;
  if (ms > suite.budgetMin * 60_000) say(red('!'), `over its budget: ${duration(ms)} of ${suite.budgetMin} min`);
  return { name: suite.name, ms, budgetMin: suite.budgetMin, ...counts };
};

/** @param {string} mark @param {string} text */
const say = (mark, text) => process.stdout.write(`  ${mark} ${text}\n`);

/** @param {string} name @param {readonly [string, ...string[]]} command @param {NodeJS.ProcessEnv} env @param {number} limitMs @returns {Promise<Counts>} */
const runCheck = async (name, [command, ...args], env, limitMs) => {
  const { status, log, timedOut } = await run(command, args, { log: `test-${name}.log`, env, limitMs });
  if (status === 0) {
    say(green('✓'), name);
    return { passed: 1, failed: 0, skipped: 0 };
  }
  say(red('✗'), `${name} ${timedOut ? 'was stopped: it took too long' : `ended with status ${status}`}; all of it: ${relative(ROOT, log)}`);
  process.stdout.write(`${tail(log, 40)}\n`);
  return { passed: 0, failed: 1, skipped: 0 };
};

/**
 * @param {import('./suites.mjs').Suite} suite @param {readonly string[]} filters @param {NodeJS.ProcessEnv} env @param {number} limitMs
 * @returns {Promise<Counts>}
 */
const runVitest = async (suite, filters, env, limitMs) => {
  const first = await runFiles(suite, filters, env, limitMs);
  const again = suite.needsWorld ? missedOnce(first.files) : [];
  if (first.broke || again.length === 0) return first;
  say('↻', `once more, alone: ${again.join(', ')}`);
  const second = await runFiles(suite, again, env, limitMs);
  return second.broke ? first : sum([...first.files.filter(({ file }) => !again.includes(file)), ...second.files]);
};

/** @param {import('./suites.mjs').Suite} suite @param {readonly string[]} filters @param {NodeJS.ProcessEnv} env @param {number} limitMs */
const runFiles = async ({ name, project = name }, filters, env, limitMs) => {
  const report = join(LOCAL_CACHE, 'test-results', `${name}.json`);
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const args = ['run', '--project', project, '--reporter=json', `--outputFile.json=${report}`, `--reporter=${REPORTER}`, ...filters];
  const { status, log, timedOut } = await run(join(BIN, 'vitest'), args, { log: `test-${name}.log`, env, limitMs, line: sayLive });
  const files = countReport(report);
  const counts = sum(files ?? []);
  const where = `all of it: ${relative(ROOT, log)}`;
  if (timedOut || !files) {
    say(red('✗'), `${timedOut ? 'stopped: it took too long' : 'it left no report'}; ${where}`);
    process.stdout.write(`${tail(log, 20)}\n`);
    return { ...counts, failed: counts.failed + 1, files: [], broke: true };
  }
  if (status !== 0 && counts.failed === 0) {
    // Something was thrown outside any test, or nothing ran at all.
    say(red('✗'), `Vitest ended with status ${status}; ${where}`);
    process.stdout.write(`${tail(log, 30)}\n`);
    return { ...counts, failed: 1, files, broke: true };
  }
  return { ...counts, files, broke: false };
};

/** More files than this do not miss a deadline by chance. */
const CHANCE_MAX = 2;

/**
 * Real media, sockets and browsers have deadlines that a busy machine may miss once, also while a spec sets its world up, where Vitest
 * does not try again. What misses twice is ours.
 * @param {readonly FileCounts[]} files @returns {readonly string[]} spec files to run once more
 */
export const missedOnce = (files) => {
  const failed = files.filter(({ failed }) => failed > 0).map(({ file }) => file);
  return failed.length > CHANCE_MAX ? [] : failed;
};

/** @param {readonly Counts[]} parts @returns {Counts} */
export const sum = (parts) =>
  parts.reduce(
    (all, { passed, failed, skipped }) => ({ passed: all.passed + passed, failed: all.failed + failed, skipped: all.skipped + skipped }),
    { passed: 0, failed: 0, skipped: 0 },
  );

/** @param {string} line */
const sayLive = (line) => {
  if (!line.startsWith(MARK)) return;
  const { file, ok, passed, failed, skipped, ms } = JSON.parse(line.slice(MARK.length));
  const parts = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`].filter(Boolean).join(', ');
  say(ok ? green('✓') : red('✗'), `${file} ${dim(`${parts}, ${duration(ms)}`)}`);
};

/**
 * @typedef {{ assertionResults: { status: string, fullName: string, failureMessages: string[] }[], status: string, name: string, message: string }} FileReport
 * @typedef {Counts & { readonly file: string }} FileCounts
 * @param {string} report
 * @returns {readonly FileCounts[] | undefined}
 */
export const countReport = (report) => {
  if (!existsSync(report)) return undefined;
  /** @type {FileReport[]} */
  const files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  return files.map((file) => {
    const failures = file.assertionResults.filter(({ status }) => status === 'failed');
    const passed = file.assertionResults.filter(({ status }) => status === 'passed').length;
    for (const { fullName, failureMessages } of failures) sayFailure(file.name, fullName, failureMessages.join('\n'));
    // The file itself could not be run, or a hook outside its tests failed.
    const itself = file.status === 'failed' && failures.length === 0;
    if (itself) sayFailure(file.name, 'the file itself', file.message);
    return {
      file: relative(ROOT, file.name),
      passed,
      failed: failures.length + (itself ? 1 : 0),
      skipped: file.assertionResults.length - failures.length - passed,
    };
  });
};

/** @param {string} file @param {string} title @param {string} message */
const sayFailure = (file, title, message) => {
  const lines = plain(message).split('\n').slice(0, 25);
  process.stdout.write(`\n  ${red('✗')} ${relative(ROOT, file)}: ${title}\n${lines.map((line) => `      ${line}`).join('\n')}\n`);
};
