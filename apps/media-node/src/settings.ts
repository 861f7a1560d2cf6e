import { z } from 'zod';
import { setting } from '@isthmus/service-kit';
import { hostPairs } from '@isthmus/wiring';

const port = z.coerce.number().int().min(1).max(65_535);

/** What this service is told by its environment; `docs/configuration.md` is made of it. */
export const settings = {
  site: setting(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/), { says: 'The site that this node belongs to.', example: 'nyc' }),
  node: setting(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/), {
    says: 'The name of this node, unique among all sites.',
    example: 'nyc-0',
  }),
  host: setting(z.string().min(1).default('127.0.0.1'), { says: 'The address to listen at, for everything.', example: '10.1.0.5' }),
  clientHost: setting(z.string().min(1).optional(), {
    says: 'The address to listen at for clients and their media, if that is another one; with 0.0.0.0, say too what is announced.',
    example: '0.0.0.0',
  }),
  announcedAddress: setting(z.string().min(1).optional(), {
    says: 'What clients send media to, if that is another address.',
    example: '203.0.113.5',
  }),
  clientUrl: setting(z.url().optional(), {
    says: 'Where clients connect to this node, if that is not the address it listens at.',
    example: 'wss://media-1.nyc.example/media',
  }),
  port: setting(port.default(7_110), { says: "Clients' WebSockets.", example: '7110' }),
  linkPort: setting(port.default(7_120), { says: "Other nodes' links.", example: '7120' }),
  mediaPort: setting(port.default(7_130), { says: "Clients' media, UDP and TCP.", example: '7130' }),
  pipePortMin: setting(port.default(7_140), { says: 'First UDP port for pipes to other nodes.', example: '7140' }),
  pipePortMax: setting(port.default(7_199), { says: 'Last UDP port for pipes to other nodes.', example: '7199' }),
  capacity: setting(z.coerce.number().int().min(0).default(50), { says: 'Most legs that should be placed here.', example: '50' }),
  tlsCertFile: setting(z.string().optional(), {
    says: 'Certificate for clients (PEM); without it they connect in the clear.',
    example: '/etc/isthmus/tls.pem',
  }),
  tlsKeyFile: setting(z.string().optional(), { says: 'Its key (PEM).', example: '/etc/isthmus/tls.key' }),
  credentialsDir: setting(z.string().min(1), {
    says: 'Folder with what enrolment gave to this site or node; waits until it is there.',
    example: '/var/lib/isthmus/nyc/credentials',
  }),
  linkVia: setting(hostPairs.optional(), {
    says: 'Hosts of other sites that are reached under another address from here: as listed = as reached.',
    example: '192.0.2.12=10.8.0.2',
  }),
} as const;
