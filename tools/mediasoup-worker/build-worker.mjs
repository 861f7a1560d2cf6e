import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackages } from '../lib/debian.mjs';
import { Problem } from '../lib/problem.mjs';
import { mustRun, plain } from '../lib/run.mjs';
import { PATCHES } from './patches.mjs';

/** What compiling takes, by Debian's names. */
export const WORKER_BUILD_PACKAGES = [
  ...['g++', 'ninja-build', 'pkg-config', 'python3', 'python3-venv'],
  ...['libuv1-dev', 'libssl-dev', 'libsrtp2-dev', 'libabsl-dev', 'libflatbuffers-dev', 'flatbuffers-compiler'],
];
/** Debian 12's own Meson is older than what the worker's build asks for. */
const MESON_MIN = [1, 1];
const STAND_INS = join(dirname(fileURLToPath(import.meta.url)), 'subprojects');

/**
 * Builds the worker from the npm package's sources against the system's libraries. Nothing is left but the program.
 * @param {string} packageFolder node_modules/mediasoup
 * @param {string} target where the worker goes
 * @param {import('../lib/progress.mjs').Note} note
 */
export const buildWorker = async (packageFolder, target, note) => {
  await ensureDebianPackages(WORKER_BUILD_PACKAGES, "build mediasoup's worker", note);
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(`${dirname(target)}/.build-`);
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  try {
    const sources = join(folder, 'worker');
    prepareSources(join(packageFolder, 'worker'), sources);
    await compile(sources, await provideMeson(folder, note), note);
    renameSync(join(sources, 'out', 'Release', 'mediasoup-worker'), target);
  } finally {
    process.off('exit', removeFolder);
    removeFolder();
  }
};

/** A copy with our stand-ins in place of the downloads, and patched. @param {string} from @param {string} to */
export const prepareSources = (from, to) => {
  cpSync(from, to, { recursive: true });
  rmSync(join(to, 'subprojects'), { recursive: true });
  cpSync(STAND_INS, join(to, 'subprojects'), { recursive: true });
  for (const { file, find, replace } of PATCHES) {
    const source = readFileSync(join(to, file), 'utf8');
    const places = source.split(find).length - 1;
    if (places !== 1) {
      throw new Problem(
        `A patch for mediasoup's worker fits ${places} places of ${file}, not one.`,
        'Adapt tools/mediasoup-worker/patches.mjs to this mediasoup version.',
      );
    }
    writeFileSync(
      join(to, file),
      source.replace(find, () => replace),
    );
  }
};

/** @param {string} folder @param {import('../lib/progress.mjs').Note} note @returns {Promise<string>} a Meson that is new enough */
const provideMeson = async (folder, note) => {
  const { stdout, error } = spawnSync('meson', ['--version'], { encoding: 'utf8' });
  if (!error && newEnough(stdout)) return 'meson';
  note('getting Meson');
  const venv = join(folder, 'venv');
  const next = 'Check the connection to PyPI, or install Meson 1.1 or newer yourself; then run this again.';
  await mustRun('python3', ['-m', 'venv', venv], {
    log: 'meson-venv.log',
    what: 'Python could not make a virtual environment for Meson',
    next,
  });
  const pip = ['install', '--quiet', '--disable-pip-version-check', 'meson>=1.1'];
  await mustRun(join(venv, 'bin', 'pip'), pip, { log: 'meson-pip.log', what: 'pip could not install Meson', next });
  return join(venv, 'bin', 'meson');
};

/** @param {string} version */
const newEnough = (version) => {
  const [major = 0, minor = 0] = version.trim().split('.').map(Number);
  return major > (MESON_MIN[0] ?? 0) || (major === MESON_MIN[0] && minor >= (MESON_MIN[1] ?? 0));
};

/** @param {string} sources @param {string} meson @param {import('../lib/progress.mjs').Note} note */
const compile = async (sources, meson, note) => {
  const next = 'The log says why. Where the network allows it, `npm rebuild mediasoup` takes the prebuilt one instead.';
  const failed = "mediasoup's worker could not be built";
  const setup = ['setup', 'out/Release', '--buildtype', 'release', '-Db_ndebug=true'];
  await mustRun(meson, setup, { cwd: sources, log: 'worker-meson.log', what: failed, next });
  // Compiling may take everything, but not from those who also want to work here.
  const ninja = ['-n', '10', 'ninja', '-C', 'out/Release', 'mediasoup-worker'];
  const progress = (/** @type {string} */ line) => {
    const [, done, all] = /^\[(\d+)\/(\d+)\]/.exec(plain(line)) ?? [];
    if (done) note(`compiling ${done} of ${all}, once per user`);
  };
  await mustRun('nice', ninja, { cwd: sources, log: 'worker-ninja.log', line: progress, what: failed, next });
};
