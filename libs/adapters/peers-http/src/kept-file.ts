import { open, rename } from 'node:fs/promises';

/** Keeps a key or a certificate in a file: whole or not at all, and on the disk before anybody relies on it. */
export const keepFile = async (file: string, text: string, mode: number): Promise<void> => {
  const unfinished = await open(`${file}.new`, 'w', mode);
  try {
    await unfinished.writeFile(text);
    await unfinished.sync();
  } finally {
    await unfinished.close();
  }
  await rename(`${file}.new`, file);
};
