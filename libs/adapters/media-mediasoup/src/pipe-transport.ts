import type { types } from 'mediasoup';
import type { Opaque } from '@isthmus/protocol';
import { AUDIO_LEVEL_URI } from './codecs.js';
import { refuseBadParameters } from './errors.js';
import { MediasoupFeed, type Feed } from './feed.js';
import { rtpParametersOf, srtpParametersOf } from './parameters.js';
import { MediasoupStream, type Layer, type Stream } from './stream.js';

/** Where one end of a pipe listens, and the key it sends with. The key is for the other end only. */
export interface PipeEnd {
  readonly ip: string;
  readonly port: number;
  readonly srtpParameters: Opaque;
}

/** Bytes of a pipe so far, one way. */
export interface PipeBytes {
  /** RTP of all streams without retransmissions, headers included, before encryption. */
  readonly rtp: number;
  /** On the wire, UDP payload: RTP, RTCP, and what SRTP adds to both. */
  readonly wire: number;
}

/**
 * One end of a pipe to another node: SRTP on one UDP port, RTP and RTCP together. Unlike mediasoup's own pipe, it sends
 * one layer per feed, so that only what somebody at the other end watches crosses (ADR 0006).
 */
export interface PipeTransport {
  readonly local: PipeEnd;
  readonly closed: boolean;
  /** Once per transport. */
  connect(remote: PipeEnd): Promise<void>;
  /** A closed feed of one layer of a stream. */
  offer(stream: Stream, layer: Layer): Promise<Feed>;
  /** The other end's stream, by the parameters of its feeds: one per layer, thumbnail first. */
  accept(kind: 'audio' | 'video', rtpParameters: Opaque): Promise<Stream>;
  bytes(): Promise<{ readonly sent: PipeBytes; readonly received: PipeBytes }>;
  close(): void;
}

/**
 * What the far end needs to receive a stream whose layers are sent by these feeds: one stream with a layer per feed.
 * Without `mid`: SSRCs tell the streams of a pipe apart.
 */
export const joinedParameters = (feeds: readonly Feed[]): Opaque => {
  const [first, ...others] = feeds.map(({ rtpParameters }) => rtpParameters as unknown as types.RtpParameters);
  const { codecs, headerExtensions, rtcp } = first ?? { codecs: [] };
  const encodings = [first, ...others].map((each) => {
    const encoding = each?.encodings?.[0];
    return { ssrc: encoding?.ssrc, ...(encoding?.rtx ? { rtx: encoding.rtx } : {}) };
  });
  return { codecs, headerExtensions: headerExtensions ?? [], encodings, rtcp: { cname: rtcp?.cname, reducedSize: true } };
};

export class MediasoupPipeTransport implements PipeTransport {
  readonly local: PipeEnd;

  constructor(
    private readonly transport: types.PlainTransport,
    private readonly routerCapabilities: types.RtpCapabilities,
  ) {
    const { localAddress, localPort } = transport.tuple;
    this.local = { ip: localAddress, port: localPort, srtpParameters: transport.srtpParameters as unknown as Opaque };
  }

  get closed(): boolean {
    return this.transport.closed;
  }

  async connect(remote: PipeEnd): Promise<void> {
    const srtpParameters = srtpParametersOf(remote.srtpParameters);
    await refuseBadParameters('pipe', () => this.transport.connect({ ip: remote.ip, port: remote.port, srtpParameters }));
  }

  async offer(stream: Stream, layer: Layer): Promise<Feed> {
    const rtpCapabilities = this.crossingCapabilities();
    const consumer = await refuseBadParameters('offer', () =>
      this.transport.consume({
        producerId: stream.id,
        rtpCapabilities,
        paused: true,
        ...(stream.layers === 2 ? { preferredLayers: { spatialLayer: layer } } : {}),
      }),
    );
    return new MediasoupFeed(consumer, stream.layers === 2 ? layer : undefined);
  }

  async accept(kind: 'audio' | 'video', rtpParameters: Opaque): Promise<Stream> {
    const checked = rtpParametersOf(rtpParameters);
    // No limit on key frame requests here: the one at the camera's own node counts for everybody.
    const producer = await refuseBadParameters('accept', () => this.transport.produce({ kind, rtpParameters: checked }));
    return new MediasoupStream(producer);
  }

  async bytes(): Promise<{ readonly sent: PipeBytes; readonly received: PipeBytes }> {
    const [stats] = await this.transport.getStats();
    return {
      sent: { rtp: stats?.rtpBytesSent ?? 0, wire: stats?.bytesSent ?? 0 },
      received: { rtp: stats?.rtpBytesReceived ?? 0, wire: stats?.bytesReceived ?? 0 },
    };
  }

  close(): void {
    this.transport.close();
  }

  /** Levels must cross (they decide who speaks); nothing else in the header has a reader on the other side. */
  private crossingCapabilities(): types.RtpCapabilities {
    const { codecs = [], headerExtensions = [] } = this.routerCapabilities;
    return { codecs, headerExtensions: headerExtensions.filter(({ uri }) => uri === AUDIO_LEVEL_URI) };
  }
}
