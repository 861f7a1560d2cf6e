/**
 * Why a tool cannot go on, told to the person in front of it: what is wrong, and what to do about it. Anything else that is
 * thrown is our own failure and shows its stack.
 */
export class Problem extends Error {
  /**
   * @param {string} what one sentence
   * @param {string} next what to do about it
   * @param {ErrorOptions & { log?: string }} [options] `log`: the file that has the details
   */
  constructor(what, next, options = {}) {
    super(`${what} ${next}`, options);
    this.name = 'Problem';
    this.log = options.log;
  }
}

/** How soon after npm a tool ends. */
const LOOK_MS = 500;

/**
 * Ends this process, as SIGTERM does, when the npm that runs it is gone: nobody can send a signal through a killed npm. Scripts
 * in package.json begin with `exec`, so that npm is our parent and its signals are ours, and no shell is in between.
 */
const endWithNpm = () => {
  if (!process.env['npm_lifecycle_event']) return;
  const npm = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(looking);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  looking.unref();
};

/** What an option is that there is not, in one paragraph. @param {unknown} error @returns {unknown} */
const sayOptions = (error) => {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS_')) return error;
  return new Problem(`${error.message.split('. ')[0]}.`, 'README.md and the pages in docs/ say what options there are.');
};

/**
 * Runs a tool's main function; a {@link Problem} ends the process with one readable paragraph and status 1.
 * @param {() => Promise<number | void>} main its result is the exit status
 */
export const runTool = async (main) => {
  endWithNpm();
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (thrown) {
    const error = sayOptions(thrown);
    process.exitCode = 1;
    if (error instanceof Problem) {
      process.stderr.write(`\n${error.message}\n${error.log ? `Details: ${error.log}\n` : ''}`);
    } else {
      process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`);
    }
  }
};
