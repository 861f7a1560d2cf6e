import { z } from 'zod';
import { common } from '@isthmus/protocol';
import { setting } from '@isthmus/service-kit';

/** What this service is told by its environment; `docs/configuration.md` is made of it. */
export const settings = {
  host: setting(z.string().default('127.0.0.1'), { says: 'Address for health and /metrics.', example: '127.0.0.11' }),
  port: setting(z.coerce.number().int().min(0).max(65_535).default(7003), { says: 'Port for health and /metrics.', example: '7103' }),
  site: setting(common.siteId.optional(), { says: 'The site that this is a part of; left out on the management node.', example: 'lon' }),
  managementUrl: setting(z.url().optional(), { says: "Management's door for sites; with SITE.", example: 'https://127.0.0.10:7001' }),
  credentialsDir: setting(z.string().optional(), {
    says: 'Folder in which the site keeps what enrolment gave it; with SITE.',
    example: '/var/lib/isthmus/lon',
  }),
};
