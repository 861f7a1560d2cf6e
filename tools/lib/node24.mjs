import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { BIN, toolEnvironment } from './paths.mjs';

const MAJOR = 24;

/**
 * Runs this same command again under the Node 24 that npm brought, if it runs under another one now. For tools that import what
 * was built; call it when the packages are there.
 * @param {Record<string, string>} env what it should be told besides
 * @returns {number | undefined} its exit status; undefined: go on, this is Node 24 already
 */
export const againUnderNode24 = (env) => {
  if (Number(process.versions.node.split('.')[0]) === MAJOR) return undefined;
  const again = spawnSync(join(BIN, 'node'), process.argv.slice(1), { stdio: 'inherit', env: { ...toolEnvironment(), ...env } });
  return again.status ?? 1;
};
