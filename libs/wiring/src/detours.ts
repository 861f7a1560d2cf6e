import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { embeddedBus } from '@isthmus/bus-embedded';
import { detouredBus, DETOURS, linkedBus, openBusDoor, type BusMember, type BusRights, type MainBus, type Way } from '@isthmus/bus-link';
import type { SiteId } from '@isthmus/kernel';
import type { Credentials } from '@isthmus/peers-http';
import type { Bus } from '@isthmus/ports';
import { nodeWords, TOPICS } from '@isthmus/protocol';
import { logOf, readConfig, setting } from '@isthmus/service-kit';

const doors = z
  .string()
  .transform((list) => list.split(',').map((door) => door.trim()))
  .pipe(z.array(z.string().regex(/^wss:\/\/[^/:\s]+:\d{1,5}$/, 'it must be wss://host:port')).min(1));

/** The same for every service of a site. */
export const BUS_SETTINGS = {
  doors: setting(doors.optional(), {
    says: 'Doors of the conference-brains of this site, by which its services reach each other while Kafka is away; with KAFKA_BROKERS.',
    example: 'wss://192.0.2.11:7105,wss://192.0.2.12:7105',
  }),
};

/** What a service needs to go past Kafka. */
export interface DetourParts {
  readonly site: SiteId;
  /** Of the site, or of the node; waited for if they are not there yet. */
  readonly credentials: () => Promise<Credentials>;
  /** Where a conference-brain lets the others in. */
  readonly door?: { readonly host: string; readonly port: number };
}

/** What a media node says and hears, and nothing more: one that was taken over can neither ask for seats nor read who is where. */
export const OF_A_MEDIA_NODE: BusRights = {
  publish: new Set([TOPICS.nodes, TOPICS.mediaEvents]),
  request: new Set(),
  subscribe: new Set([TOPICS.desires, TOPICS.nodeDismissals]),
};
/** Why a door is closed to a node, as it is told. */
export const REMOVED = 'an administrator removed this media node';
const EVERY_TOPIC: ReadonlySet<string> = new Set(Object.values(TOPICS));

const withDetours = ({ publish, request, subscribe }: BusRights): BusRights => ({
  publish: new Set([...publish, DETOURS]),
  request,
  subscribe: new Set([...subscribe, DETOURS]),
});

/**
 * Who may come in by a brain's door, and what for: the site's own services everything, a node that has a certificate of its own what
 * nodes do, unless an administrator has removed it (ADR 0072).
 */
export const admitted =
  (site: SiteId, isRemoved: (node: string) => boolean) =>
  ({ identity }: BusMember): BusRights | string => {
    if (identity.kind === 'management' || identity.site !== site) return 'this is the door of another site';
    if (identity.kind === 'node' && isRemoved(identity.node)) return REMOVED;
    return withDetours(identity.kind === 'node' ? OF_A_MEDIA_NODE : { publish: EVERY_TOPIC, request: EVERY_TOPIC, subscribe: EVERY_TOPIC });
  };

/**
 * The bus with the ways past Kafka that `BUS_DOORS` names (ADR 0080); without that, Kafka alone.
 * @throws Fault `config.invalid` | `link.port-taken` | `link.cannot-listen`
 */
export const withDetour = async (service: string, main: MainBus, parts: DetourParts, environment = process.env): Promise<Bus> => {
  const { doors: urls } = readConfig('bus', BUS_SETTINGS, environment, 'BUS_');
  if (urls === undefined) return main;
  const log = logOf(service);
  const { site, door } = parts;
  const credentials = await parts.credentials();
  const own = door && `wss://${door.host}:${door.port}`;
  const linked = urls
    .filter((url) => url !== own)
    .map((url) =>
      linkedBus({
        url,
        name: `${service}.${randomUUID()}`,
        credentials: () => credentials,
        expect: (identity) => identity.kind === 'site' && identity.site === site,
        log: log.child({ door: url }),
      }),
    );
  const opened = door && (await openedDoor(site, door, credentials, log));
  const bus = detouredBus({ main, mainName: 'Kafka', ways: opened === undefined ? linked : [...linked, opened.way], log });
  if (opened === undefined) return bus;
  return {
    ...bus,
    publish: (message) => {
      if (message.topic === TOPICS.estate) opened.told(message.value);
      return bus.publish(message);
    },
  };
};

/** A way that begins here, and the estate for those who come in by it, as the brain of this process tells it. */
interface OpenedDoor {
  readonly way: Way;
  told(estate: unknown): void;
}

/** A way that begins here: what is said past Kafka goes through this process, and whoever came in by the door hears it. */
const openedDoor = async (
  site: SiteId,
  { host, port }: { readonly host: string; readonly port: number },
  credentials: Credentials,
  log: ReturnType<typeof logOf>,
): Promise<OpenedDoor> => {
  const hub = embeddedBus({ report: ({ topic, group, error }) => log.error({ topic, group, error }, 'a handler failed') });
  let removed: ReadonlySet<string> = new Set();
  const isRemoved = (node: string) => removed.has(node);
  /** Under which names nodes are here with certificates of their own. */
  const names = new Map<string, string>();
  const door = await openBusDoor({
    ...{ bus: hub, host, port, credentials: () => credentials, log },
    admit: (member) => {
      if (member.identity.kind === 'node') names.set(member.name, member.identity.node);
      return admitted(site, isRemoved)(member);
    },
    left: (name) => names.delete(name),
  });
  const told = (estate: unknown): void => {
    const { nodes = {} } = saidOfNodes.parse(estate);
    removed = new Set(Object.keys(nodes).filter((node) => nodes[node]?.state === 'removed'));
    for (const [name, node] of [...names]) if (isRemoved(node)) door.dismiss(name, REMOVED);
  };
  const close = async (): Promise<void> => {
    await door.close();
    await hub.close();
  };
  return { way: { ...hub, linked: () => true, close }, told };
};

const saidOfNodes = z.object({ nodes: nodeWords.exactOptional() });
