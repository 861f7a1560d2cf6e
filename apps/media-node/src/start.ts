import { setTimeout as wait } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import type { SiteId } from '@isthmus/kernel';
import { startEngine, type EngineOptions } from '@isthmus/media-mediasoup';
import type { Credentials } from '@isthmus/peers-http';
import type { NodeId } from '@isthmus/placement';
import type { Bus, Clock } from '@isthmus/ports';
import { nodeDismissal, TOPICS, type MediaEvent, type NodeReport } from '@isthmus/protocol';
import { busCheck, logOf, startService, type JsonSocketServer, type Listen, type RunningService } from '@isthmus/service-kit';
import { acceptClients } from './client.edge.js';
import { MediaNode } from './media-node.js';
import { linkNodes, type NodeLinks } from './node-links.js';
import { Probes } from './probes.js';

export interface MediaNodeServiceOptions {
  readonly site: SiteId;
  readonly node: NodeId;
  /** For clients. */
  readonly listen: Listen;
  /** What clients call this host, if it is not `listen.host`. */
  readonly announcedHost?: string;
  /** What clients are told to connect to; default: made of the above. */
  readonly clientUrl?: string;
  /** For other nodes, mutually authenticated. */
  readonly link: { readonly host: string; readonly port: number };
  /** Who this node, or its site, is. Asked at each connection, so that they can rotate. */
  readonly credentials: () => Credentials;
  readonly webRtc: EngineOptions['webRtc'];
  readonly plain: EngineOptions['plain'];
  /** Most legs that should be placed here. */
  readonly capacity: number;
  readonly bus: Bus;
  readonly workerBin?: string;
  /** The address under which another site's host is reached from here. */
  readonly translate?: (host: string) => string;
  readonly clock?: Clock;
}

export interface MediaNodeService extends RunningService {
  /** Has everybody moved to other nodes of the site. Resolves when nobody is left here, or after so long. */
  drain(withinMs: number): Promise<void>;
}

@Module({})
class MediaNodeModule {}

/** How long its people have to move to other nodes of the site when its process is told to stop. */
export const DRAIN_WITHIN_MS = 2_500;

const NAME = 'media-node';
const TICK_MS = 1_000;
const DRAIN_LOOK_MS = 100;
/** A node that was removed is told so at each of its reports, one a second. */
const DISMISSED_FOR_MS = 5_000;
const SYSTEM_CLOCK: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Starts one media node. Several may share a process; each has a worker process of its own. */
export const startMediaNode = async (options: MediaNodeServiceOptions): Promise<MediaNodeService> => {
  const { site, node: id, listen, bus, webRtc, plain, workerBin, capacity, clock = SYSTEM_CLOCK, translate = (host) => host } = options;
  const log = logOf(NAME).child({ node: id });
  let closing: Promise<void> | undefined;
  const quietly = (what: string) => (error: unknown) => {
    if (!closing) log.warn({ error }, `${what} could not be published`);
  };
  const publish = (event: MediaEvent): void => {
    bus.publish({ topic: TOPICS.mediaEvents, key: event.conference, value: event }).catch(quietly('a media event'));
  };

  // Assigned once the node exists, which speaks through it.
  let links: NodeLinks | undefined = undefined;
  const probes = await Probes.open({
    site,
    plain,
    translate,
    link: (all) => links?.want(all),
    send: (to, message) => links?.send(to, message),
    changed: () => void report().catch(quietly('a report')),
  });
  const node = await MediaNode.start({
    site,
    node: id,
    startEngine: () => startEngine({ webRtc, plain, ...(workerBin === undefined ? {} : { workerBin }) }),
    publish,
    send: (to, message) => links?.send(to, message),
    neighbours: (all) => probes.want(all),
    translate,
    log,
    now: () => clock.monotonic(),
  }).catch((error: unknown) => {
    probes.close();
    throw error;
  });

  const failed = async (error: unknown): Promise<never> => {
    probes.close();
    await links?.close();
    await node.close();
    throw error;
  };
  links = await linkNodes({
    site,
    node: id,
    listen: options.link,
    credentials: options.credentials,
    translate,
    message: (from, message) => (message.type === 'probes' ? probes.message(from, message) : node.linkMessage(from, message)),
    up: (other, says) => {
      node.linkUp(other, says);
      probes.linkUp(other);
    },
    down: (other) => node.linkDown(other),
    log,
  }).catch(failed);

  let dismissedAtMs = -Infinity;
  const isDismissed = () => clock.monotonic() - dismissedAtMs < DISMISSED_FOR_MS;
  const dismissed = (value: unknown): void => {
    const said = nodeDismissal.safeParse(value).data;
    if (said?.node !== id || clock.now() - said.at > DISMISSED_FOR_MS) return;
    if (!isDismissed()) log.warn('an administrator removed this media node; it is asked for nothing any more');
    dismissedAtMs = clock.monotonic();
  };

  let clients: JsonSocketServer | undefined;
  const service = await startService({
    name: NAME,
    module: MediaNodeModule,
    listen,
    checks: { engine: () => node.missing(), site: () => (isDismissed() ? DISMISSED : undefined), ...busCheck(bus) },
    configure: (app) => {
      clients = acceptClients(app.getHttpServer(), node);
    },
  }).catch(failed);

  const clientUrl = options.clientUrl ?? clientUrlOf(service.url, options.announcedHost);
  const report = async (): Promise<void> => {
    const media = await node.report();
    probes.pipes(media.pipes);
    const hears = [...probes.report()];
    const value: NodeReport = { node: id, site, clientUrl, linkUrl: links.url, capacity, ...media, hears, at: clock.now() };
    await bus.publish({ topic: TOPICS.nodes, key: id, value });
  };
  const group = `${NAME}-${id}`;
  const subscriptions = await Promise.all([
    bus.subscribe(TOPICS.desires, { group }, async ({ value }) => node.desire(value)),
    bus.subscribe(TOPICS.nodeDismissals, { group }, async ({ value }) => dismissed(value)),
  ]);
  await report().catch(quietly('a report'));
  const ticking = setInterval(() => {
    node.tick();
    report().catch(quietly('a report'));
  }, TICK_MS);

  const drain = async (withinMs: number): Promise<void> => {
    node.leave();
    const late = wait(withinMs).then(() => 'late' as const);
    while (!closing) {
      // A bus that is away takes its time to say so, and nobody waits for that.
      if ((await Promise.race([report().catch(quietly('a report')), late])) === 'late') return;
      if ((await node.report()).legs === 0) return;
      await wait(DRAIN_LOOK_MS);
    }
  };
  const close = async (): Promise<void> => {
    clearInterval(ticking);
    probes.close();
    await Promise.all(subscriptions.map((each) => each.close()));
    await node.close();
    await clients?.close();
    await links.close();
    await service.close();
  };
  return { ...service, drain, close: () => (closing ??= close()) };
};

const DISMISSED =
  'An administrator removed this media node from its site. Stop it, or make this machine a node again by `isthmus node add`.';

/** `ws://127.0.0.11:7110/media`, or `wss:` where the service speaks TLS. */
const clientUrlOf = (serviceUrl: string, host: string | undefined): string => {
  const url = new URL('/media', serviceUrl.replace(/^http/, 'ws'));
  if (host !== undefined) url.hostname = host;
  return url.href;
};
