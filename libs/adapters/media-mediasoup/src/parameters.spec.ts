import { describe, expect, it } from 'vitest';
import { Refusal } from '@isthmus/kernel';
import { dtlsParametersOf, rtpCapabilitiesOf, rtpParametersOf, srtpParametersOf, withoutEstimation } from './parameters.js';

const fingerprint = { algorithm: 'sha-256', value: 'AB:CD:EF' };
const codec = { mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000 };

describe('what clients hand to the media engine', () => {
  it.each<[string, () => unknown]>([
    ['no fingerprints', () => dtlsParametersOf({ fingerprints: [] })],
    ['a fingerprint that is no hash', () => dtlsParametersOf({ fingerprints: [{ ...fingerprint, value: 'hello' }] })],
    ['a hash nobody knows', () => dtlsParametersOf({ fingerprints: [{ ...fingerprint, algorithm: 'md2' }] })],
    ['a thousand fingerprints', () => dtlsParametersOf({ fingerprints: new Array(1_000).fill(fingerprint) })],
    ['nothing', () => dtlsParametersOf(undefined)],
    ['no codecs', () => rtpParametersOf({ codecs: [], encodings: [{ ssrc: 1 }] })],
    ['three encodings', () => rtpParametersOf({ codecs: [codec], encodings: [{ ssrc: 1 }, { ssrc: 2 }, { ssrc: 3 }] })],
    ['an SSRC of more than 32 bits', () => rtpParametersOf({ codecs: [codec], encodings: [{ ssrc: 2 ** 32 }] })],
    ['an SSRC that is no number', () => rtpParametersOf({ codecs: [codec], encodings: [{ ssrc: Number.NaN }] })],
    ['a payload type beyond 127', () => rtpParametersOf({ codecs: [{ ...codec, payloadType: 128 }], encodings: [{ ssrc: 1 }] })],
    ['a text of 10,000 letters', () => rtpParametersOf({ codecs: [{ ...codec, mimeType: 'x'.repeat(10_000) }], encodings: [{ ssrc: 1 }] })],
    [
      'codec parameters that nest',
      () => rtpParametersOf({ codecs: [{ ...codec, parameters: { a: { b: 1 } } }], encodings: [{ ssrc: 1 }] }),
    ],
    [
      'ten thousand codecs',
      () => rtpCapabilitiesOf({ codecs: new Array(10_000).fill({ ...codec, kind: 'video', preferredPayloadType: 101 }) }),
    ],
    ['a weak cipher', () => srtpParametersOf({ cryptoSuite: 'AES_CM_128_HMAC_SHA1_32', keyBase64: 'AAAA' })],
    ['a key that is no Base64', () => srtpParametersOf({ cryptoSuite: 'AEAD_AES_128_GCM', keyBase64: '<key>' })],
  ])('is refused with %s', (_what, read) => {
    expect(read).toThrow(Refusal);
    expect(read).toThrow(expect.objectContaining({ code: 'media.bad-parameters' }));
  });

  it('does not repeat a key in the refusal', () => {
    expect(() => srtpParametersOf({ cryptoSuite: 'AEAD_AES_128_GCM', keyBase64: 'secret key' })).not.toThrow('secret key');
  });

  it('loses what would let mediasoup ration a viewer by its own estimate', () => {
    const capabilities = withoutEstimation({
      codecs: [
        {
          ...codec,
          kind: 'video',
          preferredPayloadType: 101,
          rtcpFeedback: [{ type: 'nack' }, { type: 'goog-remb' }, { type: 'transport-cc' }],
        },
      ],
      headerExtensions: [
        { kind: 'video', uri: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', preferredId: 4 },
        { kind: 'audio', uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', preferredId: 6 },
      ],
    });
    expect(capabilities.codecs?.[0]?.rtcpFeedback).toEqual([{ type: 'nack' }]);
    expect(capabilities.headerExtensions?.map(({ preferredId }) => preferredId)).toEqual([6]);
  });
});
