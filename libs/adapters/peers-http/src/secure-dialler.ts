import { connect as connectTls, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { Credentials } from './certificates.js';
import { identityOf, uriOf, type Identity } from './identity.js';
import { LIMITS, secureLink, type LinkLimits, type SecureLink } from './secure-link.js';
import { REASON_HEADER, tlsOptions, certificateReason } from './secure-server.js';

export interface DialOptions {
  /** `wss://127.0.0.12:7201` */
  readonly url: string;
  /** Asked at each attempt, so that they can rotate. */
  readonly credentials: () => Credentials;
  /** Whether this is whom we meant to reach. Asked of the certificate, whatever its address. */
  readonly expect: (identity: Identity) => boolean;
  /** Where to find a host; the demo's links go through a relay. Default: the host itself. */
  readonly translate?: (host: string) => string;
  /** Each time the link is up. */
  readonly onLink: (link: SecureLink) => void;
  /** Each time an attempt failed or the link was lost; the next attempt follows by itself. */
  readonly onDown?: (reason: string) => void;
  readonly limits?: LinkLimits;
}

export interface Dialled {
  /** The link while it is up. */
  readonly link: SecureLink | undefined;
  /** Ends the link and all attempts. Quiet the second time. */
  close(): void;
}

const HANDSHAKE_MS = 3_000;
/**
 * While nobody answers, another attempt begins beside those under way this often: the way may be there again at any moment,
 * and a greeting that was lost (SYN, RFC 9293 §3.8.1) is said again by the system after a second, then two, then four.
 */
const BESIDE_MS = 750;
const NO_ANSWER = `no answer for ${HANDSHAKE_MS / 1_000} s`;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** A link that lived so long was a good one: the next attempt comes soon. */
const PROVEN_MS = 2_000;

/**
 * Keeps one link to somebody up: dials, checks who answers, and dials again whenever it is lost. Whoever refuses is asked again
 * later each time (100 ms to 2 s, with jitter); whoever is silent is asked on and on, for nobody says when a way is mended.
 */
export const dial = (options: DialOptions): Dialled => {
  const { onLink, onDown = () => undefined } = options;
  /** Connections that are being made; the first that stands is the link. */
  const attempts = new Set<WebSocket>();
  let link: SecureLink | undefined;
  let waitMs = FIRST_WAIT_MS;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const connectIn = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(connect, ms);
  };
  const again = (reason: string) => {
    if (closed) return;
    onDown(reason);
    connectIn(waitMs * (0.5 + Math.random() / 2));
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
  };
  const giveUp = (others: Set<WebSocket>) => {
    for (const socket of [...others]) {
      others.delete(socket);
      socket.terminate();
    }
  };

  const connect = () => {
    let opened: ReturnType<typeof openSocket>;
    try {
      opened = openSocket(options);
    } catch (error) {
      return again(error instanceof Error ? error.message : String(error));
    }
    const { socket, stream } = opened;
    attempts.add(socket);
    connectIn(BESIDE_MS);
    let failure: string | undefined;
    const failed = (error: Error & { code?: string }) => (failure ??= reasonOf(error));
    // `handshakeTimeout` of the WebSocket begins only when TLS stands, which over a cut link is never.
    const late = setTimeout(() => {
      failure ??= NO_ANSWER;
      socket.terminate();
    }, HANDSHAKE_MS);
    socket.on('unexpected-response', (request, response) => {
      const said = response.headers[REASON_HEADER];
      failure = `refused by the other end: ${typeof said === 'string' ? decoded(said) : `HTTP ${response.statusCode}`}`;
      response.resume();
      request.destroy();
      socket.terminate();
    });
    socket.on('error', failed);
    const ended = () => {
      clearTimeout(late);
      // Another attempt stands, or all were given up.
      if (!attempts.delete(socket)) return;
      if (failure === NO_ANSWER) onDown(failure);
      else again(failure ?? 'connection lost');
    };
    socket.on('close', ended);
    socket.on('open', () => {
      const identity = identityOf(stream.getPeerX509Certificate()?.raw ?? '');
      if (!identity || !attempts.delete(socket)) return socket.terminate();
      clearTimeout(timer);
      clearTimeout(late);
      giveUp(attempts);
      socket.off('error', failed);
      const upSince = performance.now();
      const standing = (link = secureLink(socket, stream, identity, { ...LIMITS, ...options.limits }));
      standing.onClose((reason) => {
        link = undefined;
        if (performance.now() - upSince >= PROVEN_MS) waitMs = FIRST_WAIT_MS;
        again(reason);
      });
      onLink(standing);
    });
  };
  connect();

  return {
    get link() {
      return link;
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      link?.close('closed');
      giveUp(attempts);
    },
  };
};

/** The TLS connection, and the WebSocket that will speak over it. */
const openSocket = ({
  url,
  credentials,
  expect,
  translate = (host) => host,
  limits = {},
}: DialOptions): { socket: WebSocket; stream: TLSSocket } => {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'wss:') throw new Error(`${url} is no address of a link: it must begin with wss://`);
  const stream = connectTls({
    ...tlsOptions(credentials()),
    host: translate(hostname.replace(/^\[(.*)\]$/, '$1')),
    port: Number(port || 443),
    servername: '',
    // By name, not by address (ADR 0005). TLS itself has checked the chain before it asks this.
    checkServerIdentity: (_host, certificate) => {
      const identity = identityOf(certificate.raw);
      if (identity && expect(identity)) return undefined;
      return new Error(identity ? `certificate of somebody else: ${uriOf(identity)}` : 'certificate names nobody');
    },
  });
  const socket = new WebSocket(url, {
    createConnection: () => stream,
    maxPayload: limits.messageBytes ?? LIMITS.messageBytes,
    perMessageDeflate: false,
  });
  return { socket, stream };
};

const decoded = (said: string): string => {
  try {
    return decodeURIComponent(said).slice(0, 200);
  } catch {
    return 'no reason given';
  }
};

const reasonOf = (error: Error & { code?: string }): string => {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return 'no way there';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connection lost';
    default:
  }
  return isAboutCertificate(error.code) ? certificateReason(error.code) : error.message;
};

const isAboutCertificate = (code: string | undefined): code is string =>
  code !== undefined && /CERT|SIGNATURE/.test(code) && !code.startsWith('ERR_');
