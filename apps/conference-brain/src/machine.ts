import { randomBytes } from 'node:crypto';
import type { Chance, Timers } from '@isthmus/ports';

/** The machine's own timers. */
export const machineTimers: Timers = {
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, work) => {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  },
};

/** The machine's own chance, good enough for tokens. */
export const machineChance: Chance = { bytes: (count) => randomBytes(count) };
