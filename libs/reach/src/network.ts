import type { SiteId } from '@isthmus/kernel';
import { isUp, type KnownStates } from './link-states.js';

/** Which sites reach each other, and by which way their media go. */
export interface Network {
  /** Every site of its component, itself among them. The same for every member. */
  reachOf(site: SiteId): ReadonlySet<SiteId>;
  /** The site from which `site` gets what comes from `origin`; undefined at the origin itself, and out of its reach. */
  towards(origin: SiteId, site: SiteId): SiteId | undefined;
}

/** What travels on one directed link: from `origin`, for whoever is at one of `behind`. */
export interface Flow {
  readonly from: SiteId;
  readonly to: SiteId;
  readonly origin: SiteId;
  readonly behind: readonly SiteId[];
}

/**
 * The network that the sites' words about their links make (merge rule 7). Every site computes the same one from the same
 * words. Reach is the connected component; from each origin, media follow one tree of shortest ways, so that nothing comes
 * to a site twice. At a site that `mayCarry` refuses, nothing passes through: such a site belongs to one component only,
 * the one with the most others that it hears, so that reach stays mutual.
 */
export const networkOf = (known: KnownStates, mayCarry: (site: SiteId) => boolean = () => true): Network => {
  const sites = [...known.keys()].sort();
  const neighbours = new Map(sites.map((site) => [site, sites.filter((other) => other !== site && isUp(known, site, other))]));
  const clusters = clustersOf(sites, neighbours, mayCarry);
  const trees = new Map<SiteId, ReadonlyMap<SiteId, SiteId>>();

  const reachOf = (site: SiteId): ReadonlySet<SiteId> => clusters.find((cluster) => cluster.has(site)) ?? new Set([site]);
  const treeFrom = (origin: SiteId): ReadonlyMap<SiteId, SiteId> => {
    const known = trees.get(origin);
    if (known !== undefined) return known;
    const reach = reachOf(origin);
    const tree = spread(origin, (site) =>
      site === origin || mayCarry(site) ? (neighbours.get(site) ?? []).filter((other) => reach.has(other)) : [],
    );
    trees.set(origin, tree);
    return tree;
  };
  return { reachOf, towards: (origin, site) => treeFrom(origin).get(site) };
};

/** The whole network where every site reaches every other directly. */
export const fullMesh = (sites: readonly SiteId[]): Network =>
  networkOf(
    new Map(
      sites.map((site) => [
        site,
        {
          site,
          version: { epoch: 0, revision: 0 },
          hears: sites.filter((peer) => peer !== site).map((peer) => ({ peer, facts: true, media: true })),
        },
      ]),
    ),
  );

/** What has to travel on each directed link so that these sites, which have people, get what comes from each other. */
export const flowsOf = (network: Network, sites: readonly SiteId[]): readonly Flow[] => {
  const flows = new Map<string, { from: SiteId; to: SiteId; origin: SiteId; behind: SiteId[] }>();
  const sorted = [...new Set(sites)].sort();
  for (const origin of sorted) {
    for (const destination of sorted) {
      let to = destination;
      for (let from = network.towards(origin, to); from !== undefined; from = network.towards(origin, to)) {
        const key = `${origin} ${from} ${to}`;
        const flow = flows.get(key) ?? { from, to, origin, behind: [] };
        flow.behind.push(destination);
        flows.set(key, flow);
        to = from;
      }
    }
  }
  return [...flows.values()];
};

type Neighbours = ReadonlyMap<SiteId, readonly SiteId[]>;

/** Everything within reach of a site, and from where each is reached first. */
const spread = (origin: SiteId, next: (site: SiteId) => readonly SiteId[]): ReadonlyMap<SiteId, SiteId> => {
  const from = new Map<SiteId, SiteId>();
  let edge: readonly SiteId[] = [origin];
  while (edge.length > 0) {
    const further: SiteId[] = [];
    for (const site of edge) {
      for (const other of next(site)) {
        if (other === origin || from.has(other)) continue;
        from.set(other, site);
        further.push(other);
      }
    }
    edge = further.sort();
  }
  return from;
};

/** A part of the sites that reach each other; `carriers` are those that may pass things on. */
interface Cluster {
  readonly carriers: Set<SiteId>;
  readonly members: Set<SiteId>;
}

const clustersOf = (
  sites: readonly SiteId[],
  neighbours: Neighbours,
  mayCarry: (site: SiteId) => boolean,
): readonly ReadonlySet<SiteId>[] => {
  const hearsOf = (site: SiteId) => neighbours.get(site) ?? [];
  const clusters: Cluster[] = [];
  for (const site of sites.filter(mayCarry)) {
    if (clusters.some(({ members }) => members.has(site))) continue;
    const members = new Set([site, ...spread(site, (each) => hearsOf(each).filter(mayCarry)).keys()]);
    clusters.push({ carriers: new Set(members), members });
  }
  for (const site of sites.filter((each) => !mayCarry(each))) {
    const heard = new Set(hearsOf(site));
    const joins = ({ carriers, members }: Cluster) =>
      carriers.size > 0 ? [...carriers].some((carrier) => heard.has(carrier)) : [...members].every((member) => heard.has(member));
    const [best] = clusters.filter(joins).sort(bySize);
    if (best) best.members.add(site);
    else clusters.push({ carriers: new Set(), members: new Set([site]) });
  }
  return clusters.map(({ members }) => members);
};

/** The one with most sites that may carry, then the one with the least name: it must not depend on who asks. */
const bySize = (a: Cluster, b: Cluster): number => b.carriers.size - a.carriers.size || (leastOf(a) < leastOf(b) ? -1 : 1);
const leastOf = ({ carriers, members }: Cluster): string => [...(carriers.size > 0 ? carriers : members)].sort()[0] ?? '';
