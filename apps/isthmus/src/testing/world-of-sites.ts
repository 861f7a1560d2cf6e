import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SiteId } from '@isthmus/kernel';
import type { ManagementConfig, SiteConfig } from '../part-config.js';
import type { FromPart, ToPart } from '../part-protocol.js';
import { Crew } from './crew.js';
import { Namespaces, type Machine } from './namespaces.js';

/** What a brain says of a room to whoever asks on its own machine. */
export interface RoomDigest {
  readonly room: string;
  readonly occasions: readonly { readonly conferences: readonly string[]; readonly facts: string; readonly state: string }[];
}

/** What came of a command that somebody typed. */
export interface CommandOutcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A part that has joined by a command, and how long that took; its process is what somebody has in the foreground. */
export interface Joined {
  readonly child: ChildProcess;
  readonly afterMs: number;
}

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const READY_MS = 120_000;
const PORTS = {
  portal: 7_000,
  sites: 7_001,
  telemetry: 7_003,
  meet: 7_100,
  link: 7_101,
  registrar: 7_102,
  report: 7_103,
  brain: 7_104,
  bus: 7_105,
};
const FIRST_PASSWORD = 'three-plain-words-and-4';
export const ADMINISTRATOR = { name: 'admin', password: 'four-plain-words-and-a-5' };

/** One process of the product on a machine of its own. */
export class Part {
  private answers = 0;
  private child: ReturnType<Machine['spawn']> | undefined;

  constructor(
    readonly machine: Machine,
    private readonly args: readonly string[],
    private readonly logFile: string,
  ) {}

  get pid(): number {
    return this.child!.pid!;
  }

  /** @returns what it says of itself when it is ready */
  async start(): Promise<Readonly<Record<string, unknown>>> {
    const child = this.machine.spawn(process.execPath, ['--enable-source-maps', MAIN, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => writeFileSync(this.logFile, text, { flag: 'a', mode: 0o600 }));
    }
    const said = await this.next<FromPart>((message) => message.type === 'ready' || message.type === 'failed');
    if (said?.type === 'ready') return said.facts;
    throw new Error(`${this.args.join(' ')} did not start: ${said?.type === 'failed' ? said.message : this.log.slice(-2_000)}`);
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  async ask<T>(what: string, about: string): Promise<T> {
    const id = ++this.answers;
    const answer = this.next<Extract<FromPart, { type: 'answer' }>>((message) => message.type === 'answer' && message.id === id);
    this.child!.send({ type: 'ask', id, what, about } satisfies ToPart);
    const { value, error } = (await answer) ?? { error: 'it has ended' };
    if (error !== undefined) throw new Error(`${what}: ${error}`);
    return value as T;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child !== undefined) await ended(this.child, signal);
  }

  private next<T extends FromPart>(wanted: (message: FromPart) => boolean): Promise<T | undefined> {
    const child = this.child!;
    return new Promise((resolve) => {
      const settle = (message?: FromPart) => {
        clearTimeout(late);
        child.off('message', hear);
        child.off('exit', ended);
        resolve(message as T | undefined);
      };
      const hear = (raw: unknown) => void (wanted(raw as FromPart) && settle(raw as FromPart));
      const ended = () => settle();
      const late = setTimeout(settle, READY_MS);
      child.on('message', hear);
      child.once('exit', ended);
    });
  }
}

/** A site of the world: its process, its people, and what its brain has folded. */
export class SiteInWorld {
  constructor(
    readonly id: string,
    readonly part: Part,
    readonly crew: Crew,
    readonly stateDir: string,
  ) {}

  get machine(): Machine {
    return this.part.machine;
  }

  /** People of this site are on its own machine: where it is `localhost`, a browser gives them their camera without HTTPS. */
  readonly gatewayUrl = `http://127.0.0.1:${PORTS.meet}`;

  async digests(): Promise<readonly RoomDigest[]> {
    const { status, body } = await this.crew.fetch(`http://${this.machine.address}:${PORTS.brain}/diagnostics/rooms`);
    if (status !== 200) throw new Error(`${this.id} tells no digests: ${status} ${body}`);
    return (JSON.parse(body) as { rooms: readonly RoomDigest[] }).rooms;
  }
}

/**
 * Management and sites as they are in the field: each a process on a machine of its own (a network namespace), reaching the
 * others over a wire that can be cut, and nothing else. Needs root, `iproute2` and `nftables`.
 */
export class WorldOfSites {
  private readonly running: SiteInWorld[] = [];
  private readonly joined: ChildProcess[] = [];

  private constructor(
    readonly wire: Namespaces,
    readonly state: string,
    readonly management: Part,
    private readonly office: Crew,
    private facts: { readonly siteUrl: string; readonly caFingerprint: string },
  ) {}

  /** @param more machines that stand there without a site, as yet */
  static async start(sites: readonly string[], more: readonly string[] = [], capacity = 50): Promise<WorldOfSites> {
    const state = mkdtempSync(join(tmpdir(), 'isthmus-world-'));
    const wire = await Namespaces.open(['management', ...sites, ...more]);
    let world: WorldOfSites | undefined;
    try {
      const machine = wire.machine('management');
      const file = keep(
        state,
        'management.json',
        managementConfigOf(
          machine,
          join(state, 'management'),
          sites.map((id) => siteOf(wire.machine(id))),
        ),
      );
      const management = new Part(machine, ['management', file], join(state, 'management.log'));
      const facts = (await management.start()) as { siteUrl: string; caFingerprint: string };
      world = new WorldOfSites(wire, state, management, await Crew.at(machine, 'management'), facts);
      await world.administer([{ do: 'sign-in', name: ADMINISTRATOR.name, password: FIRST_PASSWORD, next: ADMINISTRATOR.password }]);
      await Promise.all(sites.map((id) => world!.startSite(id, capacity)));
      return world;
    } catch (error) {
      await (world?.close() ?? wire.close());
      throw error;
    }
  }

  get sites(): readonly SiteInWorld[] {
    return this.running;
  }

  site(id: string): SiteInWorld {
    const site = this.running.find((each) => each.id === id);
    if (site === undefined) throw new Error(`there is no site ${id}`);
    return site;
  }

  /** The portal, as seen from management's own machine. */
  get portalUrl(): string {
    return `http://${this.wire.machine('management').address}:${PORTS.portal}`;
  }

  /** Does this as an administrator; answers what came of the last step. */
  administer<T = unknown>(steps: Parameters<Crew['administer']>[1]): Promise<T> {
    const signedIn = steps[0]?.do === 'sign-in' ? steps : [signIn, ...steps];
    return this.office.administer(this.portalUrl, signedIn);
  }

  /** A program that starts a browser on the machine of a site. */
  browserAt(site: string, browser = process.env['CHROMIUM'] ?? '/usr/bin/chromium'): string {
    const file = join(this.state, `browser-at-${site}`);
    writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${this.wire.namespaceOf(site)} ${browser} "$@"\n`, { mode: 0o700 });
    return file;
  }

  /** What somebody types on a machine: the built product's command line. Resolves when it has ended. */
  async isthmus(machine: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandOutcome> {
    const child = this.typed(machine, args, env);
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name]?.setEncoding('utf8').on('data', (text: string) => (said[name] += text));
    const [status] = (await once(child, 'close')) as [number | null];
    return { status: status ?? 1, ...said };
  }

  /** The same as an administrator, at management. */
  administrate(...args: readonly string[]): Promise<CommandOutcome> {
    return this.isthmus('management', [...args, '--portal', this.portalUrl], { ISTHMUS_PASSWORD: ADMINISTRATOR.password });
  }

  /** Types a command that management printed on a machine, where it goes on until the world ends. Resolves when the part is up. */
  async join(machine: string, command: string): Promise<Joined> {
    const ticket = command.trim().split(' ').at(-1)!;
    const child = this.typed(machine, ['join', ticket, '--state', join(this.state, machine)], {});
    this.joined.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
    const began = performance.now();
    const ended = once(child, 'close').then(() => {
      throw new Error(`${machine} did not join: ${said}`);
    });
    ended.catch(() => undefined);
    while (!said.includes('is part of the deployment')) await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 50))]);
    return { child, afterMs: performance.now() - began };
  }

  /** A crew at a site that has joined. */
  async people(id: string): Promise<SiteInWorld> {
    const machine = this.wire.machine(id);
    const stateDir = join(this.state, id, id);
    const site = new SiteInWorld(id, new Part(machine, [], join(stateDir, `${id}.log`)), await Crew.at(machine, id), stateDir);
    this.running.push(site);
    return site;
  }

  private typed(machine: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    return this.wire.machine(machine).spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
  }

  private async startSite(id: string, capacity: number): Promise<void> {
    const machine = this.wire.machine(id);
    const { token } = await this.management.ask<{ token: string }>('enrolment-token', id);
    const stateDir = join(this.state, id);
    const management = { url: this.facts.siteUrl, caFingerprint: this.facts.caFingerprint, token };
    const config = siteConfigOf(machine, stateDir, management, capacity);
    const part = new Part(machine, ['site', keep(this.state, `${id}.json`, config)], join(this.state, `${id}.log`));
    await part.start();
    this.running.push(new SiteInWorld(id, part, await Crew.at(machine, id), stateDir));
  }

  /** What every process wrote at its end, for a spec that failed. */
  get logs(): string {
    return this.running.map(({ id, part }) => `--- ${id}\n${part.log.slice(-3_000)}`).join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.running.map(({ crew }) => crew.close()));
    await this.office.close();
    await Promise.all(this.joined.map((child) => ended(child)));
    await Promise.all(this.running.map(({ part }) => part.stop()));
    await this.management.stop();
    await this.wire.close();
    rmSync(this.state, { recursive: true, force: true });
  }
}

const ended = async (child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const forced = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(forced);
};

const signIn = { do: 'ask', method: 'POST', path: '/v1/sessions', body: ADMINISTRATOR } as const;

const keep = (folder: string, name: string, value: unknown): string => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(value), { mode: 0o600 });
  return file;
};

const siteOf = ({ name, address }: Machine) => ({
  id: name as SiteId,
  name: name.toUpperCase(),
  meetUrl: `http://${address}:${PORTS.meet}`,
  linkUrl: `wss://${address}:${PORTS.link}`,
});

const managementConfigOf = ({ address }: Machine, stateDir: string, sites: ManagementConfig['sites']): ManagementConfig => ({
  host: address,
  sitePort: PORTS.sites,
  clientHost: address,
  portalPort: PORTS.portal,
  telemetryPort: PORTS.telemetry,
  stateDir,
  firstAdministrator: { name: ADMINISTRATOR.name, password: FIRST_PASSWORD },
  sites,
  rooms: [],
});

const siteConfigOf = (
  { name, address }: Machine,
  stateDir: string,
  management: SiteConfig['management'],
  capacity: number,
): SiteConfig => ({
  site: name as SiteId,
  name: name.toUpperCase(),
  host: address,
  clientHost: '127.0.0.1',
  ports: {
    meet: PORTS.meet,
    brainLink: PORTS.link,
    registrar: PORTS.registrar,
    telemetry: PORTS.report,
    brainHealth: PORTS.brain,
    bus: PORTS.bus,
    nodes: [{ client: 7_110, mediaLink: 7_120, webRtc: 7_130, crossings: { from: 7_140, to: 7_199 } }],
  },
  capacity,
  stateDir,
  management,
});
