import { z } from 'zod';
import type { LegId } from '@isthmus/conference';
import { legId, opaque, PROTOCOL_VERSION, traceparent, type Opaque } from './common.js';

/**
 * The WebSocket between a client and the media node that holds its seat, at the `media.url` of `joined`. JSON text frames;
 * requests carry `v` and a growing `id`, answered by `re`. The shapes inside are mediasoup's and mediasoup-client's own.
 */
const head = { v: z.literal(PROTOCOL_VERSION), id: z.int().min(1) };
export const source = z.enum(['microphone', 'camera']);
export type Source = z.infer<typeof source>;

export const clientToMedia = z.discriminatedUnion('type', [
  /** First. `rtpCapabilities` is what the client can receive (mediasoup-client `device.recvRtpCapabilities`). */
  z.object({
    ...head,
    type: z.literal('attach'),
    leg: legId,
    token: z.string().max(128),
    rtpCapabilities: opaque,
    /** Who will come, on both transports, if the client knows already: saves it both `connect`s. */
    dtlsParameters: opaque.optional(),
    traceparent: traceparent.optional(),
  }),
  z.object({ ...head, type: z.literal('connect'), transport: z.enum(['send', 'receive']), dtlsParameters: opaque }),
  z.object({ ...head, type: z.literal('produce'), source, kind: z.enum(['audio', 'video']), rtpParameters: opaque }),
  z.object({ ...head, type: z.literal('pause'), source }),
  z.object({ ...head, type: z.literal('resume'), source }),
  /** The client is set up for these consumers; media may flow. */
  z.object({ ...head, type: z.literal('ready'), consumers: z.array(z.string().max(64)).max(256) }),
  z.object({ ...head, type: z.literal('restart-ice'), transport: z.enum(['send', 'receive']) }),
]);
export type ClientToMedia = z.infer<typeof clientToMedia>;

export interface TransportOffer {
  readonly id: string;
  readonly iceParameters: Opaque;
  readonly iceCandidates: readonly Opaque[];
  readonly dtlsParameters: Opaque;
}

/** A stream that the client should be ready to receive. It comes paused; answer `ready`. */
export interface ConsumerOffer {
  readonly id: string;
  readonly producerId: string;
  readonly leg: LegId;
  readonly source: Source;
  readonly kind: 'audio' | 'video';
  readonly rtpParameters: Opaque;
}

export type MediaToClient =
  | {
      readonly type: 'attached';
      readonly re: number;
      readonly send: TransportOffer;
      readonly receive: TransportOffer;
      readonly consumers: readonly ConsumerOffer[];
      /** The `dtlsParameters` of the attach count: `connect` is not needed any more. */
      readonly connected?: boolean;
    }
  | { readonly type: 'ok'; readonly re: number }
  | { readonly type: 'produced'; readonly re: number; readonly producerId: string }
  | { readonly type: 'restarted'; readonly re: number; readonly iceParameters: Opaque }
  | { readonly type: 'refused'; readonly re: number; readonly code: string; readonly message: string }
  /** New streams for this client. */
  | { readonly type: 'consume'; readonly consumers: readonly ConsumerOffer[] }
  | { readonly type: 'closed'; readonly consumers: readonly string[] }
  /** Which camera layers anybody watches; send only those. */
  | { readonly type: 'layers'; readonly large: boolean; readonly small: boolean }
  /** Who is audible right now, loudest first. Sent when it changes. */
  | { readonly type: 'speaking'; readonly legs: readonly LegId[] }
  /** The node lets go of this seat; the gateway-router says what comes next. */
  | { readonly type: 'ended'; readonly reason: string };

/** The two camera encodings every publisher sends, thumbnail first. Bit rates are in bit/s on the wire's RTP payload. */
export const CAMERA_LAYERS = {
  small: { width: 320, height: 180, framesPerSecond: 15, bitrate: 100_000 },
  large: { width: 1280, height: 720, framesPerSecond: 30, bitrate: 1_500_000 },
} as const;
