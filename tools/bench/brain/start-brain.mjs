import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {{ pid: number, tell: (order: string, wish?: object) => Promise<any> }} BenchBrain `pid`: of the brain's own process */

/**
 * A brain of its own for one benchmark, its store in a temporary folder.
 * @param {import('../figures.mjs').BenchContext} context
 * @param {{ rooms: number, fsyncDelayMs?: number }} wish `fsyncDelayMs`: every fsync of the store takes so much longer, by strace
 * @returns {Promise<BenchBrain>}
 */
export const startBrainProcess = async (context, { rooms, fsyncDelayMs }) => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  context.atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const program = [process.execPath, '--expose-gc', fileURLToPath(new URL('brain-process.mjs', import.meta.url)), folder, String(rooms)];
  const slowed =
    fsyncDelayMs === undefined
      ? []
      : [
          ...['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync'],
          ...['-e', `inject=fsync,fdatasync:delay_enter=${fsyncDelayMs * 1_000}`],
        ];
  const [command = '', ...args] = [...slowed, ...program];
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ISTHMUS_LOG_LEVEL: 'error' },
  });
  const gone = once(child, 'exit').then(([status]) => {
    throw new Error(`The brain ended with status ${status}.`);
  });
  gone.catch(() => undefined);
  const answer = async () => {
    const [{ done, failed }] = await Promise.race([once(child, 'message'), gone]);
    if (failed !== undefined) throw new Error(failed);
    return done;
  };
  /** @param {string} order @param {object} [wish] */
  const tell = (order, wish = {}) => {
    const answered = answer();
    child.send({ order, ...wish });
    return answered;
  };
  context.atEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // Its own process ends when the channel does, under strace too.
    child.disconnect();
    await ended;
  });
  await answer();
  return { pid: child.pid ?? 0, tell };
};
