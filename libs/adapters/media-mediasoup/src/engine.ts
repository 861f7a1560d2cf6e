import { access, constants } from 'node:fs/promises';
import { createWorker, type types } from 'mediasoup';
import { Fault } from '@isthmus/kernel';
import type { Opaque } from '@isthmus/protocol';
import { MEDIA_CODECS } from './codecs.js';
import type { MediaFault } from './errors.js';
import { MediasoupClientTransport, type ClientTransport } from './client-transport.js';
import { MediasoupPipeTransport, type PipeTransport } from './pipe-transport.js';
import { observeVoices, type VoiceHandlers, type VoiceObserver } from './voices.js';

export interface EngineOptions {
  /** Where clients send: one UDP port for everybody, and the same TCP port for those whose network blocks UDP. */
  readonly webRtc: { readonly ip: string; readonly announcedAddress?: string; readonly port: number };
  /** Where pipes to other nodes listen. */
  readonly plain: { readonly ip: string; readonly portMin: number; readonly portMax: number };
  /** mediasoup's worker; without it, mediasoup looks where its package put one, or at MEDIASOUP_WORKER_BIN. */
  readonly workerBin?: string;
}

/** One conference's media on this engine: every stream in it can be fed to every transport in it. */
export interface MediaRoom {
  readonly closed: boolean;
  clientTransport(): Promise<ClientTransport>;
  pipeTransport(): Promise<PipeTransport>;
  voices(handlers: VoiceHandlers): Promise<VoiceObserver>;
  close(): void;
}

/** One mediasoup worker: one process, one core. A machine with more cores runs more nodes (ADR 0006). */
export interface MediaEngine {
  readonly pid: number;
  readonly rtpCapabilities: Opaque;
  readonly closed: boolean;
  room(): Promise<MediaRoom>;
  /** CPU time the worker has used since it began, ms. */
  cpuMs(): Promise<number>;
  /** The worker is gone, and everything on it. Not called after `close`. */
  onDied(handle: (reason: string) => void): void;
  close(): void;
}

/** @throws Fault `media.engine-missing` | `media.port-taken` */
export const startEngine = async (options: EngineOptions): Promise<MediaEngine> => {
  const { webRtc, plain, workerBin } = options;
  const bin = workerBin ?? process.env['MEDIASOUP_WORKER_BIN'];
  if (bin !== undefined) await access(bin, constants.X_OK).catch((cause: unknown) => missing(bin, cause));
  const worker = await createWorker({ logLevel: 'error', ...(bin === undefined ? {} : { workerBin: bin }) }).catch((cause: unknown) =>
    missing(bin ?? 'the one of the mediasoup package', cause),
  );
  try {
    const server = await worker
      .createWebRtcServer({
        listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({
          protocol,
          ip: webRtc.ip,
          port: webRtc.port,
          ...(webRtc.announcedAddress === undefined ? {} : { announcedAddress: webRtc.announcedAddress }),
        })),
      })
      .catch((cause: unknown) => {
        const where = `${webRtc.ip}:${webRtc.port}`;
        const why = /in use/.test(String(cause))
          ? 'something else has that port. Stop it, or choose another port.'
          : 'the operating system refuses it. Is that an address of this machine, and a port that this user may have?';
        throw new Fault<MediaFault>('media.port-taken', `Cannot listen for media at ${where} (UDP and TCP): ${why}`, { where }, { cause });
      });
    // Routers differ in nothing, so one that exists before anybody joins tells what all of them can do.
    const sample = await worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    const { rtpCapabilities } = sample;
    sample.close();
    return engineOf(worker, server, rtpCapabilities, plain);
  } catch (error) {
    worker.close();
    throw error;
  }
};

const missing = (bin: string, cause: unknown): never => {
  throw new Fault<MediaFault>(
    'media.engine-missing',
    `mediasoup's worker (${bin}) cannot be run. Set MEDIASOUP_WORKER_BIN to one that can, or run \`npm start\`, which provides it.`,
    { bin },
    { cause },
  );
};

const engineOf = (
  worker: types.Worker,
  server: types.WebRtcServer,
  rtpCapabilities: types.RtpCapabilities,
  plain: EngineOptions['plain'],
): MediaEngine => ({
  pid: worker.pid,
  rtpCapabilities: rtpCapabilities,
  get closed() {
    return worker.closed;
  },
  room: async () => roomOf(await worker.createRouter({ mediaCodecs: MEDIA_CODECS }), server, plain),
  cpuMs: async () => {
    const usage = await worker.getResourceUsage();
    return usage.ru_utime + usage.ru_stime;
  },
  onDied: (handle) => {
    worker.on('died', (error) => handle(error.message));
  },
  close: () => worker.close(),
});

const roomOf = (router: types.Router, webRtcServer: types.WebRtcServer, plain: EngineOptions['plain']): MediaRoom => ({
  get closed() {
    return router.closed;
  },
  clientTransport: async () =>
    new MediasoupClientTransport(await router.createWebRtcTransport({ webRtcServer, enableUdp: true, enableTcp: true, preferUdp: true })),
  pipeTransport: async () => {
    const transport = await router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: plain.ip, portRange: { min: plain.portMin, max: plain.portMax } },
      enableSrtp: true,
      // An authenticated cipher, and half the price of AES-CM with HMAC on today's processors (RFC 7714).
      srtpCryptoSuite: 'AEAD_AES_128_GCM',
      rtcpMux: true,
      comedia: false,
    });
    return new MediasoupPipeTransport(transport, router.rtpCapabilities);
  },
  voices: (handlers) => observeVoices(router, handlers),
  close: () => router.close(),
});
