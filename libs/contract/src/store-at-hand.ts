import { afterEach, beforeEach } from 'vitest';
import type { EventStore } from '@isthmus/ports';

/** One place where a store keeps its facts, empty at first, gone after {@link dispose}. */
export interface StorePlace {
  /** Opens the store; again after it was closed. */
  open(): Promise<EventStore>;
  /** Opens what would be left if the store lost power now, while the store itself goes on. Closed by `dispose`. */
  openAfterCrash(): Promise<EventStore>;
  dispose(): Promise<void>;
}

/** A place of its own, with its store open, for each test of the suite that asks for it. */
export const storeAtHand = (makePlace: () => Promise<StorePlace>) => {
  let place: StorePlace;
  let store: EventStore;
  beforeEach(async () => {
    place = await makePlace();
    store = await place.open();
  });
  afterEach(async () => {
    await store.close();
    await place.dispose();
  });
  return {
    get place() {
      return place;
    },
    get store() {
      return store;
    },
    reopen: async () => {
      await store.close();
      store = await place.open();
    },
  };
};
