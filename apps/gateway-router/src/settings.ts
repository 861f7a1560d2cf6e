import { z } from 'zod';
import { common } from '@isthmus/protocol';
import { setting } from '@isthmus/service-kit';

const origins = z
  .string()
  .transform((list) => list.split(',').map((origin) => origin.trim()))
  .pipe(z.array(z.url()));

/** What this service is told by its environment; `docs/configuration.md` is made of it. */
export const settings = {
  site: setting(common.siteId, { says: 'The site it serves.', example: 'nyc' }),
  siteName: setting(z.string().min(1).optional(), { says: 'What people call the site; default: its id.', example: 'New York' }),
  host: setting(z.string().default('127.0.0.1'), { says: 'The address it listens on.', example: '192.0.2.11' }),
  port: setting(z.coerce.number().int().min(0).max(65_535).default(7100), { says: 'The port it listens on.', example: '7100' }),
  certFile: setting(z.string().optional(), { says: 'Certificate chain (PEM); with it, HTTPS.', example: '/etc/isthmus/meet.crt' }),
  keyFile: setting(z.string().optional(), { says: 'Its private key (PEM).', example: '/etc/isthmus/meet.key' }),
  meetDir: setting(z.string().optional(), { says: "The folder with the meeting client's build.", example: '/usr/share/isthmus/meet' }),
  allowedOrigins: setting(origins.optional(), {
    says: "Origins of pages that may connect, besides those of the deployment's sites, comma between.",
    example: 'https://meet.example',
  }),
  credentialsDir: setting(z.string().min(1).optional(), {
    says: 'Folder with what enrolment gave to the site, for BUS_DOORS; waits until it is there.',
    example: '/var/lib/isthmus/nyc/credentials',
  }),
  graceMs: setting(z.coerce.number().int().min(0).max(600_000).default(20_000), {
    says: 'How long a seat is kept when a connection breaks, ms.',
    example: '20000',
  }),
};
