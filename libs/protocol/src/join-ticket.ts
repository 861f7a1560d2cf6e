import { z } from 'zod';
import { nodeId, siteId } from './common.js';

const head = {
  v: z.literal(1),
  /** Management's door for sites: `https://192.0.2.1:7001`. */
  management: z.url({ protocol: /^https$/ }),
  /** SHA-256 of management's authority, hex: who answers there has to hold it. */
  authority: z.string().regex(/^[0-9a-f]{64}$/),
  site: siteId,
  siteName: z.string().min(1).max(100),
  /** Good once; management keeps its SHA-256 only. */
  secret: z.string().min(1).max(128),
  /** ms since 1970. */
  expiresAt: z.int().min(0),
};
const port = z.int().min(1).max(65_535);

/**
 * What a machine needs to know to become a part of a deployment: signed by management, good once and not for long. It is the
 * one argument of `isthmus join`.
 */
export const joinTicket = z.discriminatedUnion('kind', [
  z.strictObject({ ...head, kind: z.literal('site'), meetUrl: z.string().max(300), linkUrl: z.string().max(300) }),
  z.strictObject({
    ...head,
    kind: z.literal('node'),
    node: nodeId,
    /** Of the machine, for other nodes; people reach it there too, unless `clientHost` says otherwise. */
    host: z.string().min(1).max(255),
    clientHost: z.string().min(1).max(255),
    /** The first of its ports. */
    port,
    /** Whether clients speak TLS with it: a page that came by HTTPS takes nothing else. */
    secure: z.boolean(),
    /** The site's door for its own nodes: `wss://192.0.2.7:7105`. */
    busUrl: z.url({ protocol: /^wss$/ }),
  }),
]);
export type JoinTicket = z.infer<typeof joinTicket>;
