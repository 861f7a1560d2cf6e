import { openBusDoor, type BusDoor, type BusMember, type BusRights } from '@isthmus/bus-link';
import type { SiteId } from '@isthmus/kernel';
import type { Credentials } from '@isthmus/peers-http';
import type { Bus } from '@isthmus/ports';
import { common, TOPICS } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit';

/** What a media node says and hears, and nothing more: one that was taken over can neither ask for seats nor read who is where. */
const OF_A_MEDIA_NODE: BusRights = {
  publish: new Set([TOPICS.nodes, TOPICS.mediaEvents]),
  request: new Set(),
  subscribe: new Set([TOPICS.desires]),
};

export interface SiteDoorOptions {
  readonly site: SiteId;
  readonly bus: Bus;
  readonly host: string;
  readonly port: number;
  readonly credentials: () => Credentials;
}

/** Where media nodes that are processes of their own take part in the site's bus. One that leaves it is told to everybody. */
export const openSiteDoor = ({ site, bus, ...listen }: SiteDoorOptions): Promise<BusDoor> => {
  const log = logOf('site').child({ site });
  return openBusDoor({
    ...listen,
    ...{ bus, log },
    admit: (member) => refusal(site, member) ?? OF_A_MEDIA_NODE,
    left: (node) => {
      log.warn({ node }, 'a media node has left the bus');
      bus.publish({ topic: TOPICS.nodeLosses, key: node, value: { node } }).catch(() => undefined);
    },
  });
};

/** A site's certificate speaks for all of its nodes, a node's for that node (ADR 0005). */
const refusal = (site: SiteId, { identity, name }: BusMember): string | undefined => {
  if (!common.nodeId.safeParse(name).success) return 'that is no name of a media node';
  if (identity.kind === 'management' || identity.site !== site) return 'this is the bus of another site';
  return identity.kind === 'node' && identity.node !== name ? 'the certificate is of another node' : undefined;
};
