import { readConfig, runMain } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus } from '@isthmus/wiring';
import { settings } from './settings.js';
import { startRegistrar } from './start.js';

/** The registrar as a process of its own. */
await runMain('registrar', async () => {
  const { site, host, port } = readConfig('registrar', settings);
  const tracing = startTracing('registrar', { attributes: { 'isthmus.site': site } });
  const bus = await serviceBus('registrar');
  const running = await startRegistrar({ site, listen: { host, port }, bus });
  return {
    close: async () => {
      await running.close();
      await bus.close();
      await tracing.shutdown();
    },
  };
});
