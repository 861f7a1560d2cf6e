import type { types } from 'mediasoup';
import { AUDIO_LEVEL_URI } from './codecs.js';
import { unlessGone } from './errors.js';
import type { Stream } from './stream.js';

/** How loud, dB below the loudest possible: 0 is full scale, -127 silence (RFC 6464 §3). */
export type Dbov = number;

export interface Loudness {
  readonly streamId: string;
  readonly level: Dbov;
}

/** What a room's voices do. All of it is told by stream id. */
export interface VoiceHandlers {
  /** Who was audible in the last quarter second, loudest first; empty when nobody any longer is. */
  audible(loudest: readonly Loudness[]): void;
  /** mediasoup's dominant-speaker algorithm (Volfin and Cohen) has made up its mind. It names somebody even in silence. */
  dominant(streamId: string): void;
}

/** One microphone's packets, one by one: the fastest way to hear that somebody begins, and the dearest. */
export interface Ear {
  readonly listening: boolean;
  listen(on: boolean): Promise<void>;
  close(): void;
}

export interface VoiceObserver {
  add(stream: Stream): Promise<void>;
  /** Opens an ear, which at first listens. `level` is called for every packet. */
  ear(stream: Stream, level: (level: Dbov) => void): Promise<Ear>;
  close(): void;
}

/** mediasoup accepts no less. */
const AUDIBLE_INTERVAL_MS = 250;
const DOMINANT_INTERVAL_MS = 100;
export const AUDIBLE_AT: Dbov = -50;
const AUDIBLE_MAX = 8;

export const observeVoices = async (router: types.Router, handlers: VoiceHandlers): Promise<VoiceObserver> => {
  const [levels, speakers, transport] = await Promise.all([
    router.createAudioLevelObserver({ interval: AUDIBLE_INTERVAL_MS, threshold: AUDIBLE_AT, maxEntries: AUDIBLE_MAX }),
    router.createActiveSpeakerObserver({ interval: DOMINANT_INTERVAL_MS }),
    router.createDirectTransport(),
  ]);
  levels.on('volumes', (volumes) => handlers.audible(volumes.map(({ producer, volume }) => ({ streamId: producer.id, level: volume }))));
  levels.on('silence', () => handlers.audible([]));
  speakers.on('dominantspeaker', ({ producer }) => handlers.dominant(producer.id));

  return {
    add: async (stream) => {
      await Promise.all([levels.addProducer({ producerId: stream.id }), speakers.addProducer({ producerId: stream.id })]);
    },
    ear: async (stream, level) => {
      const consumer = await transport.consume({ producerId: stream.id, rtpCapabilities: router.rtpCapabilities });
      const extension = consumer.rtpParameters.headerExtensions?.find(({ uri }) => uri === AUDIO_LEVEL_URI);
      if (extension) {
        consumer.on('rtp', (packet) => {
          const heard = audioLevelOf(packet, extension.id);
          if (heard !== undefined) level(heard);
        });
      }
      return {
        get listening() {
          return !consumer.paused;
        },
        listen: async (on) => {
          if (consumer.closed || consumer.paused === !on) return;
          await unlessGone(on ? consumer.resume() : consumer.pause());
        },
        close: () => consumer.close(),
      };
    },
    close: () => {
      levels.close();
      speakers.close();
      transport.close();
    },
  };
};

/**
 * The level in an RTP packet, dBov, or undefined if it carries none. Reads both forms of header extension (RFC 8285 §4.2
 * and §4.3); the level is the lower seven bits of its one byte (RFC 6464 §3).
 */
export const audioLevelOf = (packet: Uint8Array, extensionId: number): Dbov | undefined => {
  const first = packet[0] ?? 0;
  if ((first & 0x10) === 0) return undefined;
  let at = 12 + (first & 0x0f) * 4;
  const profile = ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
  const end = Math.min(packet.length, at + 4 + (((packet[at + 2] ?? 0) << 8) | (packet[at + 3] ?? 0)) * 4);
  at += 4;
  const oneByte = profile === 0xbede;
  if (!oneByte && (profile & 0xfff0) !== 0x1000) return undefined;
  while (at < end) {
    const head = packet[at] ?? 0;
    if (head === 0) {
      at += 1;
      continue;
    }
    const id = oneByte ? head >> 4 : head;
    const length = oneByte ? (head & 0x0f) + 1 : (packet[at + 1] ?? 0);
    const body = at + (oneByte ? 1 : 2);
    if (oneByte && id === 15) return undefined;
    if (id === extensionId && length >= 1 && body < end) return -((packet[body] ?? 127) & 0x7f);
    at = body + length;
  }
  return undefined;
};
