import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { dirname, join } from 'node:path';

/** A network that lets nothing out should cost seconds, not minutes. */
const ANSWER_MS = 8_000;
const BODY_MS = 120_000;

/**
 * Fetches the prebuilt worker that mediasoup publishes for this platform, by the names that its own install script uses.
 * @param {string} packageFolder node_modules/mediasoup
 * @param {string} version
 * @param {string} target where the worker goes
 * @param {import('../lib/progress.mjs').Note} note
 * @returns {Promise<boolean>} false: there is none, or it cannot be reached
 */
export const downloadWorker = async (packageFolder, version, target, note) => {
  const url = `${await releases(packageFolder)}/${version}/${archiveName(version)}`;
  note(`trying ${new URL(url).host}`);
  const patience = new AbortController();
  let limit = setTimeout(() => patience.abort(), ANSWER_MS);
  try {
    const response = await fetch(url, { signal: patience.signal });
    if (!response.ok) return false;
    clearTimeout(limit);
    limit = setTimeout(() => patience.abort(), BODY_MS);
    return unpack(Buffer.from(await response.arrayBuffer()), target);
  } catch {
    return false;
  } finally {
    clearTimeout(limit);
  }
};

/** @param {string} packageFolder */
const releases = async (packageFolder) => {
  const elsewhere = process.env['MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL'];
  if (elsewhere) return elsewhere;
  const { repository } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  return `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
};

/** @param {string} version */
const archiveName = (version) => {
  const kernel = platform() === 'linux' ? `-kernel${release().split('.')[0]}` : '';
  return `mediasoup-worker-${version}-${platform()}-${arch()}${kernel}.tgz`;
};

/** @param {Buffer} archive @param {string} target */
const unpack = (archive, target) => {
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(`${dirname(target)}/.download-`);
  try {
    writeFileSync(join(folder, 'worker.tgz'), archive);
    if (spawnSync('tar', ['-xzf', 'worker.tgz'], { cwd: folder, stdio: 'ignore' }).status !== 0) return false;
    const worker = join(folder, 'mediasoup-worker');
    chmodSync(worker, 0o755);
    renameSync(worker, target);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
