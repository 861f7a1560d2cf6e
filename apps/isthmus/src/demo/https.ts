import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';

export interface HttpsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** What another machine has to trust; the key to it never leaves this folder. */
  readonly authorityFile: string;
  /** SHA-256, to compare before trusting. */
  readonly authorityFingerprint: string;
}

const RENEW_BEFORE_MS = 30 * 86_400_000;
/** Apple's limit for certificates of private authorities is longer, for public ones this is what browsers take. */
const DAYS = 397;

/**
 * A certificate for browsers, for one address of this machine, from an authority made at the first start. It is another
 * authority than the one for links: whoever trusts this one for the web trusts nobody to be a site.
 */
export const ensureHttps = async (folder: string, address: string): Promise<HttpsFiles> => {
  const { createAuthority, issue } = await import('@isthmus/peers-http');
  const files = { certFile: join(folder, 'server.pem'), keyFile: join(folder, 'server.key'), authorityFile: join(folder, 'ca.pem') };
  const authorityKeyFile = join(folder, 'ca.key');
  if (!existsSync(files.authorityFile) || !existsSync(authorityKeyFile)) {
    const authority = await createAuthority({ name: `Isthmus demo on ${address}` });
    writeFileSync(authorityKeyFile, authority.key, { mode: 0o600 });
    writeFileSync(files.authorityFile, authority.certificate, { mode: 0o644 });
  }
  const authority = { certificate: readFileSync(files.authorityFile, 'utf8'), key: readFileSync(authorityKeyFile, 'utf8') };
  if (!isGood(files.certFile, authority.certificate, address)) {
    const { certificate, key } = await issue(authority, { ips: [address], days: DAYS });
    writeFileSync(files.keyFile, key, { mode: 0o600 });
    writeFileSync(files.certFile, `${certificate.trimEnd()}\n${authority.certificate}`, { mode: 0o644 });
  }
  return { ...files, authorityFingerprint: new X509Certificate(authority.certificate).fingerprint256 };
};

const isGood = (file: string, authority: string, address: string): boolean => {
  if (!existsSync(file)) return false;
  const certificate = new X509Certificate(readFileSync(file));
  const lasting = Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS;
  return lasting && certificate.checkIP(address) !== undefined && certificate.verify(new X509Certificate(authority).publicKey);
};
