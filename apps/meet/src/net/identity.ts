import type { PersonId } from '@isthmus/conference';

/** What the browser keeps between visits. `localStorage` may be forbidden; then it lasts as long as the page. */
export interface Keep {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

export const keepIn = (storage: () => Storage): Keep => {
  const forgotten = new Map<string, string>();
  return {
    get: (key) => {
      try {
        return storage().getItem(`isthmus.${key}`) ?? forgotten.get(key) ?? null;
      } catch {
        return forgotten.get(key) ?? null;
      }
    },
    set: (key, value) => {
      forgotten.set(key, value);
      try {
        storage().setItem(`isthmus.${key}`, value);
      } catch {
        // Private mode or a full store: this page still remembers.
      }
    },
  };
};

const unique = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Grants a name to one tab at a time; false when another tab has it. */
export type Claim = (name: string) => Promise<boolean>;

/** A lock of the browser, held as long as the tab lives (Web Locks API). Without it every tab counts as the only one. */
export const claimInBrowser: Claim = (name) =>
  new Promise((resolve) => {
    if (!('locks' in navigator)) {
      resolve(true);
      return;
    }
    navigator.locks
      .request(`isthmus.${name}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        // Held until the tab is gone.
        return lock === null ? undefined : new Promise<void>(() => undefined);
      })
      .catch(() => resolve(true));
  });

const looksRight = (id: string | null): id is string => id !== null && /^[\x21-\x7e]{1,64}$/.test(id);

/**
 * Who this client is: the same on this device after every reload and restart, so that a site can tell one person who came
 * back from two people. A second tab that is open at the same time is somebody else, or the two would push each other out.
 */
export const clientIdOf = async (device: Keep, tab: Keep, claim: Claim = claimInBrowser): Promise<PersonId> => {
  const known = device.get('client');
  const first = looksRight(known) ? known : unique();
  device.set('client', first);
  const second = tab.get('client');
  for (const candidate of looksRight(second) ? [second, first] : [first]) {
    if (await claim(candidate)) return candidate as PersonId;
  }
  const own = unique();
  tab.set('client', own);
  await claim(own);
  return own as PersonId;
};

/** Counts connections of this client: of two of them, the one with the higher count keeps the seat (merge rule 10). */
export const nextConnect = (keep: Keep): number => {
  const last = Number(keep.get('connect'));
  const next = (Number.isSafeInteger(last) && last > 0 ? last : 0) + 1;
  keep.set('connect', String(next));
  return next;
};
