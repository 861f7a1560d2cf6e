import { describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import type { LinkState } from '@isthmus/ports';
import { Reach } from './reach.js';

const [nyc, lon] = ['nyc', 'lon'] as [SiteId, SiteId];

/** A site whose peer is heard, but whose facts do not come. Timers are early by a fraction, as those of the machine are now and then. */
const started = () => {
  let now = 0;
  let due: { readonly at: number; readonly work: () => void }[] = [];
  const reach = new Reach({
    ...{ site: nyc, epoch: 1, say: () => undefined, changed: () => undefined, lacks: () => true, hearsMedia: () => true },
    clock: { now: () => now, monotonic: () => now },
    timers: {
      after: (ms, work) => {
        const timer = { at: now + ms - 0.4, work };
        due.push(timer);
        return () => void (due = due.filter((each) => each !== timer));
      },
      every: () => () => undefined,
    },
  });
  const up: LinkState = { site: lon, up: true, rttMs: 1, reason: undefined, sinceMs: 0 };
  reach.states = () => [up];
  reach.sitesAre(new Set([lon]), new Set());
  reach.look([up]);
  reach.heard(lon, { site: lon, version: { epoch: 1, revision: 1 }, hears: [{ peer: nyc, facts: true, media: true }] });
  const pass = (ms: number) => {
    for (const until = now + ms; ;) {
      const next = due.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) return void (now = until);
      due = due.filter((each) => each !== next);
      now = Math.max(now, next.at);
      next.work();
    }
  };
  return { reach, pass };
};

describe('a site that is heard while its facts do not come', () => {
  it('is waited for, and not for ever', () => {
    const { reach, pass } = started();
    pass(4_900);
    expect([...reach.sites]).toEqual([nyc]);
    pass(200);
    expect([...reach.sites]).toEqual([nyc, lon]);
  });
});

describe('a site that was started anew just like this one', () => {
  it('reaches nobody by what it had said before: only by what it says itself', () => {
    const { reach } = started();
    const [cpt, sin] = ['cpt', 'sin'] as [SiteId, SiteId];
    const says = (site: SiteId, epoch: number, ...peers: SiteId[]) => ({
      site,
      version: { epoch, revision: 1 },
      hears: peers.map((peer) => ({ peer, facts: true, media: true })),
    });
    const up = (site: SiteId): LinkState => ({ site, up: true, rttMs: 1, reason: undefined, sinceMs: 0 });
    reach.sitesAre(new Set([lon, cpt, sin]), new Set());
    // London tells what it heard of the two before a cut, which Singapore has not noticed and Cape Town did not live to tell.
    reach.heard(lon, says(cpt, 1, nyc, lon, sin));
    reach.heard(lon, says(sin, 1, cpt));
    reach.states = () => [up(lon), up(cpt)];
    reach.look(reach.states());
    expect(reach.network.reachOf(nyc)).toEqual(new Set([nyc, lon]));
    reach.heard(cpt, says(cpt, 2, nyc));
    expect(reach.network.reachOf(nyc)).toEqual(new Set([nyc, lon, cpt]));
  });
});
