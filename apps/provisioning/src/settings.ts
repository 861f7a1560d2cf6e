import { z } from 'zod';
import { setting } from '@isthmus/service-kit';

const port = z.coerce.number().int().min(0).max(65_535);

/** What this service is told by its environment; `docs/configuration.md` is made of it. */
export const settings = {
  host: setting(z.string().default('127.0.0.1'), { says: 'Address for the portal and the API.', example: '127.0.0.10' }),
  port: setting(port.default(7000), { says: 'Port for the portal and the API.', example: '7000' }),
  certFile: setting(z.string().optional(), { says: 'PEM certificate for HTTPS; with KEY_FILE.', example: '/etc/isthmus/portal.crt' }),
  keyFile: setting(z.string().optional(), { says: 'PEM key to the certificate.', example: '/etc/isthmus/portal.key' }),
  siteHost: setting(z.string().default('127.0.0.1'), { says: 'Address of the door for sites.', example: '127.0.0.10' }),
  sitePort: setting(port.default(7001), { says: 'Port of the door for sites (mutually authenticated TLS).', example: '7001' }),
  stateDir: setting(z.string().min(1), {
    says: 'Folder for the estate and the key of its authority; back it up.',
    example: '/var/lib/isthmus/management',
  }),
  portalDir: setting(z.string().optional(), { says: 'Folder with the built portal.', example: 'apps/portal/dist' }),
  administrator: setting(z.string().min(1).default('admin'), {
    says: 'Name of the administrator that a first start makes.',
    example: 'admin',
  }),
  password: setting(z.string().min(12).optional(), {
    says: 'One-time password of that administrator; needed by a first start, ignored afterwards.',
    example: 'three-plain-words-and-4',
    secret: true,
  }),
};
