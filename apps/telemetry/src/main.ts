import { z } from 'zod';
import { Fault } from '@isthmus/kernel';
import { common } from '@isthmus/protocol';
import { readConfig, runMain, setting } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus, siteCredentials } from '@isthmus/wiring';
import { startTelemetry } from './start.js';

const SETTINGS = {
  host: setting(z.string().default('127.0.0.1'), { says: 'Address for health and /metrics.', example: '127.0.0.11' }),
  port: setting(z.coerce.number().int().min(0).max(65_535).default(7003), { says: 'Port for health and /metrics.', example: '7103' }),
  site: setting(common.siteId.optional(), { says: 'The site that this is a part of; left out on the management node.', example: 'lon' }),
  managementUrl: setting(z.url().optional(), { says: "Management's door for sites; with SITE.", example: 'https://127.0.0.10:7001' }),
  credentialsDir: setting(z.string().optional(), {
    says: 'Folder in which the site keeps what enrolment gave it; with SITE.',
    example: '/var/lib/isthmus/lon',
  }),
};

await runMain('telemetry', async () => {
  const { host, port, site, managementUrl, credentialsDir } = readConfig('telemetry', SETTINGS);
  const tracing = startTracing('telemetry');
  const bus = await serviceBus('telemetry');
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
