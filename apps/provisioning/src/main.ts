import { join } from 'node:path';
import { readConfig, runMain } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus, serviceStore } from '@isthmus/wiring';
import { settings } from './settings.js';
import { startProvisioning } from './start.js';
import { makeStateDir } from './state-dir.js';

await runMain('provisioning', async () => {
  const { host, port, certFile, keyFile, siteHost, sitePort, stateDir, portalDir, administrator, password } = readConfig(
    'provisioning',
    settings,
  );
  const tracing = startTracing('provisioning');
  await makeStateDir(stateDir);
  const store = await serviceStore('provisioning', { file: join(stateDir, 'facts.db') });
  const bus = await serviceBus('provisioning');
  const provisioning = await startProvisioning({
    listen: { host, port, ...(certFile !== undefined && keyFile !== undefined ? { tls: { certFile, keyFile } } : {}) },
    siteListen: { host: siteHost, port: sitePort },
    store,
    bus,
    stateDir,
    portalDir,
    firstAdministrator: password === undefined ? undefined : { name: administrator, password },
  });
  return {
    close: async () => {
      await provisioning.close();
      await bus.close();
      await store.close();
      await tracing.shutdown();
    },
  };
});
