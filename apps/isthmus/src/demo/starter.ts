/** How soon after whoever started us we notice that it has gone. */
const LOOK_MS = 500;

/**
 * Calls `stop` when somebody asks this process to end, or when whoever started it has gone: a program with a channel to us, or
 * npm, through which no signal comes any more once it was killed.
 */
export const whenToldToStop = (stop: () => void): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  process.once('disconnect', stop);
  if (!process.env['npm_lifecycle_event']) return;
  const starter = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === starter) return;
    clearInterval(looking);
    stop();
  }, LOOK_MS);
  looking.unref();
};
