import { z } from 'zod';
import type { FactHash, StreamName } from '@isthmus/kernel';
import { conferenceId, nodeId, opaque, siteId, version, legId } from './common.js';

/** Lists on the link are bounded; what does not fit is said next time. */
export const LINK_LIST_MAX = 1_000;

const stream = z.string().max(160) as unknown as z.ZodType<StreamName, string>;
const seq = z.int().min(0);
const head = z.object({ stream, seq, hash: z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<FactHash, string> });
const signedHead = head.extend({ signature: z.string().max(256) });
const certificate = z.string().max(8_192);

/** How far streams go by their author's word, all under one certificate. */
const authorsWord = z.object({ certificate, heads: z.array(signedHead).min(1).max(LINK_LIST_MAX) });
export type AuthorsWord = z.infer<typeof authorsWord>;
/** How far management's streams go, by its own word: given with the facts, and passed on to sites that have lost it (merge rule 16). */
export const estateWord = authorsWord;
export type EstateWord = AuthorsWord;
/** What travels with a batch of facts: how far the streams in it go, by their author's word, which whoever has them can show others. */
export const batchWord = z.array(authorsWord).max(2);

/** What brains say to each other beside the facts of their own: state that is not history, and facts of third sites. */
export const brainMessage = z.discriminatedUnion('type', [
  /** For each conference with media at this site: which of its nodes stands for it, and where that node's media link is. Whole each time. */
  z.object({
    type: z.literal('intermediaries'),
    version,
    intermediaries: z.array(z.object({ conference: conferenceId, node: nodeId, url: z.string() })),
  }),
  /** What a site, not always the sender, says of its links. Passed on while it is news. */
  z.object({
    type: z.literal('links'),
    site: siteId,
    version,
    hears: z.array(z.object({ peer: siteId, facts: z.boolean(), media: z.boolean() })).max(LINK_LIST_MAX),
  }),
  /** How far streams of a site, not always the sender's, go, by its own word. Passed on to those who do not hear that site. */
  z.object({ type: z.literal('heads'), site: siteId, certificate, heads: z.array(signedHead).max(LINK_LIST_MAX) }),
  /**
   * How far the sender has the receiver's own streams: the receiver may have lost some of it (merge rule 4). Those written to
   * lately; asked for `all`, every one, page by page in the order of their names, `rest` with those behind the last of these.
   */
  z.object({ type: z.literal('yours'), heads: z.array(head).max(LINK_LIST_MAX), rest: z.boolean().optional() }),
  /** The sender has lost some of what it wrote: it asks how far the receiver has all of its streams whose names come after this one. */
  z.object({ type: z.literal('mine'), after: z.string().max(160) }),
  /** Facts that the sender lacks, of streams of which the receiver has said the heads. */
  z.object({ type: z.literal('ask'), streams: z.array(z.object({ stream, from: seq })).max(LINK_LIST_MAX) }),
  /** Facts of one stream in order, up to this head or on the way to it; looked at one by one when they have come (`isFact`). */
  z.object({ type: z.literal('relayed'), certificate, head: signedHead, facts: z.array(z.unknown()).max(200) }),
]);
export type BrainMessage = z.infer<typeof brainMessage>;
export type Intermediaries = Extract<BrainMessage, { type: 'intermediaries' }>;
export type SignedHead = z.infer<typeof signedHead>;

const probeToken = z.string().regex(/^[0-9a-f]{32}$/);

/**
 * Media node to media node, over mutually authenticated TLS: the only place where media keys travel. Of a pipe's two ends
 * the one with the lesser node id leads: it says `pipe`, the other answers with a `pipe` whose `to` names the leader's
 * incarnation. A leader's new `incarnation` begins the pipe afresh; after `pipe-gone`, too, it is the leader who begins.
 */
export const mediaLinkMessage = z.discriminatedUnion('type', [
  /** `onsets`: the sender says `onset`, and understands it. Who knows no such word would end the link at it. */
  z.object({ type: z.literal('hello'), node: nodeId, site: siteId, onsets: z.boolean().optional() }),
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
  /**
   * Where the sender wants probes (UDP) of the other end, what they must bear, whether it hears the other end, and how many
   * probes it has sent there itself, by the token that they bear. Said all the time between nodes of different sites.
   */
  z.object({
    type: z.literal('probes'),
    ip: z.string().max(64),
    port: z.int().min(1).max(65_535),
    token: probeToken,
    hears: z.boolean(),
    sent: z.object({ token: probeToken, count: z.int().min(0) }).optional(),
  }),
  /** All streams this end offers on the pipe; whole each time. */
  z.object({
    type: z.literal('streams'),
    conference: conferenceId,
    incarnation: z.string().min(1).max(64),
    streams: z.array(z.object({ leg: legId, source: z.enum(['microphone', 'camera']), rtpParameters: opaque })).max(2_048),
  }),
  /** A voice begins that the sender may send on the pipe; perhaps it is nothing. `level`: of its second packet, dBov (ADR 0093). */
  z.object({ type: z.literal('onset'), conference: conferenceId, leg: legId, level: z.int().min(-127).max(0) }),
]);
export type MediaLinkMessage = z.infer<typeof mediaLinkMessage>;
