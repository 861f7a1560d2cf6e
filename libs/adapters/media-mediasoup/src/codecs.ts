import type { types } from 'mediasoup';

/**
 * What every router speaks. The payload types are fixed, so that whoever forwards or counts packets of a crossing (the
 * demo's relay, a capture) can tell audio from video without a key.
 */
export const PAYLOAD_TYPES = { opus: 100, vp8: 101, rtx: 102 } as const;

export const MEDIA_CODECS: types.RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    preferredPayloadType: PAYLOAD_TYPES.opus,
    clockRate: 48_000,
    channels: 2,
    // A quiet microphone then costs one packet in 400 ms (RFC 7587 §3.1.3): that is what lets voices cross before they speak.
    parameters: { useinbandfec: 1, usedtx: 1 },
  },
  { kind: 'video', mimeType: 'video/VP8', preferredPayloadType: PAYLOAD_TYPES.vp8, clockRate: 90_000 },
];

/** RFC 6464: how loud a packet is, readable without decoding it. */
export const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
