import { z } from 'zod';

/** `127.0.0.12=10.8.0.2,127.0.0.13=10.8.0.3`: as a site is listed, and how it is reached from here. */
export const hostPairs = z
  .string()
  .transform((text) => text.split(',').map((pair) => pair.trim().split('=')))
  .pipe(z.array(z.tuple([z.string().min(1), z.string().min(1)], { error: 'it takes pairs such as lon.example=10.8.0.2' })));

/** Where the hosts of other sites are reached from here: behind a NAT or a proxy, not where the estate says. */
export const translation = (pairs: z.output<typeof hostPairs> | undefined): ((host: string) => string) => {
  const ways = new Map(pairs);
  return (host) => ways.get(host) ?? host;
};
