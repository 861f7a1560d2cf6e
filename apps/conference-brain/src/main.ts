import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '@isthmus/kernel';
import { common } from '@isthmus/protocol';
import { logOf, readConfig, runMain, setting } from '@isthmus/service-kit';
import { embeddedBus } from '@isthmus/bus-embedded';
import { followEstate, loadCredentials } from '@isthmus/estate-http';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { httpPeers } from '@isthmus/peers-http';
import { startTracing } from '@isthmus/telemetry-otel';
import { startBrain } from './start.js';

const port = z.coerce.number().int().min(0).max(65_535);

const SETTINGS = {
  site: setting(common.siteId, { says: 'The site it decides for.', example: 'nyc' }),
  host: setting(z.string().default('127.0.0.1'), { says: 'Address for health and for the link.', example: '192.0.2.11' }),
  port: setting(port.default(7104), { says: 'Port for health.', example: '7104' }),
  linkPort: setting(port.default(7101), { says: 'Port on which other sites link to this one.', example: '7101' }),
  stateDir: setting(z.string().min(1), {
    says: 'Folder for the facts and the certificate of the site; back it up.',
    example: '/var/lib/isthmus/nyc',
  }),
  managementUrl: setting(z.url(), { says: "Management's door for sites.", example: 'https://192.0.2.10:7001' }),
};

const CLOCK = { now: () => Date.now(), monotonic: () => performance.now() };

/**
 * The conference-brain as a process of its own. The bus inside a site that is several processes is not there yet; until it is, such
 * a process follows the estate, links to its peers and keeps their facts, and nobody can ask it for a seat.
 */
await runMain('conference-brain', async () => {
  const { site, host, port, linkPort, stateDir, managementUrl } = readConfig('conference-brain', SETTINGS);
  const credentials = await loadCredentials(join(stateDir, 'certificate'));
  if (credentials === undefined) {
    throw new Fault('site.not-enrolled', `${site} has no certificate in ${stateDir}. Enrol it first, with a token from the portal.`);
  }
  const log = logOf('conference-brain');
  const tracing = startTracing('conference-brain', { attributes: { 'isthmus.site': site } });
  const bus = embeddedBus();
  const store = await sqliteEventStore({ file: join(stateDir, 'facts.db') });
  const peers = httpPeers({
    site,
    listen: { host, port: linkPort },
    credentials: () => credentials,
    clock: CLOCK,
    report: ({ peer, message }) => log.warn({ peer }, message),
  });
  const brain = await startBrain({
    site,
    listen: { host, port },
    bus,
    store,
    peers,
    clock: CLOCK,
    followEstate: (after, applied, signal) => followEstate({ url: managementUrl, credentials, after, applied, signal }),
  });
  return {
    close: async () => {
      await brain.close();
      await bus.close();
      await store.close();
      await tracing.shutdown();
    },
  };
});
