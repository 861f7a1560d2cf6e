import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { Refusal } from '@isthmus/kernel';
import { uriOf, type Identity } from './identity.js';

/** A certificate and the private key to it, both PEM (PKCS #8). */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Who signs for a whole deployment: management keeps its key, everyone has its certificate. */
export type Authority = KeyedCertificate;

/** What one end of a link needs. `authority` holds the certificates to trust, one PEM after another while they are being exchanged. */
export interface Credentials extends KeyedCertificate {
  readonly authority: string;
}

/** What a certificate is good for: whom it stands for on links, and the hosts it may serve to browsers. */
export interface Names {
  readonly identity?: Identity;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

/** ECDSA on P-256 with SHA-256: what every browser and every TLS 1.3 stack takes. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Certificates begin this long before they are made: clocks of sites differ. */
const HEAD_START_MS = 3_600_000;

x509.cryptoProvider.set(webcrypto);

const validity = (days: number) => ({ notBefore: new Date(Date.now() - HEAD_START_MS), notAfter: new Date(Date.now() + days * DAY_MS) });

/** RFC 5280 §4.1.2.2: positive, at most 20 octets, and nobody can guess it. */
const serialNumber = () => {
  const bytes = webcrypto.getRandomValues(Buffer.alloc(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
};

const generateKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const keyToPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

const keyFromPem = (pem: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);

/** Makes an authority of our own: a self-signed certificate that may sign certificates, but no further authorities. */
export const createAuthority = async ({ name = 'Isthmus', days = 3_650 } = {}): Promise<Authority> => {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...validity(days),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await keyToPem(keys.privateKey) };
};

const certify = async (
  authority: Authority,
  publicKey: x509.PublicKey | webcrypto.CryptoKey,
  names: Names,
  days: number,
): Promise<string> => {
  const { identity, dns = [], ips = [] } = names;
  const issuer = new x509.X509Certificate(authority.certificate);
  const subject = identity ? uriOf(identity) : (dns[0] ?? ips[0] ?? 'isthmus');
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [subject] }],
    issuer: issuer.subject,
    ...validity(days),
    signingAlgorithm: ALGORITHM,
    signingKey: await keyFromPem(authority.key),
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...(identity ? [{ type: 'url' as const, value: uriOf(identity) }] : []),
        ...dns.map((value) => ({ type: 'dns' as const, value })),
        ...ips.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return certificate.toString('pem');
};

/** Makes a key and its certificate in one go, where who asks and who signs are the same process. */
export const issue = async (authority: Authority, { days = 365, ...names }: Names & { readonly days?: number }): Promise<Credentials> => {
  const keys = await generateKeys();
  const certificate = await certify(authority, keys.publicKey, names, days);
  return { certificate, key: await keyToPem(keys.privateKey), authority: authority.certificate };
};

/** Makes a key that never leaves its machine, and the request (PKCS #10, PEM) with which to have it certified. */
export const createRequest = async (): Promise<{ readonly request: string; readonly key: string }> => {
  const keys = await generateKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: [{ CN: ['isthmus'] }], keys, signingAlgorithm: ALGORITHM });
  return { request: request.toString('pem'), key: await keyToPem(keys.privateKey) };
};

/**
 * Certifies the key of a request under the names that the *authority* knows its sender by: whatever names stand in the
 * request are ignored.
 * @returns the certificate, PEM.
 * @throws Refusal `certificate.bad-request` if it is no request, is not signed with its own key, or its key is not of our kind.
 */
export const sign = async (
  authority: Authority,
  request: string,
  { days = 365, ...names }: Names & { readonly days?: number },
): Promise<string> => {
  const refuse = (why: string, cause?: unknown) =>
    new Refusal('certificate.bad-request', `The certificate request is refused: ${why}.`, {}, { cause });
  let parsed: x509.Pkcs10CertificateRequest;
  try {
    parsed = new x509.Pkcs10CertificateRequest(request);
    await parsed.publicKey.export(ALGORITHM, ['verify']);
  } catch (cause) {
    throw refuse('it is no PKCS #10 request with an ECDSA key on P-256', cause);
  }
  if (!(await parsed.verify().catch(() => false))) throw refuse('it is not signed with its own key');
  return certify(authority, parsed.publicKey, names, days);
};
