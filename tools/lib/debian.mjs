import { spawnSync } from 'node:child_process';
import { Problem } from './problem.mjs';
import { mustRun } from './run.mjs';

/**
 * Which of these Debian packages are not installed. On a system without dpkg: all of them.
 * @param {readonly string[]} packages
 */
export const missingDebianPackages = (packages) => {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...packages], { encoding: 'utf8' });
  const installed = new Set((stdout ?? '').split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])));
  return packages.filter((name) => !installed.has(name));
};

/**
 * Installs Debian packages when we are root; otherwise names exactly what is missing.
 * @param {readonly string[]} packages
 * @param {string} purpose completes "… is needed to …"
 * @param {import('./progress.mjs').Note} [note]
 */
export const ensureDebianPackages = async (packages, purpose, note = () => undefined) => {
  const missing = missingDebianPackages(packages);
  if (missing.length === 0) return;
  const command = `apt-get install -y ${missing.join(' ')}`;
  if (spawnSync('apt-get', ['--version']).error) {
    throw new Problem(
      `To ${purpose}, these Debian packages (or what your system calls them) are needed: ${missing.join(', ')}.`,
      'Install them and run this again.',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Problem(`To ${purpose}, these packages are missing: ${missing.join(', ')}.`, `Install them with: sudo ${command}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const next = `Check the connection to the Debian mirror, or run it by hand: ${command}`;
  const apt = (/** @type {string} */ log, /** @type {string[]} */ args) =>
    mustRun('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
      log,
      env,
      note,
      next,
      what: `apt-get could not install ${missing.join(', ')}`,
    });
  note(`installing ${missing.join(', ')}`);
  await apt('apt-update.log', ['update']);
  await apt('apt-install.log', ['install', '-y', '--no-install-recommends', ...missing]);
};
