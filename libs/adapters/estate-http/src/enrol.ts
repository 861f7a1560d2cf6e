import { X509Certificate, createPrivateKey } from 'node:crypto';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { z } from 'zod';
import { Fault, type SiteId } from '@isthmus/kernel';
import { createRequest, identityOf, uriOf, type Credentials, type Identity } from '@isthmus/peers-http';
import { malformed, managementAt } from './management.js';

export interface EnrolOptions {
  /** Management's door for sites: `https://127.0.0.10:7001`. */
  readonly url: string;
  /** Good once. */
  readonly token: string;
  readonly site: SiteId;
  /** To become one of the site's nodes instead of the site itself. */
  readonly node?: string;
  /** SHA-256 of management's authority in hex, as management shows it with the token. Without it, whoever answers is believed. */
  readonly caFingerprint?: string | undefined;
  /** Looks at the authority (PEM) before the token is shown to whoever holds it; throws to stop there. */
  readonly vouched?: (authority: string) => void;
}

const DEADLINE_MS = 10_000;
const answer = z.object({ certificate: z.string(), authority: z.string() });

/**
 * Makes this machine a site, or a node of one: shows management the token and gets a certificate for a key that never leaves this machine. The
 * token is shown only to whoever proves to hold the authority's certificate with the expected fingerprint.
 */
export const enrol = async ({ url, token, site, node, caFingerprint, vouched }: EnrolOptions): Promise<Credentials> => {
  const authority = await authorityAt(url);
  const expected = caFingerprint?.replaceAll(':', '').toLowerCase();
  if (expected !== undefined && fingerprintOf(authority) !== expected) {
    const message = `Whoever answers at ${url} has another authority than the one that was expected. Check the address, and the fingerprint beside the token.`;
    throw new Fault('enrolment.untrusted', message, { url });
  }
  vouched?.(authority);
  const { request, key } = await createRequest();
  const management = managementAt(url, () => ({ authority }));
  try {
    const asked = {
      method: 'POST',
      path: '/enrolments/v1',
      body: { token, site, request, ...(node === undefined ? {} : { node }) },
      deadlineMs: DEADLINE_MS,
    } as const;
    const parsed = answer.safeParse(await management.ask(asked));
    if (!parsed.success) throw malformed('no certificate', parsed.error);
    const { certificate } = parsed.data;
    if (!isOurs(certificate, key, authority, node === undefined ? { kind: 'site', site } : { kind: 'node', site, node }))
      throw malformed('a certificate for somebody else');
    return { certificate, key, authority };
  } finally {
    management.close();
  }
};

const isOurs = (certificate: string, key: string, authority: string, expected: Identity): boolean => {
  const identity = identityOf(certificate);
  if (identity === undefined || uriOf(identity) !== uriOf(expected)) return false;
  const parsed = new X509Certificate(certificate);
  return parsed.checkPrivateKey(createPrivateKey(key)) && parsed.verify(new X509Certificate(authority).publicKey);
};

const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

/** The authority that the server shows at the top of its chain, as PEM. Nothing is said to that server yet, and nothing believed. */
const authorityAt = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const fail = (cause: Error) => {
      socket.destroy();
      const why = (cause as NodeJS.ErrnoException).code ?? cause.message;
      reject(
        new Fault(
          'management.unreachable',
          `Management cannot be reached at ${url} (${why}). Check the address, and that it runs.`,
          { url },
          { cause },
        ),
      );
    };
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    });
    socket.setTimeout(DEADLINE_MS, () => fail(new Error('no answer')));
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      let top: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      for (let steps = 0; steps < 8 && top.issuerCertificate && top.issuerCertificate !== top; steps++) top = top.issuerCertificate;
      socket.end();
      const parsed = new X509Certificate(top.raw);
      if (parsed.ca) resolve(parsed.toString());
      else fail(new Error('it shows no authority'));
    });
  });
