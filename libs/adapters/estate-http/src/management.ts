import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { Fault, Refusal } from '@isthmus/kernel';
import { identityOf, type Credentials } from '@isthmus/peers-http';

export interface Asking {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** Without a whole answer by then, it has failed. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** One site's line to management: TLS with certificates of the same authority on both ends, one connection kept open. */
export interface Management {
  /**
   * The answer's JSON; undefined if it has none.
   * @throws Refusal with management's own code; Fault `management.unreachable` | `management.untrusted` | `management.malformed`.
   */
  ask(asking: Asking): Promise<unknown>;
  close(): void;
}

/** Largest answer taken, bytes. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** `credentials` are asked for with each connection, so that they can rotate. Without a certificate, one may only enrol. */
export const managementAt = (url: string, credentials: () => Pick<Credentials, 'authority'> & Partial<Credentials>): Management => {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 4,
    timeout: 60_000,
    // Identity, not address: management may move. Node calls this only after the chain has been found good. Here and not with each
    // question: Node keeps no connection that one question's own check has let pass.
    checkServerIdentity: (_host, peer) =>
      identityOf(peer.raw)?.kind === 'management' ? undefined : new Error('its certificate is not management’s'),
  });
  return {
    ask: (asking) => ask(agent, url, credentials(), asking),
    close: () => agent.destroy(),
  };
};

const ask = (
  agent: Agent,
  url: string,
  { authority, certificate, key }: ReturnType<Parameters<typeof managementAt>[1]>,
  asking: Asking,
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const { method, path, body, deadlineMs, signal } = asking;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = httpsRequest(new URL(path, url), {
      agent,
      method,
      ca: authority,
      cert: certificate,
      key,
      minVersion: 'TLSv1.3',
      signal: AbortSignal.any([AbortSignal.timeout(deadlineMs), ...(signal ? [signal] : [])]),
      ...(text === undefined ? {} : { headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } }),
    });
    request.once('error', (cause) => reject(faultOf(cause, url)));
    request.once('response', (response) => {
      answerOf(response).then(resolve, (error: unknown) =>
        reject(error instanceof Refusal || error instanceof Fault ? error : faultOf(error, url)),
      );
    });
    request.end(text);
  });

const answerOf = async (response: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw malformed(`more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  const status = response.statusCode ?? 0;
  const answer = bytes === 0 ? undefined : jsonOf(Buffer.concat(chunks).toString('utf8'));
  if (status >= 200 && status < 300) return answer;
  const { code, detail } = (answer ?? {}) as { code?: unknown; detail?: unknown };
  if (status >= 500 || typeof code !== 'string')
    throw new Fault('management.unreachable', `Management answers ${status}. Its log says why.`, { status });
  throw new Refusal(code, typeof detail === 'string' ? detail : `Management refuses with ${status}.`, { status });
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed('no JSON', cause);
  }
};

export const malformed = (what: string, cause?: unknown): Fault =>
  new Fault('management.malformed', `Management's answer does not fit: ${what}.`, {}, { cause });

/** OpenSSL's and Node's names for a peer that is somebody else. */
const UNTRUSTED = /CERT|SELF_SIGNED|ISSUER|UNABLE_TO|ALTNAME|not management/;

const faultOf = (cause: unknown, url: string): Fault => {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  if (UNTRUSTED.test(code) || UNTRUSTED.test(message)) {
    return new Fault(
      'management.untrusted',
      `Whoever answers at ${url} is not this deployment's management (${code || message}).`,
      { url },
      { cause },
    );
  }
  return new Fault(
    'management.unreachable',
    `Management cannot be reached at ${url} (${code || message}). The site goes on with what it has.`,
    { url },
    { cause },
  );
};
