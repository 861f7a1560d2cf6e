import { describe, expect, it } from 'vitest';
import { NODES_MAX, SITES_MAX, planDemo, relayPlaces, type DemoWish } from './plan.js';

const wish = (changes: Partial<DemoWish> = {}): DemoWish => ({
  sites: 3,
  nodesPerSite: 1,
  capacity: 50,
  basePort: 7_000,
  listen: undefined,
  ...changes,
});

/** Every address and port that anybody listens on. */
const listeners = (plan: ReturnType<typeof planDemo>): readonly string[] => [
  ...[plan.management.portalPort, plan.management.telemetryPort].map((port) => `${plan.management.clientHost}:${port}`),
  `${plan.management.host}:${plan.management.sitePort}`,
  ...plan.sites.flatMap(({ host, clientHost, ports }) => [
    `${clientHost}:${ports.meet}`,
    ...[ports.brainLink, ports.registrar, ports.telemetry, ports.brainHealth].map((port) => `${host}:${port}`),
    ...ports.nodes.flatMap(({ client, webRtc, mediaLink, crossings }) => [
      `${clientHost}:${client}`,
      `${clientHost}:${webRtc}`,
      `${host}:${mediaLink}`,
      ...Array.from({ length: crossings.to - crossings.from + 1 }, (_, at) => `${host}:${crossings.from + at}`),
    ]),
  ]),
];

describe('the plan of a demo', () => {
  it('has the white paper’s three sites, each on a loopback address of its own', () => {
    const { sites, management } = planDemo(wish());
    expect(sites.map(({ id, host, meetUrl }) => [id, host, meetUrl])).toEqual([
      ['nyc', '127.0.0.11', 'http://127.0.0.11:7100'],
      ['lon', '127.0.0.12', 'http://127.0.0.12:7200'],
      ['cpt', '127.0.0.13', 'http://127.0.0.13:7300'],
    ]);
    expect(management.portalUrl).toBe('http://127.0.0.10:7000');
  });

  it.each([
    wish(),
    wish({ sites: SITES_MAX, nodesPerSite: NODES_MAX }),
    wish({ sites: SITES_MAX, nodesPerSite: NODES_MAX, listen: '192.0.2.7' }),
  ])('gives no port twice, however many sites and nodes there are', (asked) => {
    const all = listeners(planDemo(asked));
    expect(new Set(all).size).toBe(all.length);
  });

  it('serves other machines over HTTPS at one address, and keeps the links on loopback', () => {
    const { sites, management, secure } = planDemo(wish({ listen: '2001:db8::7' }));
    expect(secure).toBe(true);
    expect([management.portalUrl, sites[1]!.meetUrl, sites[1]!.linkUrl]).toEqual([
      'https://[2001:db8::7]:7000',
      'https://[2001:db8::7]:7200',
      'wss://127.0.0.12:7201',
    ]);
  });

  it('tells the relay every port that sites use among themselves, and no other', () => {
    const [nyc] = relayPlaces(planDemo(wish({ nodesPerSite: 2 })).sites);
    expect(nyc).toEqual({ id: 'nyc', host: '127.0.0.11', index: 1, tcpPorts: [7_101, 7_120, 7_121], udpPorts: { from: 7_140, to: 7_199 } });
  });

  it.each([
    [{ sites: 0 }, '--sites must be a whole number from 1'],
    [{ sites: SITES_MAX + 1 }, '--sites'],
    [{ sites: 1.5 }, '--sites'],
    [{ nodesPerSite: 0 }, '--nodes-per-site'],
    [{ capacity: 0 }, '--capacity'],
    [{ basePort: 80 }, '--port'],
    [{ basePort: 65_000 }, '--port'],
    [{ listen: 'my-laptop' }, '--listen takes an IP address of this machine, not "my-laptop"'],
  ] satisfies [Partial<DemoWish>, string][])('refuses %j and says what is possible', (changes, message) => {
    expect(() => planDemo(wish(changes))).toThrow(message);
  });
});
