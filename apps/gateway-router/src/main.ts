import { Fault } from '@isthmus/kernel';
import { readConfig, runMain } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus, siteCredentials } from '@isthmus/wiring';
import { settings } from './settings.js';
import { startGatewayRouter } from './start.js';

/** The gateway-router as a process of its own: with KAFKA_BROKERS a part of its site, without it a door that refuses calls with `site.starting`. */
await runMain('gateway-router', async () => {
  const {
    site,
    siteName = site,
    host,
    port,
    certFile,
    keyFile,
    meetDir,
    allowedOrigins,
    graceMs,
    credentialsDir,
  } = readConfig('gateway-router', settings);
  const tracing = startTracing('gateway-router', { attributes: { 'isthmus.site': site } });
  const bus = await serviceBus('gateway-router', {
    site,
    credentials: async () => siteCredentials('gateway-router', site, needed(credentialsDir)),
  });
  const running = await startGatewayRouter({
    site,
    siteName,
    bus,
    graceMs,
    listen: { host, port, ...(certFile && keyFile ? { tls: { certFile, keyFile } } : {}) },
    ...(meetDir ? { meetDir } : {}),
    ...(allowedOrigins ? { allowedOrigins } : {}),
  });
  return {
    close: async () => {
      await running.close();
      await bus.close();
      await tracing.shutdown();
    },
  };
});

function needed(credentialsDir: string | undefined): string {
  if (credentialsDir !== undefined) return credentialsDir;
  throw new Fault(
    'config.invalid',
    "To go past Kafka (BUS_DOORS), the gateway-router needs the site's certificate. Set ISTHMUS_GATEWAY_ROUTER_CREDENTIALS_DIR, for example to /var/lib/isthmus/lon/credentials.",
  );
}
