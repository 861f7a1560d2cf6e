import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { Fault } from '@isthmus/kernel';
import type { Credentials } from './certificates.js';
import { identityOf, uriOf, type Identity } from './identity.js';
import { LIMITS, secureLink, type LinkLimits, type SecureLink } from './secure-link.js';

/** Somebody who was turned away at the door, for a log line. */
export interface TurnedAway {
  /** Address and port it came from. */
  readonly from: string;
  readonly reason: string;
}

export interface SecureServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Asked for each connection, so that they can rotate. */
  readonly credentials: () => Credentials;
  /** Why this one may not come in, or undefined if it may. Its certificate is valid and names it. */
  readonly accept: (identity: Identity) => string | undefined;
  readonly onLink: (link: SecureLink) => void;
  /** Default: one line on stderr. */
  readonly onTurnedAway?: (who: TurnedAway) => void;
  readonly limits?: LinkLimits;
}

export interface SecureServer {
  readonly port: number;
  /** Ends all links. Quiet the second time. */
  close(): Promise<void>;
}

/** Tells a dialler why it may not come in; {@link dial} reads it. */
export const REASON_HEADER = 'x-isthmus-reason';
const CONNECTIONS_MAX = 512;
const HANDSHAKE_MS = 5_000;
const REPEAT_MS = 10_000;

/** TLS options that both ends share: TLS 1.3, a certificate of our authority demanded. */
export const tlsOptions = ({ certificate, key, authority }: Credentials) => ({
  cert: certificate,
  key,
  ca: authority,
  minVersion: 'TLSv1.3' as const,
});

/** What is wrong with a certificate, by OpenSSL's code (x509_verify_cert_error_string(3)), in words. */
export const certificateReason = (code: string): string => {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'certificate expired';
    case 'CERT_NOT_YET_VALID':
      return 'certificate not valid yet: compare the clocks';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
      return 'certificate of another authority';
    default:
      return `certificate refused (${code})`;
  }
};

const onStderr = ({ from, reason }: TurnedAway) => console.error(`link: ${from} turned away: ${reason}`);

/** Whoever knocks again and again for the same reason is worth one line every ten seconds, not a full disk. */
const sparingly = (tell: (who: TurnedAway) => void): ((who: TurnedAway) => void) => {
  const told = new Map<string, number>();
  return (who) => {
    const key = `${who.from.replace(/:\d+$/, '')} ${who.reason}`;
    const now = performance.now();
    if (now - (told.get(key) ?? -Infinity) < REPEAT_MS) return;
    if (told.size >= 1_000) told.clear();
    told.set(key, now);
    tell(who);
  };
};

/**
 * Listens for mutually authenticated links: WebSocket over TLS 1.3, both ends certified by the deployment's own authority.
 * @throws Fault `link.port-taken` | `link.cannot-listen`
 */
export const secureServer = async (options: SecureServerOptions): Promise<SecureServer> => {
  const { host, port, credentials, accept, onLink } = options;
  const onTurnedAway = sparingly(options.onTurnedAway ?? onStderr);
  const limits = { ...LIMITS, ...options.limits };
  let current = credentials();
  // Node drops a connection with a bad certificate without a word; so TLS lets it in, and the upgrade refuses it with the reason.
  const https = createServer({ ...tlsOptions(current), requestCert: true, rejectUnauthorized: false, handshakeTimeout: HANDSHAKE_MS });
  https.maxConnections = CONNECTIONS_MAX;
  https.headersTimeout = HANDSHAKE_MS;
  https.requestTimeout = HANDSHAKE_MS;
  // Before TLS sees the connection: new credentials count from the next connection on.
  https.prependListener('connection', () => {
    const fresh = credentials();
    if (fresh.certificate === current.certificate && fresh.authority === current.authority) return;
    https.setSecureContext(tlsOptions(fresh));
    current = fresh;
  });
  https.on('tlsClientError', (error, socket) =>
    onTurnedAway({ from: addressOf(socket), reason: `no TLS 1.3 handshake (${error.message})` }),
  );
  // Who has shown a certificate, or none, and then says nothing.
  const silent = new Map<Duplex, NodeJS.Timeout>();
  https.on('secureConnection', (stream) => {
    silent.set(
      stream,
      setTimeout(() => stream.destroy(), HANDSHAKE_MS),
    );
    stream.once('close', () => heard(stream));
  });
  const heard = (stream: Duplex) => {
    clearTimeout(silent.get(stream));
    silent.delete(stream);
  };
  https.on('request', (_request, response) => response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end());

  const websockets = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, perMessageDeflate: false });
  const links = new Set<SecureLink>();
  https.on('upgrade', (request, duplex, head) => {
    const stream = duplex as TLSSocket;
    heard(stream);
    stream.on('error', () => stream.destroy());
    const certified = certifiedBy(stream);
    const identity = 'identity' in certified ? certified.identity : undefined;
    const reason = 'identity' in certified ? accept(certified.identity) : certified.reason;
    if (!identity || reason !== undefined) {
      onTurnedAway({ from: addressOf(stream), reason: `${reason}${identity ? ` (${uriOf(identity)})` : ''}` });
      stream.end(
        `HTTP/1.1 403 Forbidden\r\nconnection: close\r\n${REASON_HEADER}: ${encodeURIComponent(reason ?? '')}\r\ncontent-length: 0\r\n\r\n`,
      );
      return;
    }
    websockets.handleUpgrade(request, stream, head, (socket) => {
      const link = secureLink(socket, stream, identity, limits);
      links.add(link);
      link.onClose(() => links.delete(link));
      onLink(link);
    });
  });

  await new Promise<void>((resolve, reject) => {
    https.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    https.listen(port, host, resolve);
  });
  https.removeAllListeners('error');
  https.on('error', (error) => onTurnedAway({ from: `${host}:${port}`, reason: error.message }));

  let closing: Promise<void> | undefined;
  const close = async () => {
    const ended = new Promise<void>((resolve) => https.close(() => resolve()));
    for (const link of links) link.close('the other end shuts down');
    const forced = setTimeout(() => https.closeAllConnections(), 300);
    https.closeIdleConnections();
    await ended;
    clearTimeout(forced);
  };
  return { port: (https.address() as AddressInfo).port, close: () => (closing ??= close()) };
};

/** Whom the certificate of a connection names, if it is of our authority and valid now; else what is wrong with it. */
const certifiedBy = (stream: TLSSocket): { readonly identity: Identity } | { readonly reason: string } => {
  const certificate = stream.getPeerX509Certificate();
  if (!certificate) return { reason: 'no certificate' };
  if (!stream.authorized) return { reason: certificateReason(String(stream.authorizationError)) };
  const identity = identityOf(certificate.raw);
  return identity ? { identity } : { reason: 'certificate names nobody' };
};

const addressOf = (socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }) =>
  `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? '?'}`;

const cannotListen = (cause: NodeJS.ErrnoException, host: string, port: number): Fault =>
  cause.code === 'EADDRINUSE'
    ? new Fault(
        'link.port-taken',
        `${host}:${port} is taken. Stop what listens there, or choose another port for the link.`,
        { host, port },
        { cause },
      )
    : new Fault('link.cannot-listen', `Cannot listen on ${host}:${port} for links: ${cause.message}.`, { host, port }, { cause });
