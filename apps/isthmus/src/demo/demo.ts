import { randomInt } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Fault, Refusal } from '@isthmus/kernel';
import type { NodeId } from '@isthmus/placement';
import type { Supervision } from '@isthmus/protocol';
import { CREDENTIALS_FOLDER, type ManagementConfig, type MediaNodeConfig, type RelayConfig, type SiteConfig } from '../part-config.js';
import { GivenUp } from './given-up.js';
import { ensureHttps, type HttpsFiles } from './https.js';
import { servicesApart } from './services-apart.js';
import { planDemo, relayPlaces, type DemoPlan, type DemoWish, type SitePlan } from './plan.js';
import { StateFolder } from './state-folder.js';
import { Supervised } from './supervised.js';
import { demoTable } from './table.js';

export interface DemoOptions extends DemoWish {
  readonly state: string;
  /** Each media node as a process of its own, instead of all within their site's. */
  readonly nodeProcesses?: boolean;
  /** The program that runs the parts: `isthmus` itself. */
  readonly main: string;
  readonly say: (line: string) => void;
  /** A Kafka broker for each site: its services are then processes of their own, which talk through it. */
  readonly kafka?: readonly string[];
  /** With `kafka`, where each site keeps its facts: `esdb://…`; left out, in files of the state folder. */
  readonly eventstore?: readonly string[];
  /** Aborted, it stops at once, even while it is still starting. */
  readonly signal?: AbortSignal;
}

export interface RunningDemo {
  readonly plan: DemoPlan;
  readonly table: string;
  /** Ends every process; quiet the second time. */
  close(): Promise<void>;
}

/** What runs a part, if not `isthmus` itself, and where it belongs. */
interface PartOptions extends Pick<Supervision, 'site' | 'node'> {
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export const DEMO_ALIAS = 'demo';
const ADMINISTRATOR = 'admin';
const ROOMS = [{ name: 'Demo', description: 'Open to everyone who can reach this machine', aliases: [DEMO_ALIAS] }];
/** Where the first password can be looked up until somebody changes it. */
const PASSWORD_FILE = 'first-password.json';

const managementFacts = z.object({ siteUrl: z.string(), caFingerprint: z.string(), madeFirstAdministrator: z.boolean() });
type ManagementFacts = z.infer<typeof managementFacts>;
const enrolment = z.object({ token: z.string() });

/**
 * Starts a whole deployment on this machine: management, sites, and the relay that all links between the sites go through,
 * each a process of its own, watched and started again if it dies.
 */
export const startDemo = async (options: DemoOptions): Promise<RunningDemo> => {
  const plan = planDemo(options);
  checkEngines(options, plan);
  const state = StateFolder.open(options.state);
  const relaySocket = state.relaySocket;
  const parts: Supervised[] = [];
  let closing: Promise<void> | undefined;
  const givenUp = new GivenUp();
  const part = (title: string, name: string, args: readonly string[], { main = options.main, env = {}, ...at }: PartOptions = {}) => {
    if (closing) throw new Fault('demo.stopped', 'The demo was stopped before it was up.');
    const supervised = new Supervised({
      title,
      args,
      main,
      env,
      logFile: join(state.folder('logs'), `${name}.log`),
      say: options.say,
      onGivenUp: () => givenUp.add({ part: title, ...at }),
      onBack: () => supervised === givenUp.management && givenUp.tell(),
    });
    parts.push(supervised);
    return supervised;
  };
  const close = () =>
    (closing ??= Promise.all(parts.map((each) => each.stop())).then(() => {
      state.withdraw();
      rmSync(relaySocket, { force: true });
    }));
  options.signal?.addEventListener('abort', () => void close());
  try {
    // Said first: whoever starts a second one meanwhile is told.
    state.announce({
      pid: process.pid,
      portalUrl: plan.management.portalUrl,
      relay: relaySocket,
      sites: plan.sites.map(({ id, name, meetUrl }) => ({ id, name, meetUrl })),
    });
    const https = plan.secure ? await ensureHttps(state.folder('https'), plan.management.clientHost) : undefined;
    const password = firstPassword(state);
    const relay = state.keep('relay.json', { places: relayPlaces(plan.sites), controlPath: relaySocket } satisfies RelayConfig);
    const managementFile = state.keep('management.json', managementConfigOf(plan, state, relaySocket, https, password));
    const management = part('management', 'management', ['management', managementFile]);
    givenUp.management = management;
    const startSite = async (site: SitePlan, facts: Pick<ManagementFacts, 'siteUrl' | 'caFingerprint'>, token?: string) => {
      const stateDir = state.folder(join('sites', site.id));
      const config = siteConfigOf(site, plan, options, stateDir, https, { url: facts.siteUrl, caFingerprint: facts.caFingerprint, token });
      const broker = options.kafka?.[plan.sites.indexOf(site)];
      if (broker === undefined) {
        const file = state.keep(join('sites', `${site.id}.json`), config);
        await part(`site ${site.name}`, site.id, ['site', file], { site: site.id }).start();
        return;
      }
      const engines = { kafka: broker, eventstore: options.eventstore?.[plan.sites.indexOf(site)] };
      const services = servicesApart(config, engines, join(options.main, '..', '..', '..'));
      const starts = services.map(({ title, name, main, env }) => part(title, name, [], { main, env, site: site.id }).start());
      const failed = (await Promise.allSettled(starts)).find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
      await untilOpen(site, options.say);
    };
    const startNodes = (site: SitePlan) =>
      nodeConfigsOf(site, plan, options, join(state.folder(join('sites', site.id)), CREDENTIALS_FOLDER), https).map(async (config) => {
        const file = state.keep(join('sites', `${config.node}.json`), config);
        await part(`media node ${config.node}`, config.node, ['media-node', file], { site: site.id, node: config.node }).start();
      });
    // Sites that have their certificate do not need management to start (S3).
    const isEnrolled = (site: SitePlan) => state.has(join('sites', site.id, CREDENTIALS_FOLDER, 'site.crt'));
    const enrolled = plan.sites.filter(isEnrolled);
    const expected = { siteUrl: `https://${plan.management.host}:${plan.management.sitePort}`, caFingerprint: '' };
    const starting = [
      management.start().then((said) => managementFacts.parse(said)),
      part('the relay', 'relay', ['relay', relay]).start(),
      ...enrolled.map((site) => startSite(site, expected)),
      ...enrolled.flatMap(startNodes),
    ] as const;
    // All of them, so that none is still starting while the others are ended again.
    const failed = (await Promise.allSettled(starting)).find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    const facts = await starting[0];
    await Promise.all(
      plan.sites
        .filter((site) => !enrolled.includes(site))
        .map(async (site) => {
          await startSite(site, facts, enrolment.parse(await management.ask('enrolment-token', site.id)).token);
          await Promise.all(startNodes(site));
        }),
    );
    const authority = https && {
      url: `http://${plan.management.clientHost}:${plan.management.authorityPort}/ca.pem`,
      fingerprint: https.authorityFingerprint,
    };
    const table = demoTable({
      plan,
      administrator: ADMINISTRATOR,
      password: facts.madeFirstAdministrator ? password : undefined,
      passwordFile: join(state.path, PASSWORD_FILE),
      statePath: state.path,
      alias: DEMO_ALIAS,
      authority,
    });
    return { plan, table, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const OPEN_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 200;

/**
 * Services that start side by side are up before they know of each other; a site is, for whoever calls, when its door has learned what it
 * needs, and its brain has heard of a media node to seat them on.
 */
const untilOpen = async ({ name, host, meetUrl, ports }: SitePlan, say: (line: string) => void): Promise<void> => {
  const deadline = performance.now() + OPEN_WITHIN_MS;
  for (const of of [meetUrl, `http://${host}:${ports.brainHealth}`])
    for (;;) {
      const answer = await fetch(new URL('/healthz/ready', of)).catch(() => undefined);
      if (answer?.ok) break;
      if (performance.now() > deadline)
        return say(`${name} is up but takes no calls yet: ${(await answer?.text()) ?? `nobody answers at ${of}`}`);
      await sleep(LOOK_AGAIN_MS);
    }
};

const checkEngines = ({ kafka, eventstore, listen, nodeProcesses }: DemoOptions, { sites }: DemoPlan): void => {
  const impossible = (why: string) => new Refusal('demo.impossible', why);
  if (kafka === undefined && eventstore !== undefined) throw impossible('--eventstore is for services apart: give --kafka as well.');
  if (kafka === undefined) return;
  if (eventstore !== undefined && eventstore.length !== sites.length)
    throw impossible(`--eventstore takes one server for each of the ${sites.length} sites; there are ${eventstore.length}.`);
  if (kafka.length !== sites.length)
    throw impossible(`--kafka takes one broker for each of the ${sites.length} sites, with a comma between; there are ${kafka.length}.`);
  if (listen !== undefined) throw impossible('--kafka and --listen do not go together: services apart serve this machine only.');
  if (nodeProcesses) throw impossible('With --kafka, media nodes are processes of their own as it is. Leave --node-processes out.');
};

const managementConfigOf = (
  plan: DemoPlan,
  state: StateFolder,
  relayControl: string,
  https: HttpsFiles | undefined,
  password: string,
): ManagementConfig => {
  const { host, clientHost, portalPort, sitePort, telemetryPort, authorityPort } = plan.management;
  return {
    ...{ host, clientHost, portalPort, sitePort, telemetryPort },
    ...(https ? { tls: tlsOf(https), authority: { file: https.authorityFile, port: authorityPort } } : {}),
    stateDir: state.folder('management'),
    ...(plan.sites.length > 1 ? { relayControl } : {}),
    firstAdministrator: { name: ADMINISTRATOR, password },
    sites: plan.sites.map(({ id, name, meetUrl, linkUrl }) => ({ id, name, meetUrl, linkUrl })),
    rooms: ROOMS,
  };
};

const siteConfigOf = (
  { id, name, host, clientHost, ports }: SitePlan,
  plan: DemoPlan,
  { capacity, nodeProcesses }: Pick<DemoOptions, 'capacity' | 'nodeProcesses'>,
  stateDir: string,
  https: HttpsFiles | undefined,
  { token, ...management }: { url: string; caFingerprint: string; token: string | undefined },
): SiteConfig => ({
  ...{ site: id, name, host, clientHost, capacity, stateDir },
  ports: nodeProcesses ? { ...ports, nodes: [] } : ports,
  ...(https ? { tls: tlsOf(https) } : {}),
  management: { ...management, ...(token === undefined ? {} : { token }) },
  ...(plan.sites.length > 1 ? { relay: relayPlaces(plan.sites) } : {}),
});

const nodeConfigsOf = (
  { id, host, clientHost, ports }: SitePlan,
  plan: DemoPlan,
  { capacity, nodeProcesses }: Pick<DemoOptions, 'capacity' | 'nodeProcesses'>,
  credentials: string,
  https: HttpsFiles | undefined,
): readonly MediaNodeConfig[] => {
  if (!nodeProcesses) return [];
  return ports.nodes.map((each, at) => ({
    ...{ site: id, node: `${id}-${at + 1}` as NodeId, host, clientHost, capacity, credentials },
    ports: each,
    bus: `wss://${host}:${ports.bus}`,
    ...(https ? { tls: tlsOf(https) } : {}),
    ...(plan.sites.length > 1 ? { relay: relayPlaces(plan.sites) } : {}),
  }));
};

const tlsOf = ({ certFile, keyFile }: HttpsFiles) => ({ certFile, keyFile });

/** Made once and kept: whoever loses the first table still gets in. Nobody can use it once it has been changed. */
const firstPassword = (state: StateFolder): string => {
  const shape = z.object({ administrator: z.string(), password: z.string() });
  const file = join(state.path, PASSWORD_FILE);
  if (state.has(PASSWORD_FILE)) {
    const kept = shape.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (kept.success) return kept.data.password;
  }
  // Without letters and digits that look alike.
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const word = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('');
  const password = [word(), word(), word(), word()].join('-');
  state.keep(PASSWORD_FILE, { administrator: ADMINISTRATOR, password });
  return password;
};
