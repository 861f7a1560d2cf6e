import { IsthmusError } from '@isthmus/kernel';
import { logOf } from './log.js';

/**
 * The life of a process that runs one service: start, wait for SIGTERM or SIGINT, close gently, exit 0; a second signal means
 * now. What could not start is told in one sentence on standard error, exit 1 (2 for a wrong setting), without a stack that helps nobody.
 */
export const runMain = async (service: string, start: () => Promise<{ close(): Promise<void> }>): Promise<void> => {
  const log = logOf(service);
  // An unexpected rejection is a bug of ours: say so and stop, rather than limp on in an unknown state.
  process.on('unhandledRejection', (error) => {
    log.fatal({ error }, 'unhandled rejection');
    process.exit(70);
  });
  const starting = start();
  let stopping = false;
  // Before it has started: a signal that comes meanwhile waits for the start, and then stops what was started.
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(130);
    stopping = true;
    log.info({ signal }, 'stopping');
    starting
      .then((running) => running.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ error }, 'did not close cleanly');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  // Started by another process of ours, with a channel: it is told when we are ready, and we end with it.
  process.on('disconnect', () => stop('SIGTERM'));
  try {
    await starting;
    if (process.connected) process.send?.({ type: 'ready', facts: {} });
  } catch (error) {
    if (process.connected) process.send?.({ type: 'failed', message: sentenceOf(error) });
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exit(error instanceof IsthmusError && error.code === 'config.invalid' ? 2 : 1);
  }
};

const sentenceOf = (error: unknown): string => {
  if (error instanceof IsthmusError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};
