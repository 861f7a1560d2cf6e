import { isIP } from 'node:net';
import { Refusal, type SiteId } from '@isthmus/kernel';
import type { Place } from '../relay/relay-plan.js';

export interface DemoWish {
  readonly sites: number;
  readonly nodesPerSite: number;
  /** Legs that a media node takes. */
  readonly capacity: number;
  /** Management's first port; each site's are 100 higher than those before it. */
  readonly basePort: number;
  /** Where other machines reach this one; undefined: this machine only. */
  readonly listen: string | undefined;
}

export interface SitePlan {
  readonly id: SiteId;
  readonly name: string;
  readonly index: number;
  /** Its loopback address: links and crossings stay on it. */
  readonly host: string;
  /** Where clients reach it: `host`, or the address that was asked for. */
  readonly clientHost: string;
  readonly ports: SitePorts;
  readonly meetUrl: string;
  readonly linkUrl: string;
}

export interface SitePorts {
  readonly meet: number;
  readonly brainLink: number;
  readonly registrar: number;
  readonly telemetry: number;
  readonly brainHealth: number;
  readonly bus: number;
  readonly nodes: readonly NodePorts[];
}

export interface NodePorts {
  readonly client: number;
  readonly mediaLink: number;
  /** UDP and its TCP fallback. */
  readonly webRtc: number;
  /** RTP of crossings; both ends included. */
  readonly crossings: { readonly from: number; readonly to: number };
}

export interface DemoPlan {
  readonly management: {
    readonly host: string;
    readonly clientHost: string;
    readonly portalPort: number;
    readonly sitePort: number;
    readonly telemetryPort: number;
    /** Hands out the authority's certificate, with `listen`. */
    readonly authorityPort: number;
    readonly portalUrl: string;
  };
  readonly sites: readonly SitePlan[];
  readonly secure: boolean;
}

/** The white paper's three first. Ids are what links and facts are named by. */
const CITIES: readonly (readonly [id: string, name: string])[] = [
  ['nyc', 'New York'],
  ['lon', 'London'],
  ['cpt', 'Cape Town'],
  ['tyo', 'Tokyo'],
  ['sao', 'São Paulo'],
  ['syd', 'Sydney'],
  ['osl', 'Oslo'],
  ['sin', 'Singapore'],
];
export const SITES_MAX = CITIES.length;
export const NODES_MAX = 6;
const PORTS_PER_SITE = 100;
const CROSSING_PORTS = { first: 40, count: 60 } as const;

/** @throws Refusal `demo.impossible` with what is possible */
export const planDemo = (wish: DemoWish): DemoPlan => {
  checkWish(wish);
  const { basePort, listen } = wish;
  const scheme = listen === undefined ? 'http' : 'https';
  const host = '127.0.0.10';
  const clientHost = listen ?? host;
  return {
    management: {
      host,
      clientHost,
      portalPort: basePort,
      sitePort: basePort + 1,
      telemetryPort: basePort + 3,
      authorityPort: basePort + 9,
      portalUrl: `${scheme}://${inUrl(clientHost)}:${basePort}`,
    },
    sites: CITIES.slice(0, wish.sites).map(([id, name], at) => planSite(id as SiteId, name, at + 1, wish, scheme)),
    secure: listen !== undefined,
  };
};

const planSite = (id: SiteId, name: string, index: number, { basePort, nodesPerSite, listen }: DemoWish, scheme: string): SitePlan => {
  const base = basePort + index * PORTS_PER_SITE;
  const host = `127.0.0.${10 + index}`;
  const clientHost = listen ?? host;
  const each = Math.floor(CROSSING_PORTS.count / nodesPerSite);
  const nodes = Array.from({ length: nodesPerSite }, (_, n) => {
    const from = base + CROSSING_PORTS.first + n * each;
    return { client: base + 10 + n, mediaLink: base + 20 + n, webRtc: base + 30 + n, crossings: { from, to: from + each - 1 } };
  });
  const ports = { meet: base, brainLink: base + 1, registrar: base + 2, telemetry: base + 3, brainHealth: base + 4, bus: base + 5, nodes };
  const meetUrl = `${scheme}://${inUrl(clientHost)}:${ports.meet}`;
  return { id, name, index, host, clientHost, ports, meetUrl, linkUrl: `wss://${host}:${ports.brainLink}` };
};

/** What the relay needs to know of the sites. */
export const relayPlaces = (sites: readonly SitePlan[]): readonly Place[] =>
  sites.map(({ id, host, index, ports }) => ({
    id,
    host,
    index,
    tcpPorts: [ports.brainLink, ...ports.nodes.map(({ mediaLink }) => mediaLink)],
    udpPorts: { from: ports.nodes[0]!.crossings.from, to: ports.nodes.at(-1)!.crossings.to },
  }));

const inUrl = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

const checkWish = ({ sites, nodesPerSite, capacity, basePort, listen }: DemoWish): void => {
  const whole = (name: string, value: number, min: number, max: number) => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new Refusal('demo.impossible', `${name} must be a whole number from ${min} to ${max}.`);
    }
  };
  whole('--sites', sites, 1, SITES_MAX);
  whole('--nodes-per-site', nodesPerSite, 1, NODES_MAX);
  whole('--capacity', capacity, 1, 1_000);
  whole('--port', basePort, 1_024, 65_535 - (SITES_MAX + 1) * PORTS_PER_SITE);
  if (listen !== undefined && isIP(listen) === 0) {
    throw new Refusal('demo.impossible', `--listen takes an IP address of this machine, not "${listen}".`);
  }
};
