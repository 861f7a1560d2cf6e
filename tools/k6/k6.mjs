/**
 * `npm run k6 -- SCENARIO`: load and failure scenarios by the real k6 (k6/*.js) against a demo of its own, or, with
 * `--sites ws://…/ws,ws://…/ws`, against a deployment that runs. What follows a second `--` goes to k6 itself.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap } from '../lib/bootstrap.mjs';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { againUnderNode24 } from '../lib/node24.mjs';
import { ROOT, toolEnvironment } from '../lib/paths.mjs';
import { Problem, runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { ensureK6 } from './ensure-k6.mjs';

const SCENARIOS = /** @type {const} */ (['join-storm', 'talk-over', 'split-and-rejoin']);
/** What bots' pictures and voices are made with. */
const PACKAGES = ['espeak-ng', 'ffmpeg'];

/** @typedef {(typeof SCENARIOS)[number]} Scenario */
/** @typedef {import('../bench/lib/demo.mjs').Demo} Demo */

await runTool(async () => {
  const wish = readWish(process.argv.slice(2));
  const { worker } = await bootstrap();
  const program = await ensureK6();
  if (wish.scenario === 'talk-over' && wish.sites === undefined)
    await step('Debian packages', (note) => ensureDebianPackages(PACKAGES, 'let bots talk', note));
  return againUnderNode24({ MEDIASOUP_WORKER_BIN: worker }) ?? withEndings((atEnd) => perform(wish, program, worker, atEnd));
});

/** @param {string[]} args @returns {{ scenario: Scenario, sites: string | undefined, alias: string, rest: string[] }} */
function readWish(args) {
  const end = args.indexOf('--');
  const { values, positionals } = parseArgs({
    args: end === -1 ? args : args.slice(0, end),
    options: { sites: { type: 'string' }, alias: { type: 'string', default: 'demo' } },
    allowPositionals: true,
  });
  const scenario = SCENARIOS.find((name) => name === positionals[0]);
  if (scenario === undefined || positionals.length !== 1)
    throw new Problem(
      `"${positionals.join(' ')}" is no scenario.`,
      `There are: ${SCENARIOS.join(', ')}. Example: npm run k6 -- join-storm`,
    );
  return { scenario, sites: values.sites, alias: values.alias, rest: end === -1 ? [] : args.slice(end + 1) };
}

/** @param {ReturnType<typeof readWish>} wish @param {string} program @param {string} worker @param {(ending: () => unknown) => void} atEnd @returns {Promise<number>} */
async function perform({ scenario, sites, alias, rest }, program, worker, atEnd) {
  /** @type {Record<string, string>} */
  const told = { ALIAS: alias };
  if (sites === undefined) {
    const demo = await step('a demo of three sites', (note) => demoOfOurs(worker, note, atEnd));
    told['SITES'] = demo.sites.map(({ gatewayUrl }) => `${gatewayUrl.replace(/^http/, 'ws')}/ws`).join(',');
    if (scenario === 'talk-over') await step('people who talk', (note) => talkers(demo, note, atEnd));
    if (scenario === 'split-and-rejoin') told['CONTROL'] = await linkControl(demo, atEnd);
  } else told['SITES'] = sites;
  const child = spawn(program, ['run', join(ROOT, 'k6', `${scenario}.js`), ...rest], {
    stdio: 'inherit',
    env: { ...toolEnvironment(), ...told, K6_NO_USAGE_REPORT: 'true', ...knownEnvironment() },
  });
  atEnd(() => void child.kill('SIGTERM'));
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1))));
}

/** What somebody set for a run that uses a deployment of theirs. */
function knownEnvironment() {
  const names = ['CONTROL', 'RATE', 'SECONDS', 'HOLD', 'ROUNDS', 'APART', 'CHANGES', 'P95_MS'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name] ?? '']] : [])));
}

/** @param {string} worker @param {(text: string) => void} note @param {(ending: () => unknown) => void} atEnd @returns {Promise<Demo>} */
async function demoOfOurs(worker, note, atEnd) {
  const { startDemo } = await import('../bench/lib/demo.mjs');
  return startDemo({ worker, quick: false, note, atEnd });
}

/** Interruptions, talk at once, and a long silence: two people at each site. @param {Demo} demo @param {(text: string) => void} note @param {(ending: () => unknown) => void} atEnd */
async function talkers(demo, note, atEnd) {
  const { fillRoom, parseScript } = await import('@isthmus/bots');
  const script = parseScript(
    '0 0 for 5\n4 1 for 5\n10 2 for 3\n11 3 for 6\n18 4 for 2\n20.5 5 for 2\n21 0 for 5\n27 1 for 1.5\n29 2 for 5',
  );
  const room = await fillRoom({
    sites: demo.sites.map(({ name, gatewayUrl }) => ({ name, gatewayUrl: `${gatewayUrl.replace(/^http/, 'ws')}/ws` })),
    alias: demo.alias,
    script,
    onProgress: note,
  });
  atEnd(() => room.leave());
}

/** Lets the scenario cut off the last site, and heal. @param {Demo} demo @param {(ending: () => unknown) => void} atEnd @returns {Promise<string>} */
async function linkControl({ sites, relay }, atEnd) {
  const [last, ...others] = [...sites].reverse();
  const act = {
    '/cut': () => Promise.all(others.map(({ id }) => relay.cut(last?.id ?? '', id))),
    '/heal': () => relay.heal(),
  };
  const server = createServer((request, response) => {
    const work = act[/** @type {keyof typeof act} */ (request.url ?? '')];
    if (request.method !== 'POST' || work === undefined) return void response.writeHead(404).end();
    work().then(
      () => response.writeHead(204).end(),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  atEnd(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The control has no port.');
  return `http://127.0.0.1:${address.port}`;
}

/** Runs it, and ends all that it started, the latest first, also on a signal. @param {(atEnd: (ending: () => unknown) => void) => Promise<number>} work @returns {Promise<number>} */
async function withEndings(work) {
  const { Endings } = await import('../bench/endings.mjs');
  const endings = new Endings();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.once(signal, () => void endings.run().then(() => process.exit(signal === 'SIGINT' ? 130 : 143)));
  try {
    return await work((ending) => endings.add(ending));
  } finally {
    await endings.run();
  }
}
