import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BYTES = 32;

/**
 * The key from which a site makes the words by which people get their seats back: made once and kept, so that they still do after
 * the site was started anew, and at whichever of its brains. Only its owner may read it. One that is damaged is made again; people
 * then join anew.
 */
export const resumeKeyIn = (folder: string): Uint8Array => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'resume.key');
  const kept = existsSync(file) ? readFileSync(file) : undefined;
  if (kept?.length === BYTES) return kept;
  const key = randomBytes(BYTES);
  // Whole or not at all, whenever the machine stops.
  const made = `${file}.${process.pid}`;
  const handle = openSync(made, 'w', 0o600);
  writeSync(handle, key);
  fsyncSync(handle);
  closeSync(handle);
  if (kept !== undefined) renameSync(made, file);
  else {
    // Of several that start at once, one makes it.
    try {
      linkSync(made, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    rmSync(made);
  }
  const place = openSync(folder, 'r');
  fsyncSync(place);
  closeSync(place);
  return readFileSync(file);
};
