import { z } from 'zod';
import { embeddedBus } from '@isthmus/bus-embedded';
import { loadCredentials } from '@isthmus/estate-http';
import { Fault } from '@isthmus/kernel';
import { common } from '@isthmus/protocol';
import { readConfig, runMain, setting } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
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
  const bus = embeddedBus();
  const listen = { host, port };
  const credentials = credentialsDir === undefined ? undefined : await loadCredentials(credentialsDir);
  if (site !== undefined && managementUrl !== undefined && !credentials) {
    throw new Fault(
      'credentials.missing',
      `There is no certificate of site ${site} in ${credentialsDir ?? 'any folder'}. Enrol the site first, and name its folder.`,
    );
  }
  const management = managementUrl !== undefined && credentials ? { url: managementUrl, credentials } : undefined;
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
