import { readConfig, runMain } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus } from '@isthmus/wiring';
import { settings } from './settings.js';
import { startGatewayRouter } from './start.js';

/** The gateway-router as a process of its own: with KAFKA_BROKERS a part of its site, without it a door that refuses calls with `site.starting`. */
await runMain('gateway-router', async () => {
  const { site, siteName = site, host, port, certFile, keyFile, meetDir, allowedOrigins, graceMs } = readConfig('gateway-router', settings);
  const tracing = startTracing('gateway-router', { attributes: { 'isthmus.site': site } });
  const bus = await serviceBus('gateway-router');
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
