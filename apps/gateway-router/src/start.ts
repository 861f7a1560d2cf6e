import { randomUUID } from 'node:crypto';
import type { SiteId } from '@isthmus/kernel';
import type { Bus, Clock } from '@isthmus/ports';
import { clientToGateway, type ClientToGateway, type GatewayToClient } from '@isthmus/protocol';
import { acceptJsonSockets, startService, tracedBus, type JsonSocketServer, type Listen, type RunningService } from '@isthmus/service-kit';
import { Brain } from './brain.js';
import { ClientEdge } from './client.edge.js';
import { Farewell } from './farewell.js';
import { GatewayModule } from './gateway.module.js';
import { servePages } from './pages.js';
import { PinCheck } from './pin-check.js';
import { PinThrottle } from './pin-throttle.js';
import { Reception } from './reception.js';
import { Seats } from './seats.js';
import { SiteCopy } from './site-copy.js';
import { Ways } from './ways.js';

const NAME = 'gateway-router';

export interface GatewayRouterOptions {
  readonly site: SiteId;
  /** What people call the site. */
  readonly siteName: string;
  readonly listen: Listen;
  readonly bus: Bus;
  /** The meeting client's build; without it only `/ws` is served. */
  readonly meetDir?: string;
  /** Origins of pages, besides those of this host and of the deployment's other sites, that may connect. */
  readonly allowedOrigins?: readonly string[];
  /** How long a seat is kept for a client whose connection broke. Default 20 s. */
  readonly graceMs?: number;
  readonly clock?: Clock;
}

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Starts a site's door: every call enters here. So far: WebRTC clients by WebSocket at `/ws`, and the page they come with. */
export const startGatewayRouter = async (options: GatewayRouterOptions): Promise<RunningService> => {
  const { site, siteName, listen, meetDir, allowedOrigins, graceMs = 20_000, clock = systemClock } = options;
  const bus = tracedBus(options.bus, NAME);
  const copy = new SiteCopy(site, bus, clock);
  const brain = new Brain(site, bus);
  const seats = new Seats(brain, clock, graceMs);
  const reception = new Reception(() => copy.estate, new PinCheck(), new PinThrottle(clock));
  const ways = new Ways(site, () => copy.estate);
  const farewell = new Farewell(site, () => copy.estate, seats, ways);
  const clients = new ClientEdge({ siteName, copy, reception, brain, seats, farewell });
  let door: JsonSocketServer | undefined;
  copy.start();
  try {
    return await startService({
      name: NAME,
      module: GatewayModule.of(seats, copy, farewell, ways),
      listen,
      bus,
      // Views, estate and node reports are for every gateway-router of a site, not for one of them.
      group: `${NAME}-${randomUUID()}`,
      checks: {
        estate: () => (copy.known ? undefined : 'not learned yet: no conference-brain has answered'),
        'media-nodes': () => (copy.rtpCapabilities() ? undefined : 'none has reported in the last 5 s'),
      },
      configure: (app) => {
        servePages(app, meetDir, listen.tls !== undefined);
        door = acceptJsonSockets<ClientToGateway, GatewayToClient>(app.getHttpServer(), {
          service: NAME,
          path: '/ws',
          schema: clientToGateway,
          connected: clients.connected,
          // People come by themselves from a site that is to end, with the page that they got there (ADR 0090).
          origins: () => [...(allowedOrigins ?? []), ...ways.origins()],
        });
      },
      drain: async () => {
        copy.close();
        seats.close();
        await door?.close();
      },
    });
  } catch (error) {
    copy.close();
    throw error;
  }
};
