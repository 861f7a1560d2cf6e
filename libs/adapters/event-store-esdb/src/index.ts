export { esdbEventStore, type EsdbEventStore, type EsdbEventStoreOptions } from './esdb-event-store.js';
