import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BYTES = 32;

/**
 * The key from which a site makes the words by which people get their seats back: made once and kept, so that they still do after
 * the site was started anew. Only its owner may read it. One that is damaged is made again; people then join anew.
 */
export const resumeKeyIn = (stateDir: string): Uint8Array => {
  const file = join(stateDir, 'resume.key');
  const kept = existsSync(file) ? readFileSync(file) : undefined;
  if (kept?.length === BYTES) return kept;
  const key = randomBytes(BYTES);
  // Whole or not at all, whenever the machine stops.
  const handle = openSync(`${file}.new`, 'w', 0o600);
  writeSync(handle, key);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(`${file}.new`, file);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
  return key;
};
