import type { types } from 'mediasoup';
import type { Opaque, TransportOffer } from '@isthmus/protocol';
import { refuseBadParameters } from './errors.js';
import { MediasoupFeed, type Feed } from './feed.js';
import { dtlsParametersOf, rtpCapabilitiesOf, rtpParametersOf, withoutEstimation } from './parameters.js';
import { MediasoupStream, type Layer, type Stream } from './stream.js';

/** Never more than one key frame per stream in this time, however many viewers ask, ms. */
export const KEY_FRAME_INTERVAL_MS = 300;

/** One direction of one client: ICE, DTLS, and the streams on it. */
export interface ClientTransport {
  readonly offer: TransportOffer;
  readonly closed: boolean;
  /** @throws Refusal `media.bad-parameters` */
  connect(dtlsParameters: Opaque): Promise<void>;
  restartIce(): Promise<Opaque>;
  /** @throws Refusal `media.bad-parameters` */
  produce(kind: 'audio' | 'video', rtpParameters: Opaque, open: boolean): Promise<Stream>;
  /** A closed feed of a stream, in the layer given. @throws Refusal `media.bad-parameters` */
  consume(stream: Stream, rtpCapabilities: Opaque, layer: Layer): Promise<Feed>;
  /** Packets can flow, or no longer can. */
  onConnected(handle: (connected: boolean) => void): void;
  close(): void;
}

export class MediasoupClientTransport implements ClientTransport {
  readonly offer: TransportOffer;
  private wasConnected = false;

  constructor(private readonly transport: types.WebRtcTransport) {
    this.offer = {
      id: transport.id,
      iceParameters: transport.iceParameters,
      iceCandidates: transport.iceCandidates,
      dtlsParameters: transport.dtlsParameters,
    };
  }

  get closed(): boolean {
    return this.transport.closed;
  }

  async connect(dtlsParameters: Opaque): Promise<void> {
    const checked = dtlsParametersOf(dtlsParameters);
    await refuseBadParameters('connect', () => this.transport.connect({ dtlsParameters: checked }));
  }

  async restartIce(): Promise<Opaque> {
    return refuseBadParameters('restart-ice', async () => (await this.transport.restartIce()) as unknown as Opaque);
  }

  async produce(kind: 'audio' | 'video', rtpParameters: Opaque, open: boolean): Promise<Stream> {
    const checked = rtpParametersOf(rtpParameters);
    const producer = await refuseBadParameters('produce', () =>
      this.transport.produce({ kind, rtpParameters: checked, paused: !open, keyFrameRequestDelay: KEY_FRAME_INTERVAL_MS }),
    );
    return new MediasoupStream(producer);
  }

  async consume(stream: Stream, rtpCapabilities: Opaque, layer: Layer): Promise<Feed> {
    const capabilities = withoutEstimation(rtpCapabilitiesOf(rtpCapabilities));
    const consumer = await refuseBadParameters('consume', () =>
      this.transport.consume({
        producerId: stream.id,
        rtpCapabilities: capabilities,
        paused: true,
        ...(stream.layers === 2 ? { preferredLayers: { spatialLayer: layer } } : {}),
      }),
    );
    return new MediasoupFeed(consumer, stream.layers === 2 ? layer : undefined);
  }

  onConnected(handle: (connected: boolean) => void): void {
    const changed = () => {
      const ice = this.transport.iceState === 'connected' || this.transport.iceState === 'completed';
      const connected = ice && this.transport.dtlsState === 'connected';
      if (connected === this.wasConnected) return;
      this.wasConnected = connected;
      handle(connected);
    };
    this.transport.on('icestatechange', changed);
    this.transport.on('dtlsstatechange', changed);
  }

  close(): void {
    this.transport.close();
  }
}
