import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SiteConfig } from '../part-config.js';
import { servicesApart } from '../demo/services-apart.js';
import { BrokerDoor } from './broker-door.js';
import { brokersUnderTest } from './brokers-under-test.js';
import { Crew } from './crew.js';
import { Namespaces, type Machine } from './namespaces.js';
import { ADMINISTRATOR, FIRST_PASSWORD, PORTS, managementConfigOf, siteConfigOf, siteOf } from './world-configs.js';
import { MAIN, Part, ended } from './world-part.js';

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

/** Where the services are built: `apps` of the checkout. */
const APPS = join(MAIN, '..', '..', '..');

/** A site of the world: its machine, its processes, its people, and what its brain has folded. */
export class SiteInWorld {
  constructor(
    readonly id: string,
    readonly machine: Machine,
    /** None: somebody started the site by a command, in the foreground. */
    readonly parts: readonly Part[],
    readonly crew: Crew,
    readonly stateDir: string,
    /** Where its people reach it. They are on its own machine: where it is `localhost`, a browser gives them their camera without HTTPS. */
    private readonly clientHost = '127.0.0.1',
  ) {}

  get gatewayUrl(): string {
    return `http://${this.clientHost}:${PORTS.meet}`;
  }

  async digests(): Promise<readonly RoomDigest[]> {
    const { status, body } = await this.crew.fetch(`http://${this.machine.address}:${PORTS.brain}/diagnostics/rooms`);
    if (status !== 200) throw new Error(`${this.id} tells no digests: ${status} ${body}`);
    return (JSON.parse(body) as { rooms: readonly RoomDigest[] }).rooms;
  }
}

/**
 * Management and sites as they are in the field: each on a machine of its own (a network namespace), reaching the others over a
 * wire that can be cut, and nothing else. A site is one process, or, where the run has brokers, one for each of its services
 * (ADR 0046). Needs root, `iproute2` and `nftables`.
 */
export class WorldOfSites {
  private readonly running: SiteInWorld[] = [];
  private readonly joined: ChildProcess[] = [];
  private readonly doors: BrokerDoor[] = [];

  private constructor(
    readonly wire: Namespaces,
    readonly state: string,
    readonly management: Part,
    private readonly office: Crew,
    private facts: { readonly siteUrl: string; readonly caFingerprint: string },
  ) {}

  /**
   * @param more machines that stand there without a site, as yet
   * @param open these sites can be reached by people on other machines, too
   */
  static async start(sites: readonly string[], more: readonly string[] = [], capacity = 50, open = false): Promise<WorldOfSites> {
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
      const brokers = brokersUnderTest(sites.length);
      await Promise.all(sites.map((id, at) => world!.startSite(id, capacity, open, brokers?.[at])));
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
    const site = new SiteInWorld(id, machine, [], await Crew.at(machine, id), stateDir);
    this.running.push(site);
    return site;
  }

  private typed(machine: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    return this.wire.machine(machine).spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
  }

  private async startSite(id: string, capacity: number, open: boolean, broker: string | undefined): Promise<void> {
    const machine = this.wire.machine(id);
    const { token } = await this.management.ask<{ token: string }>('enrolment-token', id);
    const stateDir = join(this.state, id);
    const management = { url: this.facts.siteUrl, caFingerprint: this.facts.caFingerprint, token };
    const clientHost = open ? machine.address : undefined;
    const config = siteConfigOf(machine, stateDir, management, capacity, clientHost);
    const parts = broker === undefined ? [this.wholeSite(machine, config)] : await this.siteApart(machine, config, broker);
    const site = new SiteInWorld(id, machine, parts, await Crew.at(machine, id), stateDir, clientHost);
    // Before they start: if one of them cannot, the others are ended with the world.
    this.running.push(site);
    await Promise.all(parts.map((part) => part.start()));
  }

  private wholeSite(machine: Machine, config: SiteConfig): Part {
    const { site } = config;
    return new Part(machine, ['site', keep(this.state, `${site}.json`, config)], join(this.state, `${site}.log`));
  }

  /** Each service of a site as a process of its own, with a broker between them that only this site reaches. */
  private async siteApart(machine: Machine, config: SiteConfig, broker: string): Promise<readonly Part[]> {
    this.doors.push(await BrokerDoor.open(machine, broker, join(this.state, `${config.site}-broker.sock`)));
    return servicesApart(config, { kafka: broker }, APPS).map(
      ({ name, main, env }) => new Part(machine, [], join(this.state, `${name}.log`), { main, env }),
    );
  }

  /** What every process wrote at its end, for a spec that failed. */
  get logs(): string {
    const all = this.running.flatMap(({ id, parts }) => parts.map((part) => `--- ${id}\n${part.log.slice(-3_000)}`));
    return all.join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.running.map(({ crew }) => crew.close()));
    await this.office.close();
    await Promise.all(this.joined.map((child) => ended(child)));
    await Promise.all(this.running.flatMap(({ parts }) => parts.map((part) => part.stop())));
    await this.management.stop();
    await Promise.all(this.doors.map((door) => door.close()));
    await this.wire.close();
    rmSync(this.state, { recursive: true, force: true });
  }
}

const signIn = { do: 'ask', method: 'POST', path: '/v1/sessions', body: ADMINISTRATOR } as const;

const keep = (folder: string, name: string, value: unknown): string => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(value), { mode: 0o600 });
  return file;
};
