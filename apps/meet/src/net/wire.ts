import type { GatewayToClient, MediaToClient } from '@isthmus/protocol';
import { z } from 'zod';

/**
 * What the two servers may say to this page, checked at the door: a message that does not fit is dropped, so that an older
 * page survives a newer server and a confused server cannot break a meeting. Unknown extra fields are let through.
 */
const leg = z.string().min(1).max(64);
const site = z.string().min(1).max(64);
const opaque = z.record(z.string(), z.unknown());
const re = z.int();
const media = z.object({ url: z.string(), token: z.string() });
const muted = z.union([z.literal(false), z.literal('self'), z.literal('host')]);
const role = z.enum(['host', 'guest']);

const view = z.object({
  revision: z.number(),
  roster: z.array(z.object({ leg, name: z.string(), site, role, muted, cameraOff: z.boolean(), inReach: z.boolean(), you: z.boolean() })),
  stage: z.object({ main: leg.nullable(), thumbnails: z.array(leg) }),
  floor: leg.nullable(),
  locked: z.boolean(),
  held: z.boolean(),
  heldFor: z.enum(['lock', 'pin']).exactOptional(),
  besides: z.array(site).exactOptional(),
  waiting: z.array(z.object({ leg, name: z.string(), reason: z.enum(['host', 'lock', 'pin']) })),
});

const move = z.object({
  v: z.literal(1),
  afterMs: z.int().min(0).max(3_600_000),
  ways: z
    .array(z.object({ site, name: z.string(), url: z.url({ protocol: /^https?$/ }) }))
    .min(1)
    .max(8),
});

const endReason = z.enum(['left', 'removed', 'ended', 'replaced', 'rejected', 'room-disabled', 'node-lost', 'timeout']);
const refused = z.object({ type: z.literal('refused'), re, code: z.string(), message: z.string() });
const ok = z.object({ type: z.literal('ok'), re });

const gatewayMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    v: z.literal(1),
    site,
    siteName: z.string(),
    sites: z.record(z.string(), z.string()).optional(),
    rtpCapabilities: opaque,
    media: z.string().optional(),
  }),
  ok,
  refused,
  z.object({ type: z.literal('pin-needed'), re }),
  z.object({ type: z.literal('waiting'), re, reason: z.enum(['host', 'lock']) }),
  z.object({ type: z.literal('joined'), re, leg, conference: z.string(), room: z.string(), role, resume: z.string(), media, view }),
  z.object({ type: z.literal('view'), view }),
  z.object({ type: z.literal('media'), media }),
  // How to move is for versions that know how; the words are for everybody.
  z.object({ type: z.literal('notice'), code: z.string(), message: z.string(), move: move.optional().catch(undefined) }),
  z.object({ type: z.literal('ended'), reason: endReason, message: z.string() }),
]);

const transport = z.object({ id: z.string(), iceParameters: opaque, iceCandidates: z.array(opaque), dtlsParameters: opaque });
const consumer = z.object({
  id: z.string(),
  producerId: z.string(),
  leg,
  source: z.enum(['microphone', 'camera']),
  kind: z.enum(['audio', 'video']),
  rtpParameters: opaque,
});

const mediaMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('attached'),
    re,
    send: transport,
    receive: transport,
    consumers: z.array(consumer),
    connected: z.boolean().optional(),
  }),
  ok,
  refused,
  z.object({ type: z.literal('produced'), re, producerId: z.string() }),
  z.object({ type: z.literal('restarted'), re, iceParameters: opaque }),
  z.object({ type: z.literal('consume'), consumers: z.array(consumer) }),
  z.object({ type: z.literal('closed'), consumers: z.array(z.string()) }),
  z.object({ type: z.literal('layers'), large: z.boolean(), small: z.boolean() }),
  z.object({ type: z.literal('speaking'), legs: z.array(leg) }),
  z.object({ type: z.literal('ended'), reason: z.string() }),
]);

/** Reads one text frame; `null` for anything this version does not understand. */
export type ReadMessage<Message> = (text: unknown) => Message | null;

// The schemas say in checks what the contract's types say in names; ids are branded there and plain strings on the wire.
const reader =
  <Message>(schema: z.ZodType): ReadMessage<Message> =>
  (text) => {
    if (typeof text !== 'string') return null;
    try {
      const result = schema.safeParse(JSON.parse(text));
      return result.success ? (result.data as Message) : null;
    } catch {
      return null;
    }
  };

export const readGatewayMessage = reader<GatewayToClient>(gatewayMessage);
export const readMediaMessage = reader<MediaToClient>(mediaMessage);
