import { describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import type { LinkStates } from './link-states.js';
import { flowsOf, fullMesh, networkOf, type Network } from './network.js';

const SITES = ['a', 'b', 'c', 'd'] as SiteId[];
const PAIRS = SITES.flatMap((one, i) => SITES.slice(i + 1).map((other) => [one, other] as const));

/** The sites' words where exactly these links are up. */
const linked = (pairs: readonly (readonly [SiteId, SiteId])[], sites = SITES): Map<SiteId, LinkStates> =>
  new Map(
    sites.map((site) => {
      const peers = pairs.flatMap(([one, other]) => (one === site ? [other] : other === site ? [one] : []));
      return [site, { site, version: { epoch: 1, revision: 1 }, hears: peers.map((peer) => ({ peer, facts: true, media: true })) }];
    }),
  );
const cable = (...links: string[]) => linked(links.map((link) => [link[0], link[1]] as [SiteId, SiteId]));
const reach = (network: Network) => SITES.map((site) => [...network.reachOf(site)].sort().join(''));

/** Every link graph of four sites, with every choice of sites that must carry nothing for others: 64 × 16. */
const everything = function* (): Generator<{
  readonly network: Network;
  readonly up: (a: SiteId, b: SiteId) => boolean;
  readonly closed: ReadonlySet<SiteId>;
}> {
  for (let graph = 0; graph < 64; graph++) {
    const pairs = PAIRS.filter((_, i) => (graph >> i) & 1);
    const up = (a: SiteId, b: SiteId) => pairs.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
    for (let forbidden = 0; forbidden < 16; forbidden++) {
      const closed = new Set(SITES.filter((_, i) => (forbidden >> i) & 1));
      yield { network: networkOf(linked(pairs), (site) => !closed.has(site)), up, closed };
    }
  }
};
const wayBack = (network: Network, origin: SiteId, site: SiteId): readonly SiteId[] => {
  const way: SiteId[] = [site];
  for (let at = network.towards(origin, site); at !== undefined; at = network.towards(origin, at)) way.push(at);
  return way;
};

describe('the network of sites', () => {
  it('is one component while anybody sees both ends', () => {
    expect(reach(networkOf(cable('ac', 'bc')))).toEqual(['abc', 'abc', 'abc', 'd']);
    expect(networkOf(cable('ac', 'bc')).towards('a' as SiteId, 'b' as SiteId)).toBe('c');
    expect(reach(networkOf(cable('ab', 'cd')))).toEqual(['ab', 'ab', 'cd', 'cd']);
  });
  it('takes the direct way where there is one', () => {
    for (const site of SITES) for (const other of SITES) if (site !== other) expect(fullMesh(SITES).towards(site, other)).toBe(site);
  });
  it('does not count what an unreachable site said of a link that this side knows to be down', () => {
    const known = cable('ab', 'bc', 'cd');
    known.set('b' as SiteId, {
      site: 'b' as SiteId,
      version: { epoch: 1, revision: 2 },
      hears: [{ peer: 'a' as SiteId, facts: true, media: true }],
    });
    expect([...networkOf(known).reachOf('a' as SiteId)].sort()).toEqual(['a', 'b']);
  });
  it('goes through no site that is not to carry for others, and then takes that site to one side only', () => {
    const network = networkOf(cable('ac', 'bc', 'bd'), (site) => site !== ('c' as SiteId));
    expect(reach(network)).toEqual(['a', 'bcd', 'bcd', 'bcd']);
  });
  it('alone knows itself', () => {
    expect([...networkOf(new Map()).reachOf('a' as SiteId)]).toEqual(['a']);
  });
});

describe('over every link graph of four sites, with every choice of sites that carry nothing for others', () => {
  it('every member of a component has the same reach', () => {
    for (const { network } of everything())
      for (const site of SITES) {
        const reach = network.reachOf(site);
        expect(reach.has(site)).toBe(true);
        for (const other of reach) expect(network.reachOf(other)).toBe(reach);
      }
  });
  it('whoever hears each other is in one component, unless a site that carries nothing would have to be in two', () => {
    for (const { network, up, closed } of everything())
      for (const [one, other] of PAIRS)
        if (up(one, other) && !closed.has(one) && !closed.has(other)) expect(network.reachOf(one).has(other)).toBe(true);
  });
  it('there is a way between all who reach each other, over links that are up, through nobody who forbids it, and no shorter one', () => {
    for (const { network, up, closed } of everything())
      for (const origin of SITES)
        for (const site of SITES) {
          const way = wayBack(network, origin, site);
          if (!network.reachOf(origin).has(site)) {
            expect(way).toEqual([site]);
            continue;
          }
          expect(way.at(-1)).toBe(origin);
          for (let n = 1; n < way.length; n++) expect(up(way[n - 1]!, way[n]!)).toBe(true);
          for (const through of way.slice(1, -1)) expect(closed.has(through)).toBe(false);
          expect(way.length).toBe(wayBack(network, site, origin).length);
        }
  });
  it('what comes from one site comes to each other site once', () => {
    for (const { network } of everything()) {
      const arrivals = flowsOf(network, SITES).map(({ origin, to }) => `${origin}>${to}`);
      expect(new Set(arrivals).size).toBe(arrivals.length);
    }
  });
});
