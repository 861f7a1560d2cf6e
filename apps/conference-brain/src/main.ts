import { join } from 'node:path';
import { z } from 'zod';
import { common } from '@isthmus/protocol';
import { logOf, readConfig, runMain, setting } from '@isthmus/service-kit';
import { followEstate } from '@isthmus/estate-http';
import { httpPeers } from '@isthmus/peers-http';
import { startTracing } from '@isthmus/telemetry-otel';
import { hostPairs, serviceBus, serviceStore, siteCredentials, translation } from '@isthmus/wiring';
import { startBrain } from './start.js';

const port = z.coerce.number().int().min(0).max(65_535);

const SETTINGS = {
  site: setting(common.siteId, { says: 'The site it decides for.', example: 'nyc' }),
  host: setting(z.string().default('127.0.0.1'), { says: 'Address for health and for the link.', example: '192.0.2.11' }),
  port: setting(port.default(7104), { says: 'Port for health.', example: '7104' }),
  linkPort: setting(port.default(7101), { says: 'Port on which other sites link to this one.', example: '7101' }),
  stateDir: setting(z.string().min(1), {
    says: 'Folder for the facts and, in `credentials`, the certificate of the site; back it up.',
    example: '/var/lib/isthmus/nyc',
  }),
  managementUrl: setting(z.url(), { says: "Management's door for sites.", example: 'https://192.0.2.10:7001' }),
  token: setting(z.string().min(1).optional(), {
    says: 'The token that enrols this site, from the portal; good once, and not needed any more when the site has its certificate.',
    example: 'as-the-portal-shows-it',
    secret: true,
  }),
  authorityFingerprint: setting(z.string().min(1).optional(), {
    says: "SHA-256 of management's authority, shown beside the token: whoever else answers is not believed.",
    example: '5f:2c:…',
    file: true,
  }),
  linkVia: setting(hostPairs.optional(), {
    says: 'Hosts of other sites that are reached under another address from here: as listed = as reached.',
    example: '192.0.2.12=10.8.0.2',
  }),
};

const CLOCK = { now: () => Date.now(), monotonic: () => performance.now() };

/** The conference-brain as a process of its own: with KAFKA_BROKERS a part of its site, without it nobody can ask it for a seat. */
await runMain('conference-brain', async () => {
  const config = readConfig('conference-brain', SETTINGS);
  const { site, host, port, linkPort, stateDir, managementUrl, token, authorityFingerprint } = config;
  const credentials = await siteCredentials(
    'conference-brain',
    site,
    join(stateDir, 'credentials'),
    token === undefined ? undefined : { url: managementUrl, token, caFingerprint: authorityFingerprint },
  );
  const log = logOf('conference-brain');
  const tracing = startTracing('conference-brain', { attributes: { 'isthmus.site': site } });
  const bus = await serviceBus('conference-brain');
  const store = await serviceStore('conference-brain', join(stateDir, 'facts.db'));
  const peers = httpPeers({
    site,
    listen: { host, port: linkPort },
    credentials: () => credentials,
    clock: CLOCK,
    translate: translation(config.linkVia),
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
