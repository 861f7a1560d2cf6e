import { IsthmusError } from '@isthmus/kernel';

/** Exit statuses of the command line: 2 is a wrong option (commander's own), 1 anything else that failed. */
const FAILED = 1;

/** What the person can do something about is one sentence; anything else is our failure and shows its stack. */
export const sayFailure = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    const text = error instanceof IsthmusError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`\n${text}\n`);
    process.exitCode = FAILED;
  }
};
