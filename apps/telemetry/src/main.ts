import { Fault } from '@isthmus/kernel';
import { readConfig, runMain } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus, siteCredentials } from '@isthmus/wiring';
import { settings } from './settings.js';
import { startTelemetry } from './start.js';

await runMain('telemetry', async () => {
  const { host, port, site, managementUrl, credentialsDir } = readConfig('telemetry', settings);
  const tracing = startTracing('telemetry');
  const bus = await serviceBus(
    'telemetry',
    site === undefined || credentialsDir === undefined
      ? undefined
      : { site, credentials: () => siteCredentials('telemetry', site, credentialsDir) },
  );
  const listen = { host, port };
  const management =
    site !== undefined && managementUrl !== undefined
      ? { url: managementUrl, credentials: await siteCredentials('telemetry', site, needed(credentialsDir, managementUrl)) }
      : undefined;
  const running = await startTelemetry(
    site === undefined ? { role: 'management', listen, bus } : { role: 'site', site, listen, bus, management },
  );
  return {
    close: async () => {
      await running.close();
      await bus.close();
      await tracing.shutdown();
    },
  };
});

function needed(credentialsDir: string | undefined, managementUrl: string): string {
  if (credentialsDir !== undefined) return credentialsDir;
  throw new Fault(
    'config.invalid',
    `To report to ${managementUrl}, telemetry needs the site's certificate. Set ISTHMUS_TELEMETRY_CREDENTIALS_DIR, for example to /var/lib/isthmus/lon/credentials.`,
  );
}
