import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Module, type DynamicModule } from '@nestjs/common';
import type { SiteId } from '@isthmus/kernel';
import { managementAt } from '@isthmus/estate-http';
import type { Credentials } from '@isthmus/peers-http';
import type { Bus, Clock } from '@isthmus/ports';
import { TOPICS } from '@isthmus/protocol';
import { logOf, startService, type Listen, type RunningService } from '@isthmus/service-kit';
import { Forwarder } from './forwarder.js';
import { CLOCK, knownEstate, ManagementEdge, momentOf } from './management.edge.js';
import { managementMetrics, siteMetrics } from './metrics.js';
import { Picture } from './picture.js';
import { SiteDesk } from './site-desk.js';
import { SiteEdge } from './site.edge.js';

export interface SiteTelemetryOptions {
  readonly role: 'site';
  readonly site: SiteId;
  /** Health and `/metrics`. */
  readonly listen: Listen;
  /** The site's bus. */
  readonly bus: Bus;
  /** Management's door for sites. Left out, reports stay here. */
  readonly management?: { readonly url: string; readonly credentials: Credentials | (() => Credentials) } | undefined;
  readonly clock?: Clock;
}

export interface ManagementTelemetryOptions {
  readonly role: 'management';
  /** Health and `/metrics`. */
  readonly listen: Listen;
  /** Management's bus: provisioning brings reports and the estate on it, and takes the status from it. */
  readonly bus: Bus;
  readonly clock?: Clock;
}

export type TelemetryOptions = SiteTelemetryOptions | ManagementTelemetryOptions;

const EVERY_MS = 1_000;
const REPORT_DEADLINE_MS = 5_000;
const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Starts telemetry: at a site, where it listens and passes on; or at management, where it puts together what all sites say. */
export const startTelemetry = (options: TelemetryOptions): Promise<RunningService> =>
  options.role === 'site' ? startAtSite(options) : startAtManagement(options);

@Module({})
class TelemetryModule {}

const startAtSite = async ({ site, listen, bus, management, clock = systemClock }: SiteTelemetryOptions): Promise<RunningService> => {
  const desk = new SiteDesk();
  const credentials = management?.credentials;
  const line =
    management && managementAt(management.url, typeof credentials === 'function' ? credentials : () => credentials as Credentials);
  const forwarder = new Forwarder(async (batch, signal) => {
    // Sent now, however long it has waited: management compares our clock with its own by it.
    const body = { ...batch, sentAt: momentOf(clock).now };
    if (line) await line.ask({ method: 'POST', path: '/reports/v1', body, deadlineMs: REPORT_DEADLINE_MS, signal });
  });
  const module: DynamicModule = { module: TelemetryModule, controllers: [SiteEdge], providers: [{ provide: SiteDesk, useValue: desk }] };
  const run = randomUUID();
  let number = 0;
  const report = setInterval(() => {
    const { now, monotonic } = momentOf(clock);
    if (line) forwarder.push(desk.batch({ site, run, number: number++, sentAt: now, dropped: forwarder.dropped }, monotonic));
  }, EVERY_MS);
  const stop = async (): Promise<void> => {
    clearInterval(report);
    await forwarder.close();
    line?.close();
  };
  return stoppingToo(
    startService({
      name: 'telemetry',
      module,
      listen,
      bus,
      configure: (app) =>
        void app.use(
          '/metrics',
          metrics(() => siteMetrics(site, desk, forwarder.dropped, clock.monotonic())),
        ),
    }),
    stop,
  );
};

const startAtManagement = async ({ listen, bus, clock = systemClock }: ManagementTelemetryOptions): Promise<RunningService> => {
  const picture = new Picture(momentOf(clock));
  const module: DynamicModule = {
    module: TelemetryModule,
    controllers: [ManagementEdge],
    providers: [
      { provide: Picture, useValue: picture },
      { provide: CLOCK, useValue: clock },
    ],
  };
  const tell = (): void => {
    const publishing = bus.publish({ topic: TOPICS.statuses, key: 'status', value: picture.status(momentOf(clock)) });
    publishing.catch((error: unknown) => logOf('telemetry').warn({ error }, 'the status was not told'));
  };
  const telling = setInterval(tell, EVERY_MS);
  const running = await stoppingToo(
    startService({
      name: 'telemetry',
      module,
      listen,
      bus,
      configure: (app) =>
        void app.use(
          '/metrics',
          metrics(() => managementMetrics(picture.status(momentOf(clock)))),
        ),
    }),
    async () => clearInterval(telling),
  );
  // Provisioning may have said it before we listened; it may also not be there yet, and will say it when it is.
  bus.request({ topic: TOPICS.estateRequests, key: 'estate', value: {} }, 2_000).then(
    ({ value }) => {
      const parsed = knownEstate.safeParse(value);
      if (parsed.success) picture.know(parsed.data);
    },
    () => undefined,
  );
  return running;
};

const metrics =
  (text: () => string) =>
  (_request: unknown, response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' });
    response.end(text());
  };

/** The service, and what stops with it, also if it cannot start. */
const stoppingToo = async (starting: Promise<RunningService>, stop: () => Promise<void>): Promise<RunningService> => {
  const running = await starting.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await stop();
    await running.close();
  };
  return { ...running, close: () => (closing ??= close()) };
};
