export { startBrain, type BrainOptions } from './start.js';
export type { FollowEstate } from './estate-copy.js';
