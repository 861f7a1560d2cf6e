import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planDemo, type DemoPlan } from '../demo/plan.js';
import { connectRelay, type RelayClient } from '../relay/relay-client.js';
import { brokersUnderTest } from './brokers-under-test.js';

export interface DemoWishes {
  /** Kept apart from other demos on the machine. */
  readonly port: number;
  readonly sites?: number;
  readonly nodesPerSite?: number;
  readonly capacity?: number;
  /** Each media node as a process of its own: `pidOf('media-node nyc-1')`. */
  readonly nodeProcesses?: boolean;
  /** The connection string of an EventStoreDB for each site, where there are brokers too. */
  readonly eventstore?: readonly string[];
}

/** A whole deployment, as `npm start` starts it, in processes of its own. */
export interface DemoUnderTest {
  readonly plan: DemoPlan;
  readonly relay: RelayClient;
  readonly state: string;
  readonly administrator: { readonly name: string; readonly password: string };
  /** `ws://…/ws` of a site's door. */
  gateway(site: string): string;
  /** The process of one part: `management`, `site nyc`, `relay`. */
  pidOf(part: string): number;
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** For a machine that has much else to do; an idle one needs a few seconds. */
const READY_MS = 120_000;

/** Starts the built product and waits for its table. What it said goes into the error if it does not come up. */
export const startDemoUnderTest = async ({
  port,
  sites = 3,
  nodesPerSite = 1,
  capacity = 50,
  nodeProcesses = false,
  eventstore,
}: DemoWishes): Promise<DemoUnderTest> => {
  const state = mkdtempSync(join(tmpdir(), 'isthmus-demo-'));
  const args = ['demo', '--state', state, '--port', port, '--sites', sites, '--nodes-per-site', nodesPerSite, '--capacity', capacity].map(
    String,
  );
  if (nodeProcesses) args.push('--node-processes');
  const brokers = brokersUnderTest(sites);
  if (brokers) args.push('--kafka', brokers.join(','));
  if (eventstore) args.push('--eventstore', eventstore.join(','));
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await until(
      () => said.includes('Ctrl-C ends it'),
      READY_MS,
      child,
      () => said,
    );
    const relay = await connectRelay(join(state, 'relay.sock'));
    const plan = planDemo({ sites, nodesPerSite, capacity, basePort: port, listen: undefined });
    const [, name = '', password = ''] = /Sign in as\s+(\S+), one-time password (\S+)/.exec(said) ?? [];
    return {
      plan,
      relay,
      state,
      administrator: { name, password },
      gateway: (site) => `${plan.sites.find(({ id }) => id === site)!.meetUrl.replace(/^http/, 'ws')}/ws`,
      pidOf: (part) => childPid(child.pid!, part),
      close: async () => {
        relay.close();
        await end(child);
        rmSync(state, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await end(child);
    rmSync(state, { recursive: true, force: true });
    throw error;
  }
};

const until = async (holds: () => boolean, ms: number, child: ChildProcess, said: () => string): Promise<void> => {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (child.exitCode !== null) throw new Error(`The demo ended with status ${child.exitCode}:\n${said()}`);
    if (performance.now() > deadline) throw new Error(`The demo was not ready after ${ms} ms:\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(forced);
};

/** Among our own children's children, by what they were started as. */
const childPid = (parent: number, part: string): number => {
  const found = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .find((pid) => {
      try {
        const [, ppid] = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
        const [kind, which] = part.split(' ');
        return Number(ppid) === parent && words.includes(` ${kind} `) && (which === undefined || words.includes(`${which}.json`));
      } catch {
        return false; // It ended while we looked.
      }
    });
  if (found === undefined) throw new Error(`There is no process "${part}" below ${parent}.`);
  return Number(found);
};
