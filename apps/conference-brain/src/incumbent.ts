import type { Brain } from './brain.js';

/** Whichever brain decides in this process now; another one after the others of its site have given it up. */
export class Incumbent {
  constructor(public brain: Brain) {}
}
