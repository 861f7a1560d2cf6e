import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectRelay } from '@isthmus/cli';
import { childrenOf, commandOf, environmentOf } from './processes.mjs';

/**
 * A whole deployment of its own for one benchmark, as `npm start` makes it: the same processes, relay and ports, with its state
 * in a temporary folder.
 * @typedef {{ id: string, name: string, meetUrl: string, gatewayUrl: string, pid: number, worker: number }} DemoSite
 *   `pid`: of its process, or of its brain's where services are apart; `worker`: mediasoup's process, of the only node; 0 where nodes are processes of their own
 * @typedef {{ sites: readonly DemoSite[], site: (id: string) => DemoSite, relay: import('@isthmus/cli').RelayClient, alias: string,
 *   pidOf: (part: string) => number, makeRooms: (aliases: readonly string[]) => Promise<void>, services: readonly number[] }} Demo
 *   `services`: the processes of all sites' services, without management, the relay and mediasoup's
 *   `pidOf`: of one part, `relay`, `site nyc`, or with `nodeProcesses` `media-node nyc-1`
 */

const MAIN = fileURLToPath(new URL('../../../apps/isthmus/dist/main.js', import.meta.url));
const READY_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 20_000;
/** Below the ports that Linux gives to whoever asks for any (ip_local_port_range), bots' sockets among them. */
const BASES = { first: 20_000, last: 31_000, step: 1_000 };

/**
 * @param {import('../figures.mjs').BenchContext} context
 * @param {{ sites?: number, capacity?: number, nodesPerSite?: number, nodeProcesses?: boolean, kafka?: readonly string[] }} [wish]
 *   `kafka`: a broker for each site, whose services are then apart
 * @returns {Promise<Demo>}
 */
export const startDemo = async (context, { sites = 3, capacity = 200, nodesPerSite = 1, nodeProcesses = false, kafka } = {}) => {
  context.note('starting a demo');
  const state = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  context.atEnd(() => rmSync(state, { recursive: true, force: true }));
  const args = ['--state', state, '--port', String(await freeBase()), '--sites', String(sites), '--capacity', String(capacity)];
  args.push('--nodes-per-site', String(nodesPerSite), ...(nodeProcesses ? ['--node-processes'] : []));
  if (kafka) args.push('--kafka', kafka.join(','));
  // With a channel to us it ends even when we are killed.
  const demo = spawn(process.execPath, [MAIN, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, MEDIASOUP_WORKER_BIN: context.worker },
  });
  context.atEnd(() => stop(demo));
  await ready(demo);
  const { portalUrl, relay, sites: known } = JSON.parse(readFileSync(join(state, 'demo.json'), 'utf8'));
  const parts = childrenOf(demo.pid ?? 0);
  const running = known.map((/** @type {{ id: string, name: string, meetUrl: string }} */ site) => {
    const [pid, node] = kafka ? apart(parts, site.id) : whole(parts, site.id);
    const worker = nodeProcesses ? 0 : childrenOf(node ?? 0).find((child) => commandOf(child)[0]?.endsWith('mediasoup-worker'));
    if (pid === undefined || worker === undefined) throw new Error(`The processes of site ${site.name} are not to be found.`);
    return { ...site, gatewayUrl: site.meetUrl, pid, worker };
  });
  const client = await connectRelay(relay);
  context.atEnd(() => client.close());
  return {
    sites: running,
    site: (id) => {
      const site = running.find((/** @type {DemoSite} */ each) => each.id === id);
      if (!site) throw new Error(`The demo has no site ${id}.`);
      return site;
    },
    relay: client,
    alias: 'demo',
    services: parts.filter((part) => !commandOf(part).some((word) => word === 'management' || word === 'relay')),
    pidOf: (part) => {
      const [kind, which] = part.split(' ');
      const isIt = (/** @type {readonly string[]} */ words) =>
        words.includes(String(kind)) && (which === undefined || words.some((word) => word.endsWith(`/${which}.json`)));
      const pid = childrenOf(demo.pid ?? 0).find((child) => isIt(commandOf(child)));
      if (pid === undefined) throw new Error(`The demo has no process "${part}".`);
      return pid;
    },
    makeRooms: (aliases) => makeRooms(portalUrl, JSON.parse(readFileSync(join(state, 'first-password.json'), 'utf8')), aliases),
  };
};

/** One process is all of a site. @param {readonly number[]} parts @param {string} site */
const whole = (parts, site) => {
  const pid = parts.find((part) => commandOf(part).some((argument) => argument.endsWith(`/sites/${site}.json`)));
  return [pid, pid];
};

/** The site's brain, and its media node. @param {readonly number[]} parts @param {string} site */
const apart = (parts, site) =>
  ['CONFERENCE_BRAIN', 'MEDIA_NODE'].map((service) =>
    parts.find((part) => environmentOf(part).includes(`ISTHMUS_${service}_SITE=${site}`)),
  );

/** @param {import('node:child_process').ChildProcess} demo */
const ready = async (demo) => {
  let said = '';
  demo.stderr?.on('data', (chunk) => (said = (said + String(chunk)).slice(-2_000)));
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`The demo was not up within ${READY_WITHIN_MS / 1000} s. ${said}`)), READY_WITHIN_MS);
    let shown = '';
    demo.stdout?.on('data', (chunk) => {
      shown += String(chunk);
      if (!shown.includes('Ctrl-C ends it.')) return;
      clearTimeout(late);
      resolve(undefined);
    });
    demo.once('exit', (status) => {
      clearTimeout(late);
      reject(new Error(`The demo ended with status ${status}. ${said}`));
    });
  });
};

/** @param {import('node:child_process').ChildProcess} child */
const stop = async (child) => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await gone;
  clearTimeout(forced);
};

/** A thousand ports that nobody seems to use: another benchmark, demo or test may run on this machine. */
const freeBase = async () => {
  const places = [...Array.from({ length: 3 }, (_, at) => [`127.0.0.${11 + at}`, 100 * (at + 1)]), ['127.0.0.10', 0]];
  for (let base = BASES.first; base <= BASES.last; base += BASES.step) {
    const free = await Promise.all(places.map(([host, offset]) => isFree(String(host), base + Number(offset))));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`No ports are free for a demo between ${BASES.first} and ${BASES.last}.`);
};

/** @param {string} host @param {number} port @returns {Promise<boolean>} */
const isFree = (host, port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

/** As an administrator does it. @param {string} portal @param {{ administrator: string, password: string }} first @param {readonly string[]} aliases */
const makeRooms = async (portal, first, aliases) => {
  const headers = { 'content-type': 'application/json', origin: portal };
  const post = async (/** @type {string} */ path, /** @type {object} */ body, cookie = '') => {
    const answer = await fetch(portal + path, { method: 'POST', headers: { ...headers, cookie }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  };
  const signedIn = await post('/v1/sessions', { name: first.administrator, password: first.password });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
  await post('/v1/sessions/current/password', { current: first.password, next: `${first.password}-changed` }, cookie);
  for (const alias of aliases) await post('/v1/rooms', { name: `Bench ${alias}`, aliases: [alias] }, cookie);
};
