/** What decides, without what serves it: importing this loads no web framework and starts nothing (the simulator does, ADR 0033). */
export { Brain } from './brain.js';
export type { BrainParts } from './brain-parts.js';
export type { History } from './footing.js';
export type { FollowEstate } from './estate-copy.js';
