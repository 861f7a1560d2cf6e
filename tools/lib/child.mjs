/**
 * Waits for a program that we have started in our place, and passes on to it what ends us: signals, and the end of the channel
 * of whoever started us with one.
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} graceMs how long it may take to end what it started before it is ended
 * @returns {Promise<number>} its exit status
 */
export const endOf = (child, graceMs) => {
  /** @type {NodeJS.Timeout | undefined} */
  let forced;
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    // Ctrl-C reaches it by itself, as one of the terminal's foreground processes; a second signal would mean "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    forced ??= setTimeout(() => child.kill('SIGKILL'), graceMs);
  };
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, pass);
  process.once('disconnect', () => pass('SIGTERM'));
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      clearTimeout(forced);
      if (process.connected) process.disconnect();
      resolve(code ?? (signal ? 128 : 1));
    });
  });
};
