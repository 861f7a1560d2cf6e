export { connectRelay, type RelayClient } from './relay/relay-client.js';
export type { LinkStats, RelayStats } from './relay/control.js';
export type { Bins, LinkCounts, StreamCount } from './relay/link-meter.js';
export { startRelay, type Relay, type RelayOptions } from './relay/relay.js';
export { aliasOf, directedLinks, translatorOf, type Place } from './relay/relay-plan.js';
