import type { SiteId } from '@isthmus/kernel';
import type { ManagementConfig, SiteConfig } from '../part-config.js';
import type { Machine } from './namespaces.js';

/** The same on every machine: each is a world of its own. */
export const PORTS = {
  portal: 7_000,
  sites: 7_001,
  telemetry: 7_003,
  meet: 7_100,
  link: 7_101,
  registrar: 7_102,
  report: 7_103,
  brain: 7_104,
  bus: 7_105,
};
export const FIRST_PASSWORD = 'three-plain-words-and-4';
export const ADMINISTRATOR = { name: 'admin', password: 'four-plain-words-and-a-5' };

export const siteOf = ({ name, address }: Machine) => ({
  id: name as SiteId,
  name: name.toUpperCase(),
  meetUrl: `http://${address}:${PORTS.meet}`,
  linkUrl: `wss://${address}:${PORTS.link}`,
});

export const managementConfigOf = ({ address }: Machine, stateDir: string, sites: ManagementConfig['sites']): ManagementConfig => ({
  host: address,
  sitePort: PORTS.sites,
  clientHost: address,
  portalPort: PORTS.portal,
  telemetryPort: PORTS.telemetry,
  stateDir,
  firstAdministrator: { name: ADMINISTRATOR.name, password: FIRST_PASSWORD },
  sites,
  rooms: [],
});

export const siteConfigOf = (
  { name, address }: Machine,
  stateDir: string,
  management: SiteConfig['management'],
  capacity: number,
  clientHost = '127.0.0.1',
): SiteConfig => ({
  site: name as SiteId,
  name: name.toUpperCase(),
  host: address,
  clientHost,
  ports: {
    meet: PORTS.meet,
    brainLink: PORTS.link,
    registrar: PORTS.registrar,
    telemetry: PORTS.report,
    brainHealth: PORTS.brain,
    bus: PORTS.bus,
    nodes: [{ client: 7_110, mediaLink: 7_120, webRtc: 7_130, crossings: { from: 7_140, to: 7_199 } }],
  },
  capacity,
  stateDir,
  management,
});
