import { describe, expect, it } from 'vitest';
import { status, type Status } from '@isthmus/protocol';
import { arrange, NODE, type Point } from './arrange.js';
import { savedWords, streams } from './figures.js';
import { conferenceKey, conditionOf, marksOf, nodeKey, pictureOf, siteKey } from './picture.js';

const SITES = ['nyc', 'lon', 'cpt'];
const rates = { videoKbps: 1_000, audioKbps: 40, rtcpKbps: 5 };

const estate = (conferences: readonly (readonly string[])[], nodesPerSite = 2): Status =>
  status.parse({
    at: 100_000,
    configurationVersion: 3,
    sites: SITES.map((site) => ({
      site,
      name: site.toUpperCase(),
      up: true,
      lastHeardAt: 99_000,
      configurationVersion: 3,
      alarms: [],
      nodes: Array.from({ length: nodesPerSite }, (_, index) => ({
        node: `${site}-${index}`,
        up: true,
        cpu: 0.1,
        legs: 2,
        capacity: 20,
        draining: false,
        drained: false,
      })),
    })),
    conferences: conferences.map((sites, index) => ({
      id: `c${index}`,
      room: `r${index}`,
      name: `Room ${index}`,
      startedAt: index,
      seats: sites.map((site, seat) => ({ leg: `${site}-${index}-${seat}`, name: 'Ada', site, node: `${site}-0`, muted: false })),
      floor: null,
      locked: false,
      sides: [{ sites: [...new Set(sites)], floor: null }],
      links: [...new Set(sites)].flatMap((from) =>
        [...new Set(sites)]
          .filter((to) => to !== from)
          .map((to) => ({ from, to, large: 1, small: 2, voices: 3, ...rates, units: 1.2, mcuUnits: 3 })),
      ),
      savings: { mcuSite: 'nyc', mcuUnits: 6, isthmusUnits: 2.4, percent: 60, nothing: null, mcuKbps: 6_000, isthmusKbps: 2_400 },
    })),
    links: SITES.flatMap((from) =>
      SITES.filter((to) => to !== from).map((to) => ({
        from,
        to,
        up: from !== 'cpt',
        rttMs: 80,
        videoKbps: 3_000,
        audioKbps: 100,
        rtcpKbps: 10,
      })),
    ),
    components: [SITES],
    alarms: [],
  });

/** The same, with one site out of reach of the others. */
const without = (status: Status, lost: string): Status => {
  const components = [SITES.filter((site) => site !== lost), [lost]] as Status['components'];
  const conferences = status.conferences.map((conference) => ({
    ...conference,
    sides: components
      .map((component) => ({ sites: component.filter((site) => conference.seats.some((seat) => seat.site === site)), floor: null }))
      .filter(({ sites }) => sites.length > 0),
  }));
  return { ...status, components, conferences };
};

const overlap = (a: { x: number; y: number }, b: { x: number; y: number }): boolean =>
  Math.abs(a.x - b.x) < NODE.width && Math.abs(a.y - b.y) < NODE.height;

describe('the picture of an estate', () => {
  it('links each conference to the nodes that carry it, once each', () => {
    const { conferences } = pictureOf(estate([['nyc', 'nyc', 'lon']]));
    expect(conferences[0]?.carriedBy).toEqual([nodeKey('nyc', 'nyc-0'), nodeKey('lon', 'lon-0')]);
  });

  it('labels a crossing with what is open on it in all and what the link carries', () => {
    const { crossings } = pictureOf(
      estate([
        ['nyc', 'lon'],
        ['nyc', 'lon'],
      ]),
    );
    expect(crossings.find(({ id }) => id === 'crossing:nyc>lon')).toMatchObject({
      from: siteKey('nyc'),
      to: siteKey('lon'),
      label: '2 HD + 4 T\n3,110 kbit/s',
      up: true,
      idle: false,
    });
  });

  it('shows only the crossings of the conference that was chosen, with its own rate', () => {
    const { crossings } = pictureOf(
      estate([
        ['nyc', 'lon'],
        ['nyc', 'cpt'],
      ]),
      'c0',
    );
    expect(crossings.find(({ id }) => id === 'crossing:nyc>lon')?.label).toBe('1 HD + 2 T\n1,045 kbit/s');
    expect(crossings.find(({ id }) => id === 'crossing:nyc>cpt')).toMatchObject({ label: '', idle: true });
  });

  it('says that a link is down, whatever was open on it', () => {
    const { crossings } = pictureOf(estate([['nyc', 'cpt']]));
    expect(crossings.find(({ id }) => id === 'crossing:cpt>nyc')).toMatchObject({ label: 'down', up: false });
  });

  it('draws what each side of a split has of a conference, and the sides apart', () => {
    const whole = estate([['nyc', 'lon', 'cpt', 'cpt'], ['nyc']]);
    const split = pictureOf(without(whole, 'lon'));
    expect(split.sites.map(({ site, side }) => `${site} ${side}`)).toEqual(['nyc 0', 'lon 1', 'cpt 0']);
    expect(split.conferences.map(({ id, label, sites }) => [id, label, sites])).toEqual([
      [conferenceKey('c0'), 'Room 0, 3 here', ['nyc', 'cpt']],
      [`${conferenceKey('c0')}#1`, 'Room 0, 1 here', ['lon']],
      [conferenceKey('c1'), 'Room 1', ['nyc']],
    ]);
    const distance = (places: ReturnType<typeof arrange>) => {
      const [a, b] = ['nyc', 'lon'].map((site) => places.get(nodeKey(site, `${site}-0`)) ?? { x: 0, y: 0 }) as [Point, Point];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    expect(distance(arrange(split, 1.3))).toBeGreaterThan(distance(arrange(pictureOf(whole), 1.3)) + 100);
  });

  it('draws the largest of many conferences and counts the rest', () => {
    const many = Array.from({ length: 55 }, (_, index) => Array.from({ length: index === 54 ? 9 : 1 }, () => 'nyc'));
    const picture = pictureOf(estate(many));
    expect(picture.conferences).toHaveLength(40);
    expect(picture.hidden).toBe(15);
    expect(picture.conferences[0]?.id).toBe(conferenceKey('c54'));
  });

  it('gives conferences letters by age, so that a newer one takes nobody’s', () => {
    const one = marksOf(estate([['nyc'], ['lon']]).conferences);
    const later = marksOf(estate([['nyc'], ['lon'], ['cpt']]).conferences);
    expect([one.get('c0')?.letter, one.get('c1')?.letter]).toEqual(['A', 'B']);
    expect(later.get('c1')).toEqual(one.get('c1'));
  });

  it('calls a node busy from 75 % and full from 90 %, by seats or by CPU, whichever is worse', () => {
    const node = { up: true, legs: 2, capacity: 20, cpu: 0.1 };
    expect(conditionOf(node)).toBe('calm');
    expect(conditionOf({ ...node, legs: 15 })).toBe('busy');
    expect(conditionOf({ ...node, cpu: 0.9 })).toBe('full');
    expect(conditionOf({ ...node, up: false })).toBe('down');
  });

  it('finds a place for everything in which no two nodes or conferences meet', () => {
    for (const aspect of [0.4, 1, 1.3, 3]) {
      for (const nodes of [1, 2, 5]) {
        const whole = estate([['nyc', 'lon', 'cpt'], ['nyc', 'lon'], ['nyc'], ['nyc'], ['cpt']], nodes);
        for (const [status, conferences] of [
          [whole, 5],
          ...SITES.map((lost) => [without(whole, lost), lost === 'cpt' ? 6 : 7] as const),
        ] as const) {
          const named = [...arrange(pictureOf(status), aspect)];
          expect(named).toHaveLength(SITES.length * nodes + conferences);
          for (const [index, [id, place]] of named.entries()) {
            for (const [other, its] of named.slice(index + 1)) expect([id, other, overlap(place, its)]).toEqual([id, other, false]);
          }
        }
      }
    }
  });

  it('puts everything where it was, however the figures change', () => {
    const before = arrange(pictureOf(estate([['nyc', 'lon']])), 1.3);
    const after = arrange(pictureOf({ ...estate([['nyc', 'lon']]), at: 200_000 }), 1.3);
    expect([...after]).toEqual([...before]);
  });
});

describe('figures', () => {
  it('are written as in the white paper', () => {
    expect(streams({ large: 1, small: 2, voices: 0 })).toBe('1 HD + 2 T');
    expect(streams({ large: 0, small: 2, voices: 0 })).toBe('2 T');
    expect(streams({ large: 0, small: 0, voices: 3 })).toBe('no video');
  });

  it('never call a loss a saving', () => {
    const savings = { mcuSite: null, mcuUnits: 1, isthmusUnits: 1.1, nothing: null, mcuKbps: 1, isthmusKbps: 1 };
    expect(savedWords({ ...savings, percent: -10 })).toMatchObject({ figure: '10 %', words: expect.stringContaining('more') as string });
    expect(savedWords({ ...savings, percent: 60 })).toMatchObject({ figure: '60 %', words: expect.stringContaining('less') as string });
    const none = (nothing: 'one-site' | 'apart' | 'not-yet') => savedWords({ ...savings, percent: null, nothing });
    expect(none('one-site')).toMatchObject({ figure: '–', words: expect.stringContaining('at one site') as string });
    expect(none('apart').words).toContain('cannot reach each other');
    expect(none('not-yet').words).toBe('No video crosses between sites yet.');
  });
});
