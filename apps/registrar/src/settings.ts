import { z } from 'zod';
import { common } from '@isthmus/protocol';
import { setting } from '@isthmus/service-kit';

/** What this service is told by its environment; `docs/configuration.md` is made of it. */
export const settings = {
  site: setting(common.siteId, { says: 'The site it serves.', example: 'nyc' }),
  host: setting(z.string().default('127.0.0.1'), { says: 'The address it listens on.', example: '192.0.2.11' }),
  port: setting(z.coerce.number().int().min(0).max(65_535).default(7102), { says: 'The port it listens on.', example: '7102' }),
};
