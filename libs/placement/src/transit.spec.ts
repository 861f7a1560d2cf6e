import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { crossings, type ConferenceId, type ConferenceView, type LegId, type PersonId, type Seat } from '@isthmus/conference';
import { fullMesh, networkOf, type LinkStates, type Network } from '@isthmus/reach';
import { cascade } from './cascade.js';
import type { NodeId } from './desire.js';
import { linkLoads } from './transit.js';

const RUNS = Number(process.env['ISTHMUS_PROPERTY_RUNS'] ?? 10);
const SITES = ['a', 'b', 'c', 'd'] as SiteId[];
const PAIRS = SITES.flatMap((one, i) => SITES.slice(i + 1).map((other) => [one, other] as const));
const NETWORKS = Array.from({ length: 64 }, (_, graph) => {
  const up = PAIRS.filter((_pair, i) => (graph >> i) & 1);
  const words = SITES.map((site): [SiteId, LinkStates] => [
    site,
    {
      site,
      version: { epoch: 1, revision: 1 },
      hears: up.flatMap((pair) => (pair.includes(site) ? [{ peer: pair.find((each) => each !== site)!, facts: true, media: true }] : [])),
    },
  ]);
  return networkOf(new Map(words));
});

/** A meeting of three legs at each site, with this order of who spoke last, as a site sees it. */
const seen = (site: SiteId, network: Network, recency: readonly number[]): ConferenceView => {
  const reach = network.reachOf(site);
  const seats = recency.map((n): Seat => {
    const at = SITES[n % 4]!;
    return {
      ...{ leg: `${at}-${n}` as LegId, person: `p${n}` as PersonId, name: `${n}`, site: at, role: 'host', muted: false },
      ...{ cameraOff: n === 11, held: n === 10, inReach: reach.has(at) },
    };
  });
  const byRecency = seats.filter(({ inReach, held }) => inReach && !held).map(({ leg }) => leg);
  return {
    ...{ conference: 'c' as ConferenceId, room: 'r', site, version: { epoch: 1, revision: 1 }, started: true, locked: false },
    ...{ seats, waiting: [], byRecency, floor: byRecency[0] ?? null },
  };
};
const order = fc.shuffledSubarray(
  Array.from({ length: 12 }, (_, n) => n),
  { minLength: 12 },
);
const overAllGraphs = (law: (network: Network, recency: readonly number[]) => void) =>
  fc.assert(
    fc.property(order, (recency) => NETWORKS.forEach((network) => law(network, recency))),
    { numRuns: RUNS },
  );
const sorted = (legs: readonly LegId[]) => [...legs].sort();

describe('over every link graph of four sites', () => {
  it('every member of a component has the same stage', () => {
    overAllGraphs((network, recency) => {
      for (const site of SITES)
        for (const other of network.reachOf(site))
          expect(seen(other, network, recency).byRecency).toEqual(seen(site, network, recency).byRecency);
    });
  });

  it('no link carries more than one HD and eight thumbnails, seven besides whoever is large', () => {
    overAllGraphs((network, recency) => {
      for (const site of SITES)
        for (const { large, small } of linkLoads(seen(site, network, recency), network)) {
          expect(large.length).toBeLessThanOrEqual(1);
          expect(small.length).toBeLessThanOrEqual(8);
          expect(small.filter((leg) => !large.includes(leg)).length).toBeLessThanOrEqual(7 + (large.length === 0 ? 1 : 0));
          expect(new Set(small).size).toBe(small.length);
        }
    });
  });

  it('what the nodes are told to send over each link is what the links are said to carry, and every end has its pipe', () => {
    overAllGraphs((network, recency) => {
      const piped = new Set<string>();
      for (const site of SITES) {
        const view = seen(site, network, recency);
        const [node] = cascade({
          ...{ view, network, mediaId: 'r' as ConferenceId, placed: new Map(), intermediary: site as string as NodeId, here: new Map() },
          elsewhere: new Map(SITES.filter((each) => each !== site).map((each) => [each, { node: each as string as NodeId, url: '' }])),
        });
        const loads = linkLoads(view, network).filter(({ from }) => from === site);
        for (const { to, sends } of node!.pipes) {
          piped.add(`${site} ${to.site}`);
          const load = loads.find((each) => each.to === to.site);
          expect(sorted(sends.filter(({ large }) => large).map(({ leg }) => leg))).toEqual(sorted(load?.large ?? []));
          expect(sorted(sends.filter(({ small }) => small).map(({ leg }) => leg))).toEqual(sorted(load?.small ?? []));
        }
        for (const { to } of loads) expect(node!.pipes.map((pipe) => pipe.to.site)).toContain(to);
      }
      for (const pipe of piped) expect(piped).toContain(pipe.split(' ').reverse().join(' '));
    });
  });

  it('where everybody hears everybody, each link carries what must cross and nothing more', () => {
    fc.assert(
      fc.property(order, (recency) => {
        const mesh = fullMesh(SITES);
        const view = seen('a' as SiteId, mesh, recency);
        const plain = (loads: readonly { from: SiteId; to: SiteId; large: readonly LegId[]; small: readonly LegId[] }[]) =>
          loads.map(({ from, to, large, small }) => `${from}>${to} ${sorted(large).join()} / ${sorted(small).join()}`).sort();
        expect(plain(linkLoads(view, mesh))).toEqual(plain(crossings(view)));
      }),
    );
  });
});
