export { linkedBus, type LinkedBusOptions } from './linked-bus.js';
export { openBusDoor, type BusDoor, type BusDoorOptions, type BusMember, type BusRights } from './bus-door.js';
