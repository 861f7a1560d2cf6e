export { journaledEventStore, type JournaledEventStoreOptions } from './journaled-event-store.js';
export { sqliteEventStore, type SqliteEventStore, type SqliteEventStoreOptions } from './sqlite-event-store.js';
