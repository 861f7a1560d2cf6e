import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childrenOf } from '../lib/processes.mjs';

/**
 * Bare mediasoup in a process of its own, as the thing to compare with. It knows no floor, no facts and no sites: who gets which
 * stream is told from here.
 * @typedef {{ viewer: string, leg: string, layer: 'large' | 'small', key?: string }} Look
 *   `key`: apart from the leg, if a viewer gets both of its layers
 * @typedef {{ url: string, pid: number, worker: number, looks: (all: readonly Look[]) => void,
 *   dominant: (leg: string, withinMs: number) => Promise<void>, stop: () => Promise<void> }} BareSfu
 */

/**
 * @param {import('../figures.mjs').BenchContext} context
 * @returns {Promise<BareSfu>} `dominant` resolves when mediasoup's ActiveSpeakerObserver names that leg
 */
export const startBareSfu = async (context) => {
  const child = fork(fileURLToPath(new URL('serve.mjs', import.meta.url)), {
    env: { ...process.env, MEDIASOUP_WORKER_BIN: context.worker },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  context.atEnd(stop);
  const gone = once(child, 'exit').then(([status]) => {
    throw new Error(`The bare mediasoup ended with status ${status}.`);
  });
  gone.catch(() => undefined);
  const [{ url }] = await Promise.race([once(child, 'message'), gone]);
  const pid = child.pid ?? 0;
  const worker = childrenOf(pid)[0];
  if (worker === undefined) throw new Error('The bare mediasoup has no worker.');
  return {
    url,
    pid,
    worker,
    looks: (all) => void child.send({ looks: all }),
    dominant: (leg, withinMs) =>
      new Promise((resolve, reject) => {
        const hear = (/** @type {unknown} */ said) => {
          if (/** @type {{ dominant?: string }} */ (said).dominant !== leg) return;
          clearTimeout(late);
          child.off('message', hear);
          resolve();
        };
        const late = setTimeout(() => {
          child.off('message', hear);
          reject(new Error(`mediasoup did not name the speaker within ${withinMs} ms.`));
        }, withinMs);
        child.on('message', hear);
      }),
    stop,
  };
};
