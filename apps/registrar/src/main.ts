import { z } from 'zod';
import { common } from '@isthmus/protocol';
import { readConfig, runMain, setting } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus } from '@isthmus/wiring';
import { startRegistrar } from './start.js';

const settings = {
  site: setting(common.siteId, { says: 'The site it serves.', example: 'nyc' }),
  host: setting(z.string().default('127.0.0.1'), { says: 'The address it listens on.', example: '192.0.2.11' }),
  port: setting(z.coerce.number().int().min(0).max(65_535).default(7102), { says: 'The port it listens on.', example: '7102' }),
};

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
