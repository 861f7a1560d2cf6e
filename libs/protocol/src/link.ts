import { z } from 'zod';
import { conferenceId, nodeId, opaque, siteId, version, legId } from './common.js';

/** Brain to brain, beside the facts: state that is not history. Whole each time. */
export const brainMessage = z.object({
  type: z.literal('intermediaries'),
  version,
  /** For each conference with legs of this site: which of its nodes stands for it, and where that node's media link is. */
  intermediaries: z.array(z.object({ conference: conferenceId, node: nodeId, url: z.string() })),
});
export type BrainMessage = z.infer<typeof brainMessage>;

/**
 * Media node to media node, over mutually authenticated TLS: the only place where media keys travel. Both ends of a pipe
 * send `pipe`; either may send it again with a new `incarnation`, and then both start that pipe afresh.
 */
export const mediaLinkMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), node: nodeId, site: siteId }),
  z.object({
    type: z.literal('pipe'),
    conference: conferenceId,
    incarnation: z.string(),
    ip: z.string(),
    port: z.int(),
    srtpParameters: opaque,
  }),
  z.object({ type: z.literal('pipe-gone'), conference: conferenceId }),
  /** All streams this end offers on the pipe; whole each time. */
  z.object({
    type: z.literal('streams'),
    conference: conferenceId,
    incarnation: z.string(),
    streams: z.array(z.object({ leg: legId, source: z.enum(['microphone', 'camera']), rtpParameters: opaque })),
  }),
]);
export type MediaLinkMessage = z.infer<typeof mediaLinkMessage>;
