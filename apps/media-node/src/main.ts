import type { SiteId } from '@isthmus/kernel';
import type { NodeId } from '@isthmus/placement';
import { readConfig, runMain } from '@isthmus/service-kit';
import { startTracing } from '@isthmus/telemetry-otel';
import { serviceBus, siteCredentials, translation } from '@isthmus/wiring';
import { settings } from './settings.js';
import { DRAIN_WITHIN_MS, startMediaNode } from './start.js';

await runMain('media-node', async () => {
  const config = readConfig('media-node', settings);
  const { host, clientHost = host, tlsCertFile, tlsKeyFile } = config;
  const site = config.site as SiteId;
  const credentials = await siteCredentials('media-node', site, config.credentialsDir);
  const tracing = startTracing('media-node', { attributes: { 'isthmus.site': site } });
  const bus = await serviceBus('media-node', { site, credentials: async () => credentials });
  const service = await startMediaNode({
    site,
    node: config.node as NodeId,
    listen: {
      host: clientHost,
      port: config.port,
      ...(tlsCertFile && tlsKeyFile ? { tls: { certFile: tlsCertFile, keyFile: tlsKeyFile } } : {}),
    },
    ...(config.clientUrl === undefined ? {} : { clientUrl: config.clientUrl }),
    link: { host, port: config.linkPort },
    credentials: () => credentials,
    webRtc: {
      ip: clientHost,
      port: config.mediaPort,
      ...(config.announcedAddress === undefined ? {} : { announcedAddress: config.announcedAddress }),
    },
    plain: { ip: host, portMin: config.pipePortMin, portMax: config.pipePortMax },
    capacity: config.capacity,
    translate: translation(config.linkVia),
    bus,
  });
  return {
    close: async () => {
      await service.drain(DRAIN_WITHIN_MS);
      await service.close();
      await bus.close();
      await tracing.shutdown();
    },
  };
});
