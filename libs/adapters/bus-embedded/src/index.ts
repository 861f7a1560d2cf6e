export { embeddedBus, type EmbeddedBusOptions } from './embedded-bus.js';
