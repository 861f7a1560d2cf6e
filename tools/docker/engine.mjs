import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { userCache } from '../lib/paths.mjs';
import { Problem } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';

const READY_WITHIN_MS = 60_000;
const GONE_WITHIN_MS = 30_000;
/** Without systemd's leave, containers may not have more open files than this. */
const OPEN_FILES = '4096:4096';

/**
 * A Docker engine: the one that answers, else one of our own, started as root from Debian's packages and left running until
 * `stopEngine`, because its cache of layers is what makes the second build fast.
 * @returns {Promise<NodeJS.ProcessEnv>} the environment in which `docker` speaks to it
 */
export const ensureEngine = async () => {
  if (answers(process.env)) return process.env;
  const ours = environmentOfOurs();
  if (answers(ours)) return ours;
  if (process.getuid?.() !== 0)
    throw new Problem('No Docker engine answers, and only root can start one here.', 'Start Docker, or name its socket in DOCKER_HOST.');
  await step('Debian packages', (note) => ensureDebianPackages(['docker.io', 'docker-compose', 'iptables'], 'run Docker', note));
  await step('Docker engine', async () => {
    const folder = engineFolder();
    mkdirSync(folder, { recursive: true });
    const log = openSync(join(folder, 'log'), 'a');
    const at = (/** @type {string} */ name) => join(folder, name);
    const args = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid'), '--default-ulimit', `nofile=${OPEN_FILES}`];
    spawn('dockerd', [...args, '-H', `unix://${at('docker.sock')}`], { detached: true, stdio: ['ignore', log, log] }).unref();
    for (const begun = Date.now(); !answers(ours); await sleep(500))
      if (Date.now() - begun > READY_WITHIN_MS) throw new Problem('The Docker engine did not come up.', `Its log says why: ${at('log')}`);
  });
  return ours;
};

/** Ends the engine that we started, if there is one, and waits until it is gone: the next one wants its folders. Containers end with it. */
export const stopEngine = async () => {
  const file = join(engineFolder(), 'pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  if (!signal(pid, 'SIGTERM')) return;
  for (const begun = Date.now(); signal(pid, 0) && Date.now() - begun < GONE_WITHIN_MS;) await sleep(200);
};

/** @param {number} pid @param {NodeJS.Signals | 0} what @returns {boolean} whether there is such a process */
const signal = (pid, what) => {
  try {
    return process.kill(pid, what);
  } catch {
    return false;
  }
};

const engineFolder = () => join(userCache(), 'docker');

/** @returns {NodeJS.ProcessEnv} */
const environmentOfOurs = () => ({ ...process.env, DOCKER_HOST: `unix://${join(engineFolder(), 'docker.sock')}` });

/** @param {NodeJS.ProcessEnv} env */
const answers = (env) => spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { env, stdio: 'ignore' }).status === 0;
