export { linkedBus, type LinkedBusOptions } from './linked-bus.js';
export { openBusDoor, type BusDoor, type BusDoorOptions, type BusMember, type BusRights } from './bus-door.js';
export { DETOURS, type MainBus } from './absence.js';
export { detouredBus, type DetouredBusOptions } from './detoured-bus.js';
export type { Way } from './several-ways.js';
