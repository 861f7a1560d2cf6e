import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { Fault, Refusal } from '@isthmus/kernel';
import { enrol, loadCredentials, readTicket, saveCredentials, type ReadTicket } from '@isthmus/estate-http';
import { ensureHttps } from '../demo/https.js';
import { whenToldToStop } from '../demo/starter.js';
import { Supervised } from '../demo/supervised.js';
import { CREDENTIALS_FOLDER, type MediaNodeConfig, type SiteConfig } from '../part-config.js';

export interface JoinFlags {
  readonly state: string;
  /** Legs that each node takes. */
  readonly capacity: number;
  readonly cert?: string;
  readonly key?: string;
}

interface Joining {
  readonly ticket: ReadTicket['ticket'];
  /** Where the machine keeps everything of this part. */
  readonly folder: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly capacity: number;
}

/** The part's configuration, in its folder; only its owner reads it. */
const CONFIG = 'isthmus.json';

/**
 * `isthmus join`: makes this machine a site, or a node of one, by the token that management printed, and runs it until Ctrl-C.
 * The token is used once; the same command later only starts what is there.
 */
export const joinDeployment = async (text: string, { state, capacity, cert, key }: JoinFlags, main: string): Promise<void> => {
  const read = readTicket(text);
  const { ticket } = read;
  const name = ticket.kind === 'site' ? ticket.site : ticket.node;
  const folder = resolve(state, name);
  makeFolder(folder);
  await enrolOnce(read, join(folder, CREDENTIALS_FOLDER));
  const tls = await certificateFor(ticket, folder, cert, key);
  const file = join(folder, CONFIG);
  if (!existsSync(file)) keep(file, configOf({ ticket, folder, tls, capacity }));
  await run(ticket.kind, name, file, folder, main);
};

/** What has joined runs again, as it did. */
export const runJoined = (name: string, state: string, main: string): Promise<void> => {
  const folder = resolve(state, name);
  const file = join(folder, CONFIG);
  if (!existsSync(file)) {
    throw new Refusal('join.unknown', `Nothing called ${name} has joined from ${resolve(state)}. Name its folder with --state.`);
  }
  const kind = 'node' in (JSON.parse(readFileSync(file, 'utf8')) as object) ? 'node' : 'site';
  return run(kind, name, file, folder, main);
};

const enrolOnce = async (read: ReadTicket, folder: string): Promise<void> => {
  const { ticket } = read;
  if (await loadCredentials(folder)) return;
  if (Date.now() >= ticket.expiresAt) {
    throw new Refusal('ticket.expired', 'This token is too old. Ask management for a new command; compare the clocks if it is not old.');
  }
  const credentials = await enrol({
    url: ticket.management,
    token: ticket.secret,
    site: ticket.site,
    ...(ticket.kind === 'node' ? { node: ticket.node } : {}),
    caFingerprint: ticket.authority,
    vouched: (authority) => {
      if (read.isSignedBy(authority)) return;
      throw new Refusal(
        'ticket.forged',
        'Management has not signed this token as it is here. Copy the command once more, from management itself.',
      );
    },
  });
  await saveCredentials(folder, credentials);
};

/** Clients speak TLS with a certificate that was named, or with one of an authority that is made here; on loopback they need none. */
const certificateFor = async (ticket: Joining['ticket'], folder: string, certFile: string | undefined, keyFile: string | undefined) => {
  const [secure, host] =
    ticket.kind === 'site' ? [ticket.meetUrl.startsWith('https:'), new URL(ticket.meetUrl).hostname] : [ticket.secure, ticket.clientHost];
  if (!secure) return undefined;
  if (certFile !== undefined && keyFile !== undefined) return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
  if (certFile !== undefined || keyFile !== undefined) throw new Refusal('join.half-certificate', '--cert and --key go together.');
  const address = host.replace(/^\[|\]$/g, '');
  if (isIP(address) === 0) {
    throw new Refusal('join.no-certificate', `People reach this machine as ${address}: give its certificate with --cert and --key.`);
  }
  const https = join(folder, 'https');
  makeFolder(https);
  const made = await ensureHttps(https, address);
  process.stderr.write(`Browsers have to trust the authority in ${made.authorityFile} first (SHA-256 ${made.authorityFingerprint}).\n`);
  return { certFile: made.certFile, keyFile: made.keyFile };
};

const configOf = ({ ticket, folder, tls, capacity }: Joining): SiteConfig | MediaNodeConfig => {
  const secure = tls ? { tls } : {};
  if (ticket.kind === 'node') {
    const { node, host, clientHost, port, busUrl: bus } = ticket;
    return {
      site: ticket.site,
      ...{ node, host, clientHost, bus, capacity },
      ...secure,
      credentials: join(folder, CREDENTIALS_FOLDER),
      ports: nodePorts(port),
    };
  }
  const [meet, link] = [new URL(ticket.meetUrl), new URL(ticket.linkUrl)];
  const first = Number(link.port || 443);
  return {
    ...{ site: ticket.site, capacity, stateDir: folder, ...secure },
    name: ticket.siteName,
    host: link.hostname.replace(/^\[|\]$/g, ''),
    clientHost: meet.hostname.replace(/^\[|\]$/g, ''),
    ports: {
      meet: Number(meet.port || (tls ? 443 : 80)),
      brainLink: first,
      registrar: first + 1,
      telemetry: first + 2,
      brainHealth: first + 3,
      bus: first + 4,
      nodes: [nodePorts(first + 9)],
    },
    management: { url: ticket.management, caFingerprint: ticket.authority },
  };
};

/** As the demo has them, from the first one on. */
const nodePorts = (first: number) => ({
  client: first,
  mediaLink: first + 10,
  webRtc: first + 20,
  crossings: { from: first + 30, to: first + 89 },
});

/** Runs the part as a process of its own that is started again when it dies, until somebody says stop. */
const run = async (kind: 'site' | 'node', name: string, file: string, folder: string, main: string): Promise<void> => {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const title = kind === 'site' ? `Site ${name}` : `Node ${name}`;
  const part = new Supervised({
    title,
    args: [kind === 'site' ? 'site' : 'media-node', file],
    main,
    logFile: join(folder, `${name}.log`),
    say,
  });
  const stopped = new Promise<void>((done) => whenToldToStop(done));
  await part.start();
  process.stdout.write(`${title} is part of the deployment. Ctrl-C ends it; isthmus run ${name} starts it again.\n`);
  await stopped;
  say('Stopping …');
  await part.stop();
  if (process.connected) process.disconnect();
};

const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Fault(
      'join.unwritable',
      `Nothing can be kept in ${folder}. Make it writable, or name another folder with --state.`,
      {},
      { cause },
    );
  }
};

const keep = (file: string, value: unknown): void => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
