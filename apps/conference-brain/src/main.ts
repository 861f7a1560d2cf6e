import { join } from 'node:path';
import { logOf, readConfig, runMain } from '@isthmus/service-kit';
import { followEstate } from '@isthmus/estate-http';
import { certificateSignatures, httpPeers } from '@isthmus/peers-http';
import { startTracing } from '@isthmus/telemetry-otel';
import { resumeKeyIn, serviceBus, serviceStore, siteCredentials, translation } from '@isthmus/wiring';
import { restartablePeers } from './restartable-peers.js';
import { settings } from './settings.js';
import { startBrain } from './start.js';

const CLOCK = { now: () => Date.now(), monotonic: () => performance.now() };

/** The conference-brain as a process of its own: with KAFKA_BROKERS a part of its site, without it nobody can ask it for a seat. */
await runMain('conference-brain', async () => {
  const config = readConfig('conference-brain', settings);
  const { site, host, port, linkPort, doorPort, stateDir, managementUrl, token, authorityFingerprint } = config;
  const credentialsDir = config.credentialsDir ?? join(stateDir, 'credentials');
  const credentials = await siteCredentials(
    'conference-brain',
    site,
    credentialsDir,
    token === undefined ? undefined : { url: managementUrl, token, caFingerprint: authorityFingerprint },
  );
  const log = logOf('conference-brain');
  const tracing = startTracing('conference-brain', { attributes: { 'isthmus.site': site } });
  const bus = await serviceBus('conference-brain', {
    site,
    credentials: async () => credentials,
    door: { host, port: doorPort },
  });
  const store = await serviceStore('conference-brain', { file: join(stateDir, 'facts.db'), journal: join(stateDir, 'journal') });
  const peers = () =>
    httpPeers({
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
    // Where several brains share a site, one of them has its links, and which one may change.
    peers: restartablePeers(peers),
    resumeKey: resumeKeyIn(credentialsDir),
    clock: CLOCK,
    signatures: certificateSignatures(() => credentials),
    followEstate: (after, applied, signal, word, last) =>
      followEstate({ url: managementUrl, credentials, after, last, applied, signal, word }),
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
