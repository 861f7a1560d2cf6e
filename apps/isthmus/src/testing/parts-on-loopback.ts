import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@isthmus/gateway-router/testing';
import type { LegId } from '@isthmus/conference';
import type { GatewayToClient } from '@isthmus/protocol';
import { planDemo, type DemoPlan, type SitePlan } from '../demo/plan.js';
import type { ManagementConfig, SiteConfig } from '../part-config.js';
import { digestsAt } from './digests.js';
import type { Machine } from './namespaces.js';
import { PortalClient } from './portal-client.js';
import { MAIN, Part } from './world-part.js';
import type { CommandOutcome, RoomDigest } from './world-of-sites.js';

const FIRST_PASSWORD = 'three-plain-words-and-4';
export const PASSWORD = 'four-plain-words-and-a-5';

/** Somebody in a meeting by signalling alone, and the word by which they get their seat back. */
export interface Attending {
  readonly client: Client;
  readonly leg: LegId;
  readonly resume: string;
}

const hereAt = (name: string, address: string): Machine => ({
  name,
  address,
  spawn: (program, args, options) => spawn(program, args, options),
});

/**
 * Management and sites as processes of the built product, each at a loopback address of its own, which can be killed, backed up,
 * restored and started again one by one. Nothing watches them.
 */
export class PartsOnLoopback {
  private readonly parts = new Map<string, Part>();
  private readonly clients: Client[] = [];
  private connects = 0;
  readonly portal: PortalClient;

  private constructor(
    readonly plan: DemoPlan,
    readonly state: string,
  ) {
    this.portal = new PortalClient(plan.management.portalUrl);
  }

  /** @param port the first of 100 for management and 100 for each site */
  static async start(port: number, sites: number): Promise<PartsOnLoopback> {
    const plan = planDemo({ sites, nodesPerSite: 1, capacity: 20, basePort: port, listen: undefined });
    const world = new PartsOnLoopback(plan, mkdtempSync(join(tmpdir(), 'isthmus-parts-')));
    try {
      const { siteUrl, caFingerprint } = (await world.start('management', managementConfigOf(plan, world.stateOf('management')))) as {
        siteUrl: string;
        caFingerprint: string;
      };
      await world.portal.firstSignIn('admin', FIRST_PASSWORD, PASSWORD);
      const begin = async (site: SitePlan) => {
        const { token } = await world.part('management').ask<{ token: string }>('enrolment-token', site.id);
        await world.start(site.id, siteConfigOf(site, world.stateOf(site.id), { url: siteUrl, caFingerprint, token }));
      };
      await Promise.all(plan.sites.map(begin));
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** After management was started anew. */
  async signIn(): Promise<void> {
    await this.portal.ask('POST', '/v1/sessions', { name: 'admin', password: PASSWORD });
  }

  part(name: string): Part {
    const part = this.parts.get(name);
    if (part === undefined) throw new Error(`there is no ${name}`);
    return part;
  }

  stateOf(name: string): string {
    return join(this.state, name);
  }

  /** What somebody types: the built product's command line. */
  async isthmus(...args: readonly string[]): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      const env = { ...process.env, ISTHMUS_PASSWORD: PASSWORD };
      execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
      );
    });
  }

  /** The same, where anything but success is a failure. */
  async does(...args: readonly string[]): Promise<void> {
    const { status, stderr } = await this.isthmus(...args);
    if (status !== 0) throw new Error(`isthmus ${args.join(' ')} ended with ${status}: ${stderr}`);
  }

  /** Joins by signalling; `resume` asks for the seat that somebody had. */
  async join(site: string, alias: string, name: string, resume?: string): Promise<Attending> {
    const { client, answer } = await this.knock(site, alias, name, resume);
    if (answer.type !== 'joined') throw new Error(`${name} did not get in at ${site}: ${JSON.stringify(answer)}`);
    return { client, leg: answer.leg, resume: answer.resume };
  }

  /** Asks to join, and says what came of it. */
  async knock(site: string, alias: string, name: string, resume?: string): Promise<{ client: Client; answer: GatewayToClient }> {
    const { meetUrl } = this.sitePlan(site);
    const client = new Client(`${meetUrl.replace('http', 'ws')}/ws`);
    this.clients.push(client);
    await client.opened;
    const connect = (this.connects += 1);
    const wish = { name, client: `client-of-${name}`, connect, ...(resume ? { resume } : {}) };
    return { client, answer: await client.answer(client.join(alias, wish)) };
  }

  /** What a site has folded of every room with people in it, as its own diagnostics say it. */
  digests(site: string): Promise<readonly RoomDigest[]> {
    return digestsAt(this.sitePlan(site));
  }

  async close(): Promise<void> {
    for (const { ws } of this.clients) ws.terminate();
    await Promise.all([...this.parts.values()].map((part) => part.stop()));
    rmSync(this.state, { recursive: true, force: true });
  }

  private sitePlan(id: string): SitePlan {
    return this.plan.sites.find((site) => site.id === id)!;
  }

  private async start(name: string, config: ManagementConfig | SiteConfig): Promise<Readonly<Record<string, unknown>>> {
    const file = join(this.state, `${name}.json`);
    mkdirSync(this.stateOf(name), { recursive: true });
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    const kind = name === 'management' ? 'management' : 'site';
    const part = new Part(hereAt(name, config.host), [kind, file], join(this.state, `${name}.log`));
    this.parts.set(name, part);
    return part.start();
  }
}

const managementConfigOf = ({ management, sites }: DemoPlan, stateDir: string): ManagementConfig => ({
  host: management.host,
  sitePort: management.sitePort,
  clientHost: management.clientHost,
  portalPort: management.portalPort,
  telemetryPort: management.telemetryPort,
  stateDir,
  firstAdministrator: { name: 'admin', password: FIRST_PASSWORD },
  sites: sites.map(({ id, name, meetUrl, linkUrl }) => ({ id, name, meetUrl, linkUrl })),
  rooms: [],
});

const siteConfigOf = (
  { id, name, host, clientHost, ports }: SitePlan,
  stateDir: string,
  management: SiteConfig['management'],
): SiteConfig => ({ site: id, name, host, clientHost, ports, capacity: 20, stateDir, management });
