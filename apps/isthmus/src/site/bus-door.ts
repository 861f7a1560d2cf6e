import { z } from 'zod';
import { openBusDoor, type BusDoor, type BusMember } from '@isthmus/bus-link';
import { isAsNew, nodeWordOf } from '@isthmus/estate';
import type { SiteId } from '@isthmus/kernel';
import type { Credentials } from '@isthmus/peers-http';
import type { Bus } from '@isthmus/ports';
import { common, nodeWords, TOPICS } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit';
import { OF_A_MEDIA_NODE, REMOVED } from '@isthmus/wiring';

export interface SiteDoorOptions {
  readonly site: SiteId;
  readonly bus: Bus;
  readonly host: string;
  readonly port: number;
  readonly credentials: () => Credentials;
}

/** The brain of the site is in the same process, and knows. */
const ESTATE_WITHIN_MS = 5_000;
const estate = z.object({ revision: z.int(), generation: z.int().exactOptional(), nodes: nodeWords.exactOptional() });

/** Where media nodes that are processes of their own take part in the site's bus. One that leaves it is told to everybody; one
 * that an administrator removed is turned away (ADR 0072). */
export const openSiteDoor = async ({ site, bus, ...listen }: SiteDoorOptions): Promise<Pick<BusDoor, 'url' | 'close'>> => {
  const log = logOf('site').child({ site });
  const isRemoved = (node: string) => nodeWordOf(known, node)?.state === 'removed';
  let known: z.infer<typeof estate> = { revision: 0 };
  const door = await openBusDoor({
    ...listen,
    ...{ bus, log },
    admit: (member) => refusal(site, member) ?? (isRemoved(member.name) ? REMOVED : OF_A_MEDIA_NODE),
    left: (node) => {
      log.warn({ node }, 'a media node has left the bus');
      bus.publish({ topic: TOPICS.nodeLosses, key: node, value: { node } }).catch(() => undefined);
    },
  });
  const told = (value: unknown): void => {
    const said = estate.parse(value);
    // The answer to the question may be older than what was told meanwhile.
    if (!isAsNew(said, known)) return;
    known = said;
    for (const node of Object.keys(known.nodes ?? {})) if (isRemoved(node)) door.dismiss(node, REMOVED);
  };
  const following = await bus.subscribe(TOPICS.estate, { group: 'bus-door' }, async ({ value }) => told(value));
  const { value } = await bus.request({ topic: TOPICS.estateRequests, key: 'estate', value: {} }, ESTATE_WITHIN_MS);
  told(value);
  return {
    url: door.url,
    close: async () => {
      await following.close();
      await door.close();
    },
  };
};

/** A site's certificate speaks for all of its nodes, a node's for that node (ADR 0005). */
const refusal = (site: SiteId, { identity, name }: BusMember): string | undefined => {
  if (!common.nodeId.safeParse(name).success) return 'that is no name of a media node';
  if (identity.kind === 'management' || identity.site !== site) return 'this is the bus of another site';
  return identity.kind === 'node' && identity.node !== name ? 'the certificate is of another node' : undefined;
};
