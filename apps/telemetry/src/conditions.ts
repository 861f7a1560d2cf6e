import type { SiteReport, Status, Supervision } from '@isthmus/protocol';
import type { Condition } from './alarms.js';

/** How long something must be wrong before somebody is told. ms. */
const HOLD = { link: 2_000, node: 2_000, capacity: 3_000, configuration: 10_000, clock: 5_000 } as const;
/** Operators' rule: look at 75 %, act at 90 %. */
const CAPACITY = { warning: 0.75, error: 0.9 } as const;

type Seen = Omit<Status, 'alarms'>;
type SiteSeen = Status['sites'][number];

/**
 * What is wrong with the estate as it runs.
 * @param clockOffsets by how much each site's clock is off ours, ms
 * @param reports what each site last said of itself
 */
export const conditionsIn = (
  seen: Seen,
  clockOffsets: ReadonlyMap<string, number>,
  reports: readonly SiteReport[] = [],
): readonly Condition[] => [
  ...seen.sites.flatMap((site) =>
    site.up ? [...ofNodes(site), ...ofCapacity(site), ...ofConfiguration(site, seen), ...ofClock(site, clockOffsets)] : silent(site),
  ),
  ...ofLinks(seen),
  ...reports.flatMap(ofTroubles),
];

/** Processes that kept ending, so that whoever supervises them has given up. */
export const givenUpIn = (processes: readonly Supervision[]): readonly Condition[] =>
  processes.map(({ part, endings, withinMs, site, node }) => ({
    id: `restarts_exhausted:${part}`,
    code: 'restarts_exhausted',
    level: 'error',
    message: `${part[0]?.toUpperCase()}${part.slice(1)} ended ${endings} times within ${Math.round(withinMs / 1000)} s and is not started again. Look into its log, then start it.`,
    ...(site === undefined ? {} : { site }),
    ...(node === undefined ? {} : { node }),
    forMs: 0,
  }));

/** What a brain says of facts that it was sent: it has gone on, and somebody should look. */
const ofTroubles = ({ site, troubles = [] }: SiteReport): readonly Condition[] =>
  troubles.map(({ code, peer, message }) => ({
    id: `${code}:${site}:${peer ?? ''}`,
    ...{ code, message, site, forMs: 0 },
    level: code === 'peer_poison' ? 'warning' : 'error',
    ...(peer === undefined || peer === site ? {} : { peer }),
  }));

const silent = ({ site, name, lastHeardAt }: SiteSeen): readonly Condition[] => [
  {
    id: `site_silent:${site}`,
    code: 'site_silent',
    level: 'error',
    message:
      lastHeardAt === null
        ? `${name} has not reported since management started. Its meetings may well go on; check its telemetry and its way to here.`
        : `${name} no longer reports. Its meetings may well go on; check its telemetry and its way to here.`,
    site,
    // Telemetry has waited before it called the site silent.
    forMs: 0,
  },
];

const ofNodes = ({ site, name, nodes }: SiteSeen): readonly Condition[] =>
  nodes
    .filter(({ up }) => !up)
    .map(({ node }) => ({
      id: `node_silent:${node}`,
      code: 'node_silent',
      level: 'error',
      message: `Media node ${node} at ${name} no longer reports. Its participants are being moved, or rejoin.`,
      site,
      node,
      forMs: HOLD.node,
    }));

const ofCapacity = ({ site, name, nodes }: SiteSeen): readonly Condition[] => {
  const taking = nodes.filter(({ up, draining }) => up && !draining);
  const capacity = taking.reduce((sum, node) => sum + node.capacity, 0);
  const legs = taking.reduce((sum, node) => sum + node.legs, 0);
  if (capacity === 0 || legs / capacity < CAPACITY.warning) return [];
  const full = legs >= capacity;
  return [
    {
      id: `capacity:${site}`,
      code: full ? 'capacity_exhausted' : 'capacity_warning',
      level: legs / capacity >= CAPACITY.error ? 'error' : 'warning',
      message: full
        ? `${name} is full (${legs} of ${capacity} participants): new callers there are refused. Add a node.`
        : `${name} has ${legs} of ${capacity} participants. Add a node before it is full.`,
      site,
      forMs: HOLD.capacity,
    },
  ];
};

const ofConfiguration = (
  { site, name, configurationVersion: theirs }: SiteSeen,
  { configurationVersion: newest }: Seen,
): readonly Condition[] => {
  if (theirs === null || newest === null || theirs === newest) return [];
  const behind = theirs < newest;
  return [
    {
      id: `configuration_out_of_date:${site}`,
      code: 'configuration_out_of_date',
      level: behind ? 'warning' : 'error',
      message: behind
        ? `${name} goes by configuration ${theirs}; the newest is ${newest}. Rooms that were changed since are as before there.`
        : `${name} goes by configuration ${theirs}, management has only ${newest}: was management restored from an old backup?`,
      site,
      forMs: HOLD.configuration,
    },
  ];
};

const ofClock = ({ site, name }: SiteSeen, offsets: ReadonlyMap<string, number>): readonly Condition[] => {
  const offsetMs = offsets.get(site) ?? 0;
  if (Math.abs(offsetMs) < 60_000) return [];
  return [
    {
      id: `clock_wrong:${site}`,
      code: 'clock_wrong',
      level: 'warning',
      message: `The clock at ${name} is ${Math.round(Math.abs(offsetMs) / 1000)} s ${offsetMs > 0 ? 'ahead of' : 'behind'} management's. Meetings do not depend on it; times in lists do.`,
      site,
      forMs: HOLD.clock,
    },
  ];
};

/** One alarm for the two directions of a link: it is one link that somebody will have to look at. */
const ofLinks = ({ links, sites, components }: Seen): readonly Condition[] => {
  const nameOf = (id: string) => sites.find(({ site }) => site === id)?.name ?? id;
  const heard = new Set(sites.filter(({ up }) => up).map(({ site }) => site as string));
  const conditions = new Map<string, Condition>();
  for (const { from, to, up, reason } of links) {
    if (up || !heard.has(from)) continue;
    const [a, b] = from < to ? [from, to] : [to, from];
    const id = `connectivity_lost:${a}:${b}`;
    const why = reason === undefined ? '' : ` (${reason})`;
    const together = components.some((component) => component.includes(a) && component.includes(b));
    const message = together
      ? `${nameOf(a)} and ${nameOf(b)} do not hear each other${why}. What they exchange goes through other sites meanwhile.`
      : `${nameOf(a)} and ${nameOf(b)} cannot reach each other${why}. Each side's meetings go on, and join again by themselves.`;
    if (!conditions.has(id))
      conditions.set(id, { id, code: 'connectivity_lost', level: 'error', message, site: a, peer: b, forMs: HOLD.link });
  }
  return [...conditions.values()];
};
