import { z } from 'zod';
import { common } from '@isthmus/protocol';
import { setting } from '@isthmus/service-kit';
import { hostPairs } from '@isthmus/wiring';

const port = z.coerce.number().int().min(0).max(65_535);

/** What this service is told by its environment; `docs/configuration.md` is made of it. */
export const settings = {
  site: setting(common.siteId, { says: 'The site it decides for.', example: 'nyc' }),
  host: setting(z.string().default('127.0.0.1'), { says: 'Address for health and for the link.', example: '192.0.2.11' }),
  port: setting(port.default(7104), { says: 'Port for health.', example: '7104' }),
  linkPort: setting(port.default(7101), { says: 'Port on which other sites link to this one.', example: '7101' }),
  doorPort: setting(port.default(7105), {
    says: 'Port of its door, by which the services of the site reach each other while Kafka is away; with BUS_DOORS.',
    example: '7105',
  }),
  stateDir: setting(z.string().min(1), {
    says: 'Folder for the facts, or for what is decided while EventStoreDB is away, and, in `credentials`, the certificate of the site; back it up.',
    example: '/var/lib/isthmus/nyc',
  }),
  credentialsDir: setting(z.string().min(1).optional(), {
    says: 'Where the certificate of the site is, if not there, and the key of its resume words: the same for all brains of a site.',
    example: '/var/lib/isthmus/credentials',
  }),
  managementUrl: setting(z.url(), { says: "Management's door for sites.", example: 'https://192.0.2.10:7001' }),
  token: setting(z.string().min(1).optional(), {
    says: 'The token that enrols this site, from the portal; good once, and not needed any more when the site has its certificate.',
    example: 'as-the-portal-shows-it',
    secret: true,
  }),
  authorityFingerprint: setting(z.string().min(1).optional(), {
    says: "SHA-256 of management's authority, shown beside the token: whoever else answers is not believed.",
    example: '5f:2c:…',
    file: true,
  }),
  linkVia: setting(hostPairs.optional(), {
    says: 'Hosts of other sites that are reached under another address from here: as listed = as reached.',
    example: '192.0.2.12=10.8.0.2',
  }),
};
