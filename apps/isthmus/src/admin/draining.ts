import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '@isthmus/kernel';
import type { PortalFlags } from './management-client.js';

export interface DrainFlags extends PortalFlags {
  /** How long to wait, in seconds. */
  readonly within: number;
}
export interface RemoveFlags extends DrainFlags {
  /** Without waiting for anybody. */
  readonly now: boolean;
}

const LOOK_EVERY_MS = 1_000;

export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/**
 * Waits until something is empty, and says how far it is whenever that is news.
 * @param progress in words; undefined: nobody is there any more
 * @throws Fault with this code when somebody is there still after so many seconds; it stays draining
 */
export const untilDrained = async (progress: () => Promise<string | undefined>, withinS: number, code: string): Promise<void> => {
  const until = performance.now() + withinS * 1_000;
  for (let said = ''; ; await wait(LOOK_EVERY_MS)) {
    const now = await progress();
    if (now === undefined) return;
    if (now !== said) say(now);
    said = now;
    if (performance.now() < until) continue;
    throw new Fault(
      code,
      `${now} It stays draining: the command may be given again, undrain takes it back, and remove --now does not wait.`,
    );
  }
};
