import { loadCredentials } from '@isthmus/estate-http';
import { linkedBus } from '@isthmus/bus-link';
import { Fault } from '@isthmus/kernel';
import { DRAIN_WITHIN_MS, startMediaNode } from '@isthmus/media-node';
import { logOf } from '@isthmus/service-kit';
import type { MediaNodeConfig } from '../part-config.js';
import type { RunningPart } from '../part.js';
import { startAll } from '../parts-list.js';
import { translatorOf } from '../relay/relay-plan.js';
import { systemClock as clock } from '../system-clock.js';

/** One media node in a process of its own: if it ends, however it ends, nothing else of the site does. */
export const startMediaNodeProcess = (config: MediaNodeConfig): Promise<RunningPart> =>
  startAll(async (parts) => {
    const { site, node, host, clientHost, ports, capacity } = config;
    const credentials = await loadCredentials(config.credentials);
    if (credentials === undefined) {
      throw new Fault('site.not-enrolled', `Media node ${node} finds no certificate in ${config.credentials}. Is its site enrolled?`);
    }
    const bus = parts.add(
      linkedBus({
        url: config.bus,
        name: node,
        credentials: () => credentials,
        expect: (identity) => identity.kind === 'site' && identity.site === site,
        log: logOf('media-node').child({ node }),
      }),
    );
    const running = parts.add(
      await startMediaNode({
        ...{ site, node, capacity, bus, clock },
        listen: { host: clientHost, port: ports.client, ...(config.tls ? { tls: config.tls } : {}) },
        link: { host, port: ports.mediaLink },
        credentials: () => credentials,
        webRtc: { ip: clientHost, port: ports.webRtc },
        plain: { ip: host, portMin: ports.crossings.from, portMax: ports.crossings.to },
        translate: config.relay ? translatorOf(config.relay, site) : (other) => other,
      }),
    );
    // First of all, while everything still works.
    parts.add({ close: () => running.drain(DRAIN_WITHIN_MS) });
    return { facts: { node } };
  });
