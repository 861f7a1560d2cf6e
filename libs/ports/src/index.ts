export type { Bus, Message, SubscribeOptions, Subscription, Topic } from './bus.js';
export type { Chance } from './chance.js';
export type { Clock } from './clock.js';
export { SNAPSHOT_BYTES, type EventStore, type Position, type Sharing, type Stored } from './event-store.js';
export type { LinkState, PeerHandlers, Peers } from './peers.js';
export type { Signatures, Signed } from './signatures.js';
export { textOfHead } from './signatures.js';
export type { Cancel, Timers } from './timers.js';
export { TOLD_SPAN_ID } from './tracing.js';
