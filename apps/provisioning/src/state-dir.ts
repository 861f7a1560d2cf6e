import { mkdir } from 'node:fs/promises';
import { Fault } from '@isthmus/kernel';

/** Makes sure that management's state folder is there, open to its owner only. @throws Fault `state.unwritable` */
export const makeStateDir = async (stateDir: string): Promise<void> => {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Fault(
      'state.unwritable',
      `Management cannot keep its state in ${stateDir} (${why}). Make it writable, or choose another folder.`,
      { stateDir },
      { cause },
    );
  }
};
