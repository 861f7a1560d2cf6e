import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** What tools keep beside the sources: logs, eslint's cache, results. Safe to delete. */
export const LOCAL_CACHE = join(ROOT, '.cache');
/** Node 24 and the other programs that npm brought. */
export const BIN = join(ROOT, 'node_modules', '.bin');

/** What is kept per user, so that a second checkout has it at once. XDG Base Directory Specification. */
export const userCache = () => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'isthmus');

/** The environment of everything that tools start: Node 24 and our programs first on the PATH, and no daemon left behind. */
export const toolEnvironment = () => ({
  ...process.env,
  PATH: `${BIN}:${process.env['PATH'] ?? ''}`,
  NX_DAEMON: 'false',
  NX_TUI: 'false',
  KAFKAJS_NO_PARTITIONER_WARNING: '1',
});
