import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '@isthmus/ports';
import { sqliteEventStore } from '../sqlite-event-store.js';

/**
 * What the contract of all stores asks for, in files of a new folder: a crash is a copy of what is on the disk at that moment.
 * @param open the store under test, over the one in `file`
 */
export const contractFiles = async (folder: string, open: (file: string) => Promise<EventStore>) => {
  const file = join(folder, 'store.db');
  const opened: EventStore[] = [];
  return {
    open: () => open(file),
    openAfterCrash: async () => {
      const left = join(await mkdtemp(join(folder, 'crash-')), 'store.db');
      await copyFile(file, left);
      await copyFile(`${file}-wal`, `${left}-wal`);
      const store = await sqliteEventStore({ file: left });
      opened.push(store);
      return store;
    },
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await rm(folder, { recursive: true });
    },
  };
};

export const newFolder = (purpose: string): Promise<string> => mkdtemp(join(tmpdir(), `isthmus-${purpose}-`));
