/**
 * One of several brains of a site, as a process of its own, so that a spec can kill it: on the bus that the spec holds, over the store
 * that they share. `node brain-of-several.js WISH`, the wish as JSON; it says where its health is when it serves.
 */
import { startBrain, restartablePeers } from '@isthmus/conference-brain';
import { linkedBus } from '@isthmus/bus-link';
import { certificateSignatures, httpPeers, type Credentials } from '@isthmus/peers-http';
import type { SiteId } from '@isthmus/kernel';
import { logOf } from '@isthmus/service-kit';
import { serviceBus, serviceStore } from '@isthmus/wiring';
import { systemClock as clock } from '../system-clock.js';

export interface BrainWish {
  readonly site: SiteId;
  readonly name: string;
  /** Where the spec's own bus is, or the settings of a broker and of the doors past it. */
  readonly bus: string | Readonly<Record<string, string>>;
  /** Of its own door. */
  readonly doorPort: number;
  readonly store: string;
  /** Where it keeps what it decides while the store is away. */
  readonly journal: string;
  readonly linkPort: number;
  readonly credentials: Credentials;
}

const { site, name, bus, doorPort, store, journal, linkPort, credentials } = JSON.parse(process.argv[2] ?? '{}') as BrainWish;
const log = logOf('conference-brain').child({ brain: name });
const brain = await startBrain({
  site,
  listen: { host: '127.0.0.1', port: 0 },
  bus:
    typeof bus === 'string'
      ? linkedBus({ url: bus, name, credentials: () => credentials, expect: ({ kind }) => kind === 'site', log })
      : await serviceBus(name, { site, credentials: async () => credentials, door: { host: '127.0.0.1', port: doorPort } }, bus),
  store: await serviceStore('conference-brain', { file: '', journal }, { EVENTSTORE_CONNECTION_STRING: store }),
  peers: restartablePeers(() =>
    httpPeers({
      site,
      listen: { host: '127.0.0.1', port: linkPort },
      credentials: () => credentials,
      clock,
      report: ({ peer, message }) => log.warn({ peer }, message),
    }),
  ),
  clock,
  resumeKey: new Uint8Array(32).fill(7),
  signatures: certificateSignatures(() => credentials),
});
process.stdout.write(`>${brain.url}\n`);
process.on('SIGTERM', () => void brain.close().then(() => process.exit(0)));
