import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@isthmus/kernel';
import { identityOf, keepFile, type Credentials } from '@isthmus/peers-http';

const FILES = { key: 'site.key', certificate: 'site.crt', authority: 'authority.crt' } as const;

/** Keeps what enrolment gave in a folder; only its owner may read the key. */
export const saveCredentials = async (folder: string, credentials: Credentials): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await keepFile(join(folder, FILES.key), credentials.key, 0o600);
    await keepFile(join(folder, FILES.authority), credentials.authority, 0o644);
    // Last: a certificate there means that all is there.
    await keepFile(join(folder, FILES.certificate), credentials.certificate, 0o644);
  } catch (cause) {
    throw new Fault(
      'credentials.unwritable',
      `The certificate cannot be kept in ${folder}. Make it writable, then enrol again.`,
      { folder },
      { cause },
    );
  }
};

/** Undefined if this machine has not enrolled. @throws Fault `credentials.damaged` if the files do not belong together. */
export const loadCredentials = async (folder: string): Promise<Credentials | undefined> => {
  const certificate = await textOf(join(folder, FILES.certificate));
  if (certificate === undefined) return undefined;
  const key = await textOf(join(folder, FILES.key));
  const authority = await textOf(join(folder, FILES.authority));
  if (key !== undefined && authority !== undefined && belongTogether({ certificate, key, authority }))
    return { certificate, key, authority };
  throw new Fault(
    'credentials.damaged',
    `The certificate in ${folder} is damaged, or not the one to its key. Remove the folder and enrol again.`,
    { folder },
  );
};

const belongTogether = ({ certificate, key, authority }: Credentials): boolean => {
  try {
    const parsed = new X509Certificate(certificate);
    const ours = parsed.checkPrivateKey(createPrivateKey(key)) && parsed.verify(new X509Certificate(authority).publicKey);
    const kind = identityOf(certificate)?.kind;
    return ours && (kind === 'site' || kind === 'node');
  } catch {
    return false;
  }
};

const textOf = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Fault('credentials.damaged', `${file} cannot be read. Check who may.`, { file }, { cause });
  }
};
