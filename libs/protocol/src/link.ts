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
 * Media node to media node, over mutually authenticated TLS: the only place where media keys travel. Of a pipe's two ends
 * the one with the lesser node id leads: it says `pipe`, the other answers with a `pipe` whose `to` names the leader's
 * incarnation. A leader's new `incarnation` begins the pipe afresh; after `pipe-gone`, too, it is the leader who begins.
 */
export const mediaLinkMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), node: nodeId, site: siteId }),
  z.object({
    type: z.literal('pipe'),
    conference: conferenceId,
    incarnation: z.string().min(1).max(64),
    /** The other end's incarnation that this one is connected to. */
    to: z.string().max(64).optional(),
    ip: z.string().max(64),
    port: z.int().min(1).max(65_535),
    srtpParameters: opaque,
  }),
  z.object({ type: z.literal('pipe-gone'), conference: conferenceId }),
  /** All streams this end offers on the pipe; whole each time. */
  z.object({
    type: z.literal('streams'),
    conference: conferenceId,
    incarnation: z.string().min(1).max(64),
    streams: z.array(z.object({ leg: legId, source: z.enum(['microphone', 'camera']), rtpParameters: opaque })).max(2_048),
  }),
]);
export type MediaLinkMessage = z.infer<typeof mediaLinkMessage>;
