import { join } from 'node:path';
import type { NodeId } from '@isthmus/placement';
import { embeddedBus } from '@isthmus/bus-embedded';
import { startBrain } from '@isthmus/conference-brain';
import { followEstate } from '@isthmus/estate-http';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { startGatewayRouter } from '@isthmus/gateway-router';
import { startMediaNode } from '@isthmus/media-node';
import { certificateSignatures, httpPeers } from '@isthmus/peers-http';
import { startRegistrar } from '@isthmus/registrar';
import { logOf } from '@isthmus/service-kit';
import { startTelemetry } from '@isthmus/telemetry';
import { startTracing } from '@isthmus/telemetry-otel';
import { resumeKeyIn } from '@isthmus/wiring';
import type { SiteConfig } from '../part-config.js';
import { openControls } from '../backup/control.js';
import type { RunningPart } from '../part.js';
import { startAll } from '../parts-list.js';
import { translatorOf } from '../relay/relay-plan.js';
import { systemClock as clock } from '../system-clock.js';
import { openSiteDoor } from './bus-door.js';
import { siteCredentials } from './site-credentials.js';

/**
 * All services of one site in one process: on an embedded bus and one SQLite store, as the smallest deployment and every site
 * of the demo run. The same services run apart by their own `main.ts`.
 * @param webRoot the folder that has `meet/dist`
 */
export const startSite = (config: SiteConfig, webRoot: string): Promise<RunningPart> =>
  startAll(async (parts) => {
    const { site, name, host, clientHost, ports, stateDir, management, capacity } = config;
    const log = logOf('site').child({ site });
    const credentials = await siteCredentials(config);
    const tracing = startTracing('isthmus', { attributes: { 'isthmus.site': site } });
    parts.add({ close: () => tracing.shutdown() });
    const bus = parts.add(embeddedBus({ report: ({ topic, group, error }) => log.error({ topic, group, error }, 'a handler failed') }));
    const store = parts.add(await sqliteEventStore({ file: join(stateDir, 'facts.db') }));
    parts.add(await openControls(stateDir, { copyFacts: (to) => store.copyTo(to) }));
    const translate = config.relay ? translatorOf(config.relay, site) : (other: string) => other;
    const peers = httpPeers({
      site,
      listen: { host, port: ports.brainLink },
      credentials: () => credentials,
      clock,
      translate,
      report: ({ peer, message }) => log.warn({ peer }, message),
    });

    parts.add(
      await startBrain({
        site,
        listen: { host, port: ports.brainHealth },
        ...{ bus, store, peers, clock, signatures: certificateSignatures(() => credentials) },
        resumeKey: resumeKeyIn(stateDir),
        followEstate: (after, applied, signal, word, last) =>
          followEstate({
            ...{ url: management.url, credentials, after, last, applied, signal, word },
            trouble: (error) =>
              error
                ? log.warn({ error }, 'management cannot be followed; the copy here is used')
                : log.info('management is followed again'),
          }),
      }),
    );
    parts.add(
      await startTelemetry({
        role: 'site',
        ...{ site, bus, clock },
        listen: { host, port: ports.telemetry },
        management: { url: management.url, credentials },
      }),
    );
    const clients = (port: number) => ({ host: clientHost, port, ...(config.tls ? { tls: config.tls } : {}) });
    const starting = ports.nodes.map(async (node, at) =>
      parts.add(
        await startMediaNode({
          site,
          node: `${site}-${at + 1}` as NodeId,
          listen: clients(node.client),
          link: { host, port: node.mediaLink },
          credentials: () => credentials,
          webRtc: { ip: clientHost, port: node.webRtc },
          plain: { ip: host, portMin: node.crossings.from, portMax: node.crossings.to },
          ...{ capacity, bus, translate, clock },
        }),
      ),
    );
    if (ports.bus !== undefined) {
      parts.add(await openSiteDoor({ site, bus, host, port: ports.bus, credentials: () => credentials }));
    }
    // All of them, so that none is still starting while the others are ended again.
    const failed = (await Promise.allSettled(starting)).find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    parts.add(await startRegistrar({ site, listen: { host, port: ports.registrar }, bus }));
    // The door opens last.
    parts.add(
      await startGatewayRouter({ site, siteName: name, listen: clients(ports.meet), bus, clock, meetDir: join(webRoot, 'meet', 'dist') }),
    );
    return { facts: { site } };
  });
