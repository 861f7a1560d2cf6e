import { beforeEach, describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { nodeReport, siteReport, type Status } from '@isthmus/protocol';
import { Picture } from './picture.js';

const LON = 'lon' as SiteId;
const moment = { now: 1_000, monotonic: 1_000 };

let picture: Picture;
const know = (word?: { readonly state: 'draining' | 'removed'; readonly since: number }) =>
  picture.know({ revision: 9, rooms: {}, sites: { lon: { name: 'London' } }, nodes: word ? { 'lon-1': { site: LON, ...word } } : {} });

/** What London reports: the configuration it goes by, whom its brain has given a seat on the node, and who is attached there. */
const told = ({ revision = 9, seats = 0, legs = 0, draining = false }): void => {
  const placed = Array.from({ length: seats }, (_, n) => ({ leg: `lon-${n}`, name: 'Ana', node: 'lon-1', muted: false }));
  const conference = { conference: 'c', room: 'r', seats: placed, floor: null, locked: false, crossings: [] };
  const report = siteReport.parse({ site: 'lon', estateRevision: revision, links: [], conferences: [conference], at: 1 });
  const node = nodeReport.parse({
    ...{ node: 'lon-1', site: 'lon', clientUrl: 'ws://x', linkUrl: 'wss://x', rtpCapabilities: {}, capacity: 20, cpu: 0, pipes: [], at: 1 },
    ...{ legs, draining },
  });
  picture.take({ site: LON, run: 'r', number: 0, sentAt: 1_000, report, nodes: [node], facts: {}, dropped: 0 }, moment);
};
const node = (at = moment): Status['sites'][number]['nodes'][number] | undefined => picture.status(at).sites[0]?.nodes[0];

beforeEach(() => {
  picture = new Picture(moment);
  know({ state: 'draining', since: 9 });
});

describe('a media node that is to be emptied', () => {
  it('is drained when its site knows of it, and nobody has a seat or is attached there', () => {
    told({});
    expect(node()).toMatchObject({ draining: true, drained: true });
    told({ seats: 1 });
    expect(node()).toMatchObject({ draining: true, drained: false });
    told({ legs: 1 });
    expect(node()).toMatchObject({ draining: true, drained: false });
  });

  it('is not drained while its site goes by an older configuration: people may be coming', () => {
    told({ revision: 8 });
    expect(node()).toMatchObject({ draining: true, drained: false });
  });

  it('is drained by its own word too, when its process was told to stop', () => {
    know();
    told({ legs: 2, draining: true });
    expect(node()).toMatchObject({ draining: true, drained: false });
    told({ draining: true });
    expect(node()).toMatchObject({ draining: true, drained: true });
    told({});
    expect(node()).toMatchObject({ draining: false, drained: false });
  });

  it('is listed no more when it was removed', () => {
    told({});
    know({ state: 'removed', since: 9 });
    expect(node()).toBeUndefined();
  });

  it('raises no alarm when it is stopped then, and is forgotten', () => {
    told({});
    const later = { now: 61_000, monotonic: 6_000 };
    expect(node(later)).toBeUndefined();
    expect(picture.status(later).alarms.filter(({ code }) => code === 'node_silent')).toEqual([]);
  });
});
