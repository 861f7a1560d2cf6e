import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { Fault, Refusal, type Fact, type Head, type SiteId } from '@isthmus/kernel';
import { certificateSignatures, identityOf } from '@isthmus/peers-http';
import { textOfHead, type Bus, type Clock, type Signatures } from '@isthmus/ports';
import { common, telemetryBatch, TOPICS, type EstateWord } from '@isthmus/protocol';
import { logOf, parseStrictJson, problemOf } from '@isthmus/service-kit';
import type { OpenAuthority } from './authority.js';
import { Lockout } from './lockout.js';
import type { SiteBook } from './site-book.js';
import { statusOf } from './statuses.js';
import type { EstateKeeper } from './tokens.js';

export interface SiteDoor {
  /** `https://127.0.0.10:7001` */
  readonly url: string;
  close(): Promise<void>;
}

export interface SiteDoorOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly authority: OpenAuthority;
  readonly estate: EstateKeeper;
  readonly sites: SiteBook;
  readonly bus: Bus;
  readonly clock: Clock;
}

/** Longest that a question for news is held open; most facts in one answer. */
const WAIT_MS_MAX = 20_000;
const FACTS_MAX = 500;
const ENROLMENT_BYTES_MAX = 16 * 1024;
const REPORT_BYTES_MAX = 1024 * 1024;
const CONNECTIONS_MAX = 1_000;

const news = z.object({
  after: z.coerce.number().int().min(0),
  applied: z.coerce.number().int().min(0),
  wait: z.coerce.number().int().min(0).max(WAIT_MS_MAX).default(0),
  /** Hash of the last of those; an earlier version does not say it. */
  last: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
const enrolment = z.strictObject({
  token: z.string().min(1).max(128),
  site: common.siteId,
  node: common.nodeId.optional(),
  request: z.string().min(1).max(8192),
});

const refuse = (code: string, status: number, message: string) => new Refusal(code, message, { status });

/**
 * Management's door for sites, apart from the one for administrators: TLS with a certificate of our own authority on both
 * ends. A machine that has none yet may only enrol. Whoever comes says nothing about who they are: their certificate does.
 */
export const openSiteDoor = async (options: SiteDoorOptions): Promise<SiteDoor> => {
  const { listen, authority } = options;
  const { certificate, key } = await authority.ownCredentials();
  const server = createServer({
    cert: `${certificate.trimEnd()}\n${authority.certificate}`,
    key,
    ca: authority.certificate,
    // Asked for but not demanded by TLS itself: enrolment has none. Everything else checks `authorized`.
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    requestTimeout: 10_000,
    headersTimeout: 5_000,
    keepAliveTimeout: 60_000,
  });
  server.maxConnections = CONNECTIONS_MAX;
  const signatures = certificateSignatures(() => ({ certificate, key, authority: authority.certificate }));
  const closing = new AbortController();
  const wrongTokens = new Lockout(options.clock, 10);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => undefined);
    handle(request, { ...options, signatures }, wrongTokens, closing.signal).then(
      (answer) => reply(response, answer === undefined ? 204 : 200, answer),
      (error: unknown) => {
        const problem = problemOf(withStatus(error));
        if (problem.status >= 500) logOf('provisioning').error({ error }, 'the door for sites failed');
        reply(response, problem.status, problem, 'application/problem+json');
      },
    );
  });
  const port = await listening(server, listen);
  let closed: Promise<void> | undefined;
  return {
    url: `https://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    close: () => (closed ??= closeGently(server, closing)),
  };
};

/** Answers to questions that were held open leave at once; whoever does not take them is not waited for. */
const closeGently = async (server: Server, closing: AbortController): Promise<void> => {
  closing.abort();
  const forced = setTimeout(() => server.closeAllConnections(), 200);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(forced);
};

/** What the door needs, with management's own key to sign by. */
type Door = SiteDoorOptions & { readonly signatures: Signatures };

const handle = async (request: IncomingMessage, options: Door, wrongTokens: Lockout, closing: AbortSignal): Promise<unknown> => {
  const url = new URL(request.url ?? '/', 'https://door');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /estate/v1/facts':
      return tellNews(siteBehind(request, options.sites), Object.fromEntries(url.searchParams), request, options, closing);
    case 'POST /reports/v1':
      return takeReport(siteBehind(request, options.sites), await bodyOf(request, REPORT_BYTES_MAX), options);
    case 'POST /enrolments/v1':
      return enrol(await bodyOf(request, ENROLMENT_BYTES_MAX), request.socket.remoteAddress ?? 'unknown', options, wrongTokens);
    default:
      throw refuse('http.not-found', 404, 'There is nothing here for a site.');
  }
};

/** Facts after the first `after` ones: at once if there are any, else when there are, else after `wait` ms none. */
const tellNews = async (
  site: SiteId,
  query: unknown,
  request: IncomingMessage,
  { estate, sites, signatures }: Door,
  closing: AbortSignal,
): Promise<unknown> => {
  const { after, applied, wait, last } = parsed(news, query);
  sites.heard(site, applied);
  if (after > estate.facts.length || (after > 0 && last !== undefined && estate.facts[after - 1]!.hash !== last)) {
    await declareRestored(estate, site);
    throw refuse(
      'estate.ahead',
      409,
      `Site ${site} holds facts of the estate that management does not have (${after}, ${estate.facts.length}): management was restored from a backup. It is to take all that management has.`,
    );
  }
  if (after === estate.facts.length && wait > 0) await somethingNew(estate, wait, request, closing);
  const facts = estate.facts.slice(after, after + FACTS_MAX);
  return { facts, revision: estate.facts.length, ...(facts.length === 0 ? {} : { word: wordOn(facts, signatures) }) };
};

/** What management has is in force from now on, and what it has lost is not: its next fact says so, whatever that is (ADR 0054). */
const declareRestored = async (estate: EstateKeeper, site: SiteId): Promise<void> => {
  const facts = await estate.act('system', () => ({ type: 'DeclareRestored', generation: estate.epoch }));
  if (facts.length > 0)
    logOf('provisioning').warn({ site }, 'a site holds what management has lost: management was restored from a backup');
};

/**
 * Management's word on how far each of its streams goes in these facts. Each fact names the one before it, so a site may pass
 * them on to one that has lost management, which need not believe the site (merge rule 16).
 */
const wordOn = (facts: readonly Fact[], signatures: Signatures): EstateWord => {
  const last = new Map(facts.map(({ stream, seq, hash }): [string, Head] => [stream, { stream, seq, hash }]));
  const heads = [...last.values()].map((head) => ({ ...head, ...signatures.sign(textOfHead(head)) }));
  const certificate = heads[0]?.certificate ?? '';
  return { certificate, heads: heads.map(({ certificate: _, ...head }) => head) };
};

const somethingNew = (estate: EstateKeeper, waitMs: number, request: IncomingMessage, closing: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      request.socket.off('close', done);
      closing.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    const stop = estate.listen(done);
    request.socket.once('close', done);
    closing.addEventListener('abort', done, { once: true });
  });

/** Takes what a site's telemetry says, of that site only, to telemetry here. */
const takeReport = async (site: SiteId, body: unknown, { bus, sites }: SiteDoorOptions): Promise<void> => {
  const batch = parsed(telemetryBatch, body);
  const speaksFor = new Set([batch.site, batch.report?.site ?? batch.site, ...batch.nodes.map((node) => node.site)]);
  if (speaksFor.size !== 1 || !speaksFor.has(site)) {
    throw refuse('site.not-its-own', 403, `The certificate is site ${site}'s; it reports for nobody else.`);
  }
  if (batch.report) sites.heard(site, batch.report.estateRevision);
  await bus.publish({ topic: TOPICS.batches, key: site, value: batch });
};

const enrol = async (body: unknown, address: string, { authority, sites }: SiteDoorOptions, wrongTokens: Lockout): Promise<unknown> => {
  const seconds = wrongTokens.blockedForSeconds(address);
  if (seconds > 0) throw refuse('session.locked', 429, `Too many wrong tokens. Try again in ${seconds} s.`);
  const { token, site, node, request } = parsed(enrolment, body);
  wrongTokens.charge(address);
  // Signed first: a request that we cannot sign must not use up the token. Nothing leaves before the token is redeemed.
  const certificate = await authority
    .sign(request, node === undefined ? { kind: 'site', site } : { kind: 'node', site, node })
    .catch((error: unknown) => {
      throw error instanceof Refusal ? refuse(error.code as string, 400, error.message) : error;
    });
  await sites.redeem(token, site, node);
  wrongTokens.forgive(address);
  logOf('provisioning').info({ site, node, address }, 'a machine enrolled');
  return { certificate, authority: authority.certificate };
};

/** The site whose certificate the caller has shown. */
const siteBehind = (request: IncomingMessage, sites: SiteBook): SiteId => {
  const socket = request.socket as TLSSocket;
  const peer = socket.getPeerCertificate();
  const identity = socket.authorized && peer.raw ? identityOf(peer.raw) : undefined;
  if (identity?.kind !== 'site')
    throw refuse('site.certificate-refused', 403, 'Only a site with a certificate of this management may ask. Enrol first.');
  if (!sites.isKnown(identity.site))
    throw refuse('site.removed', 403, `There is no site ${identity.site} any more: an administrator removed it.`);
  return identity.site;
};

const bodyOf = async (request: IncomingMessage, bytesMax: number): Promise<unknown> => {
  const text = await new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) return void chunks.push(chunk);
      // Not destroyed: the refusal has to go out on the same socket first.
      request.pause();
      reject(refuse('http.too-large', 413, `A body here has at most ${bytesMax} bytes.`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('close', () => reject(refuse('request.invalid', 400, 'The request ended early.')));
  });
  try {
    return parseStrictJson(text);
  } catch (cause) {
    throw cause instanceof Refusal ? refuse(cause.code as string, 400, cause.message) : cause;
  }
};

const parsed = <T>(schema: z.ZodType<T>, value: unknown): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new Refusal('request.invalid', 'The request does not fit. `errors` says which fields and why.', { status: 400, errors });
};

const withStatus = (error: unknown): unknown =>
  error instanceof Refusal
    ? new Refusal(error.code as string, error.message, { status: statusOf(error.code as string), ...error.details })
    : error;

const reply = (response: ServerResponse, status: number, body: unknown, type = 'application/json'): void => {
  if (response.headersSent || response.destroyed) return;
  // What was not read of a body that is too large is not waited for either.
  if (status === 413) response.setHeader('connection', 'close').once('finish', () => response.socket?.destroy());
  response.writeHead(status, { ...(body === undefined ? {} : { 'content-type': type }), 'cache-control': 'no-store' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
};

const listening = (server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE' ? 'something else has that port. Stop it, or choose another port.' : `${cause.code ?? cause.message}.`;
      reject(new Fault('service.port-taken', `The door for sites cannot listen on ${host}:${port}: ${why}`, { host, port }, { cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
