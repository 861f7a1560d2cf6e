/**
 * `npm run docker -- COMMAND`: the image and the deployment of docker/, for real. `build` makes the image, `up` starts everything and waits
 * until it is healthy, `check` has bots meet across the three sites, `down` ends it, and `try` does all four. Where no image registry can
 * be reached, base images are made here and what only a registry has (the monitoring) is left out and named.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from '../lib/bootstrap.mjs';
import { againUnderNode24 } from '../lib/node24.mjs';
import { ROOT } from '../lib/paths.mjs';
import { Problem, runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { mustRun } from '../lib/run.mjs';
import { ensureKafkaImage, ensureNodeImage, haveRegistry } from './base-images.mjs';
import { ensureEngine, stopEngine } from './engine.mjs';

const FOLDER = join(ROOT, 'docker');
const IMAGE = 'isthmus:dev';
/** Twenty-odd processes start at once. */
const HEALTHY_WITHIN_S = 300;

/** @typedef {NodeJS.ProcessEnv} Env */
/** @type {Readonly<Record<string, readonly ((env: Env) => Promise<unknown>)[]>>} */
const COMMANDS = {
  build: [build],
  up: [up],
  check: [check],
  down: [down],
  try: [build, up, check, down],
};

await runTool(async () => {
  const [command = '', ...rest] = process.argv.slice(2);
  const steps = COMMANDS[command];
  if (steps === undefined || rest.length > 0)
    throw new Problem(`"${process.argv.slice(2).join(' ')}" is no command.`, `There are: ${Object.keys(COMMANDS).join(', ')}.`);
  await bootstrap();
  const again = againUnderNode24({});
  if (again !== undefined) return again;
  const env = await ensureEngine();
  try {
    for (const each of steps) await each(env);
  } catch (error) {
    if (command === 'try') await down(env);
    throw error;
  }
  return 0;
});

/** @param {Env} env */
async function build(env) {
  await ensureNodeImage(env);
  await step(`image ${IMAGE}`, (note) =>
    mustRun('docker', ['build', '--network=host', '--file', join(FOLDER, 'Dockerfile'), '--tag', IMAGE, ROOT], {
      log: 'docker-build.log',
      env: { ...env, DOCKER_BUILDKIT: '0' },
      note: (line) => note(line.slice(0, 60)),
      what: 'The image could not be built',
      next: 'Its log says why.',
    }),
  );
}

/** @param {Env} env */
async function up(env) {
  makeSecrets();
  const full = haveRegistry(env);
  if (!full) {
    process.stderr.write('No image registry answers: the OpenTelemetry Collector, Jaeger, Prometheus and Grafana are left out.\n');
    await ensureKafkaImage(env);
  }
  await step('three sites', async (note) => {
    await compose(env, full, ['up', '--detach', '--no-build'], note);
    for (let waited = 0; ; waited += 3) {
      const unwell = notHealthy(env);
      if (unwell.length === 0) return 'healthy';
      note(`waiting for ${unwell.join(', ')}`);
      if (waited > HEALTHY_WITHIN_S)
        throw new Problem(`Not healthy after ${HEALTHY_WITHIN_S} s: ${unwell.join(', ')}.`, 'docker logs says why.');
      await new Promise((resolve) => setTimeout(resolve, 3_000));
    }
  });
}

/** Two people at each site, each of whom should see and hear the others. */
async function check() {
  const { fillRoom, eventually } = await import('@isthmus/bots');
  await step('a meeting across the three sites', async (note) => {
    const sites = ['New York', 'London', 'Cape Town'].map((name, at) => ({ name, gatewayUrl: `ws://127.0.0.1:${7100 + 100 * at}/ws` }));
    const room = await fillRoom({ sites, alias: 'demo', perSite: 2, onProgress: note });
    try {
      await eventually(() => room.missing(), 60_000);
      return `${room.bots.length} people see each other`;
    } finally {
      await room.leave();
    }
  });
}

/** @param {Env} env */
async function down(env) {
  await step('ending it', (note) => compose(env, false, ['down', '--volumes', '--remove-orphans'], note));
  await stopEngine();
}

/** @param {Env} env @param {boolean} full @param {readonly string[]} args @param {(line: string) => void} note */
async function compose(env, full, args, note) {
  const plugin = spawnSync('docker', ['compose', 'version'], { env, stdio: 'ignore' }).status === 0;
  const [command, ...first] = plugin ? ['docker', 'compose'] : ['docker-compose'];
  await mustRun(String(command), [...first, '--project-directory', FOLDER, '--file', join(FOLDER, 'compose.yaml'), ...args], {
    log: 'docker-compose.log',
    cwd: FOLDER,
    env: { ...env, ...(full ? {} : { COMPOSE_PROFILES: '', OTEL_EXPORTER_OTLP_ENDPOINT: '' }) },
    note: (line) => note(line.slice(0, 60)),
    what: 'Docker Compose failed',
    next: 'Its log says why.',
  });
}

/** Containers that are neither healthy nor ended as they should. @param {Env} env @returns {string[]} */
function notHealthy(env) {
  const format = '{{.Label "com.docker.compose.service"}}\t{{.Status}}';
  const { stdout } = spawnSync('docker', ['ps', '--all', '--filter', 'label=com.docker.compose.service', '--format', format], {
    env,
    encoding: 'utf8',
  });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'))
    .filter(([service = '', status = '']) => !status.includes('(healthy)') && !(service === 'setup' && status.startsWith('Exited (0)')))
    .map(([service = '', status = '']) => `${service} (${status})`);
}

/** Made at the first start and kept: the administrator's passwords. */
function makeSecrets() {
  const folder = join(FOLDER, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ['first-password', 'administrator-password']) {
    const file = join(folder, name);
    // Containers' users read them.
    if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o644 });
  }
}
