import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedBus } from '@isthmus/bus-embedded';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { supervision, TOPICS } from '@isthmus/protocol';
import { startProvisioning } from '@isthmus/provisioning';
import { logOf } from '@isthmus/service-kit';
import { startTelemetry } from '@isthmus/telemetry';
import { startTracing } from '@isthmus/telemetry-otel';
import type { ManagementConfig } from '../part-config.js';
import { openControls } from '../backup/control.js';
import type { RunningPart } from '../part.js';
import { startAll } from '../parts-list.js';
import { relayLinks } from '../relay/relay-links.js';
import { systemClock as clock } from '../system-clock.js';
import { serveAuthority } from './authority-page.js';

/**
 * A management node in one process: provisioning with the portal, and the telemetry that puts together what sites report.
 * @param webRoot the folder that has `portal/dist`
 */
export const startManagement = (config: ManagementConfig, webRoot: string): Promise<RunningPart> =>
  startAll(async (parts) => {
    const { host, clientHost, portalPort, sitePort, telemetryPort, tls, stateDir, firstAdministrator } = config;
    const log = logOf('management');
    const tracing = startTracing('isthmus', { attributes: { 'isthmus.site': 'management' } });
    parts.add({ close: () => tracing.shutdown() });
    const bus = parts.add(embeddedBus({ report: ({ topic, group, error }) => log.error({ topic, group, error }, 'a handler failed') }));
    const store = parts.add(await sqliteEventStore({ file: join(stateDir, 'facts.db') }));
    parts.add(await openControls(stateDir, { copyFacts: (to) => store.copyTo(to) }));
    const portalDir = join(webRoot, 'portal', 'dist');
    const provisioning = parts.add(
      await startProvisioning({
        listen: { host: clientHost, port: portalPort, ...(tls ? { tls } : {}) },
        siteListen: { host, port: sitePort },
        ...{ store, bus, stateDir, firstAdministrator, clock },
        portalDir: existsSync(portalDir) ? portalDir : undefined,
        demoLinks: config.relayControl === undefined ? undefined : relayLinks(config.relayControl),
      }),
    );
    parts.add(await startTelemetry({ role: 'management', listen: { host, port: telemetryPort }, bus, clock }));
    if (config.authority) parts.add(await serveAuthority(config.authority.file, { host: clientHost, port: config.authority.port }));
    for (const site of config.sites) await provisioning.ensureSite(site);
    for (const room of config.rooms) await provisioning.ensureRoom({ ...room, aliases: [...room.aliases] });
    const { siteUrl, caFingerprint, madeFirstAdministrator } = provisioning;
    return {
      facts: { siteUrl, caFingerprint, madeFirstAdministrator },
      answers: {
        'enrolment-token': (site: string) => provisioning.createEnrolmentToken(site),
        // Whoever watches the processes of this machine, about one that it has given up, for everybody to see.
        supervision: async (about: string) => {
          const value = supervision.parse(JSON.parse(about));
          await bus.publish({ topic: TOPICS.supervision, key: value.part, value });
        },
      },
    };
  });
