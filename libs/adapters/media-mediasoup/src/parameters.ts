import { z } from 'zod';
import { Refusal } from '@isthmus/kernel';
import type { types } from 'mediasoup';
import type { MediaRefusal } from './errors.js';

/**
 * Bounds and shapes of what clients and peers hand to mediasoup, checked before it sees any: an empty fingerprint list
 * has aborted workers (mediasoup #537), and a worker takes every conference on it along.
 */
const text = z.string().max(256);
const small = z.int().min(0).max(255);
const ssrc = z.int().min(1).max(0xffff_ffff);
const scalar = z.union([z.string().max(256), z.number(), z.boolean(), z.null()]);
const parameters = z.record(z.string().max(64), scalar).refine((all) => Object.keys(all).length <= 32, 'too many codec parameters');
const feedback = z.array(z.object({ type: text, parameter: text.optional() })).max(16);

const codec = z.object({
  mimeType: text,
  payloadType: z.int().min(0).max(127),
  clockRate: z.int().min(1).max(1_000_000),
  channels: z.int().min(1).max(8).optional(),
  parameters: parameters.optional(),
  rtcpFeedback: feedback.optional(),
});

const rtpParametersShape = z.object({
  mid: z.string().min(1).max(32).optional(),
  codecs: z.array(codec).min(1).max(16),
  headerExtensions: z
    .array(z.object({ uri: text, id: z.int().min(1).max(255), encrypt: z.boolean().optional(), parameters: parameters.optional() }))
    .max(24)
    .optional(),
  encodings: z
    .array(
      z.object({
        ssrc: ssrc.optional(),
        rid: z.string().min(1).max(16).optional(),
        codecPayloadType: z.int().min(0).max(127).optional(),
        rtx: z.object({ ssrc }).optional(),
        dtx: z.boolean().optional(),
        scalabilityMode: z.string().max(16).optional(),
        maxBitrate: z.number().positive().optional(),
      }),
    )
    .min(1)
    .max(2),
  rtcp: z.object({ cname: text.optional(), reducedSize: z.boolean().optional() }).optional(),
});

const rtpCapabilitiesShape = z.object({
  codecs: z
    .array(
      z.object({
        kind: z.enum(['audio', 'video']),
        mimeType: text,
        preferredPayloadType: z.int().min(0).max(127),
        clockRate: z.int().min(1).max(1_000_000),
        channels: z.int().min(1).max(8).optional(),
        parameters: parameters.optional(),
        rtcpFeedback: feedback.optional(),
      }),
    )
    .max(64)
    .optional(),
  headerExtensions: z
    .array(
      z.object({
        kind: z.enum(['audio', 'video']),
        uri: text,
        preferredId: small,
        preferredEncrypt: z.boolean().optional(),
        direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional(),
      }),
    )
    .max(64)
    .optional(),
});

const dtlsParametersShape = z.object({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z
    .array(
      z.object({
        algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
        value: z
          .string()
          .max(191)
          .regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+$/),
      }),
    )
    .min(1)
    .max(8),
});

/** Key and salt in Base64: 28 bytes for AEAD_AES_128_GCM (RFC 7714 §12), 30 for AES_CM_128_HMAC_SHA1_80 (RFC 4568 §6.2). */
const srtpParametersShape = z.object({
  cryptoSuite: z.enum(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80']),
  keyBase64: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9+/]+=*$/),
});

const parsed =
  <T>(shape: z.ZodType, what: string) =>
  (value: unknown): T => {
    const result = shape.safeParse(value);
    if (result.success) return result.data as T;
    const [issue] = result.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new Refusal<MediaRefusal>('media.bad-parameters', `${what}${where && ` (${where})`}: ${issue?.message ?? 'not understood'}.`);
  };

export const rtpParametersOf = parsed<types.RtpParameters>(rtpParametersShape, 'rtpParameters');
export const rtpCapabilitiesOf = parsed<types.RtpCapabilities>(rtpCapabilitiesShape, 'rtpCapabilities');
export const dtlsParametersOf = parsed<types.DtlsParameters>(dtlsParametersShape, 'dtlsParameters');
export const srtpParametersOf = parsed<types.SrtpParameters>(srtpParametersShape, 'srtpParameters');

/** What makes mediasoup ration a viewer's layers by its own bandwidth estimate. */
const ESTIMATION = {
  extensions: [
    'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  ],
  feedback: ['transport-cc', 'goog-remb'],
};

/**
 * What a viewer can receive, without the means to estimate its bandwidth: with them, mediasoup refuses a layer for its
 * first two seconds (`StreamMinActiveMs`), so that nobody's picture could follow a voice sooner (ADR 0006).
 */
export const withoutEstimation = (capabilities: types.RtpCapabilities): types.RtpCapabilities => ({
  codecs: (capabilities.codecs ?? []).map((codec) => ({
    ...codec,
    rtcpFeedback: (codec.rtcpFeedback ?? []).filter(({ type }) => !ESTIMATION.feedback.includes(type)),
  })),
  headerExtensions: (capabilities.headerExtensions ?? []).filter(({ uri }) => !ESTIMATION.extensions.includes(uri)),
});
