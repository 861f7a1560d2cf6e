export { restartablePeers } from './restartable-peers.js';
export { settings as conferenceBrainSettings } from './settings.js';
export { startBrain, type BrainOptions } from './start.js';
export type { FollowEstate } from './estate-copy.js';
