import { X509Certificate, createPrivateKey, sign as signBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@isthmus/kernel';
import { createAuthority, issue, keepFile, sign, type Authority, type Credentials, type Identity } from '@isthmus/peers-http';

/** Management's authority: whoever it signs for belongs to this deployment. */
export interface OpenAuthority {
  /** SHA-256 of its certificate, lower-case hex. */
  readonly fingerprint: string;
  /** PEM. */
  readonly certificate: string;
  /** Signs a request under the identity that management knows its sender by. */
  sign(request: string, identity: Identity): Promise<string>;
  /** Signs words, so that whoever has the certificate knows whose they are. Base64url. */
  signText(text: string): string;
  /** For management's own end of the links. */
  ownCredentials(): Promise<Credentials>;
}

/**
 * Opens the authority in the state folder, or makes one at the first start. Its key never leaves that folder, and only its
 * owner may read it. @throws Fault `authority.damaged` | `authority.unwritable`
 */
export const openAuthority = async (stateDir: string): Promise<OpenAuthority> => {
  const files = { certificate: join(stateDir, 'authority.crt'), key: join(stateDir, 'authority.key') };
  const [certificate, key] = await Promise.all([textOf(files.certificate), textOf(files.key)]);
  if ((certificate === undefined) !== (key === undefined)) throw damaged(stateDir, 'one of authority.crt and authority.key is missing');
  const authority = certificate !== undefined && key !== undefined ? { certificate, key } : await made(files);
  const parsed = parsedOf(authority, stateDir);
  return {
    fingerprint: parsed.fingerprint256.replaceAll(':', '').toLowerCase(),
    certificate: authority.certificate,
    sign: (request, identity) => sign(authority, request, { identity }),
    signText: (text) => signBytes('sha256', Buffer.from(text), createPrivateKey(authority.key)).toString('base64url'),
    ownCredentials: () => issue(authority, { identity: { kind: 'management' } }),
  };
};

const made = async (files: { readonly certificate: string; readonly key: string }): Promise<Authority> => {
  const authority = await createAuthority({ name: 'Isthmus management' });
  try {
    await keepFile(files.key, authority.key, 0o600);
    await keepFile(files.certificate, authority.certificate, 0o644);
  } catch (cause) {
    const message = `Management cannot keep its authority in ${files.key}. Make its folder writable, or choose another state folder.`;
    throw new Fault('authority.unwritable', message, { file: files.key }, { cause });
  }
  return authority;
};

const parsedOf = ({ certificate, key }: Authority, stateDir: string): X509Certificate => {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate);
    if (parsed.checkPrivateKey(createPrivateKey(key))) return parsed;
  } catch (cause) {
    throw damaged(stateDir, 'authority.crt or authority.key cannot be read', cause);
  }
  throw damaged(stateDir, 'authority.key is not the key to authority.crt');
};

const damaged = (stateDir: string, why: string, cause?: unknown): Fault => {
  const message = `The authority in ${stateDir} is damaged: ${why}. Restore both files from a backup; without them every site has to enrol again.`;
  return new Fault('authority.damaged', message, { stateDir }, { cause });
};

const textOf = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Fault('authority.damaged', `Management cannot read ${file}. Check who may.`, { file }, { cause });
  }
};
