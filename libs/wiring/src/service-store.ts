import { z } from 'zod';
import { esdbEventStore } from '@isthmus/event-store-esdb';
import { journaledEventStore, sqliteEventStore } from '@isthmus/event-store-sqlite';
import type { EventStore } from '@isthmus/ports';
import { logOf, readConfig, setting } from '@isthmus/service-kit';

/** Where facts are kept; the same for every service that keeps some. */
export const EVENTSTORE_SETTINGS = {
  connectionString: setting(
    z
      .string()
      .regex(/^esdb(\+discover)?:\/\//, 'it must begin with esdb://')
      .optional(),
    {
      says: "The site's EventStoreDB; its user must be allowed to read $all. Without it, facts are in a file of the state folder.",
      example: 'esdb://isthmus:password@eventstore:2113?tls=true',
      secret: true,
    },
  ),
  namespace: setting(z.string().max(64).default(''), {
    says: 'What the names of all streams begin with, where several deployments share a server.',
    example: 'isthmus-test:',
  }),
};

/** Where a service keeps what it keeps. */
export interface StorePlaces {
  /** The facts, where no EventStoreDB is named. */
  readonly file: string;
  /** Where one is: the folder of the journal that is written to while it is away. Left out, whoever writes waits for it. */
  readonly journal?: string;
}

/**
 * The store of a service that runs as a process of its own: EventStoreDB where `EVENTSTORE_CONNECTION_STRING` says so, waited for if
 * it is not there yet, else a file.
 * @throws Fault `config.invalid`; what the store throws
 */
export const serviceStore = async (service: string, { file, journal }: StorePlaces, environment = process.env): Promise<EventStore> => {
  const { connectionString, namespace } = readConfig('eventstore', EVENTSTORE_SETTINGS, environment, 'EVENTSTORE_');
  if (connectionString === undefined) return sqliteEventStore({ file });
  const log = logOf(service);
  const store = await esdbEventStore({ connectionString, namespace, waiting: (why) => log.warn(`waiting for EventStoreDB: ${why}`) });
  if (journal === undefined) return store;
  return journaledEventStore({
    ...{ store, folder: journal },
    report: ({ journaling, why }) =>
      journaling
        ? log.warn({ why }, 'EventStoreDB is away; the journal is written instead')
        : log.info('EventStoreDB is back, and has all'),
  });
};
