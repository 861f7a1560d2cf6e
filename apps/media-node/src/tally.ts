import type { Feed, PipeTransport, Stream, WireBytes } from '@isthmus/media-mediasoup';

export interface Bytes {
  /** RTP of cameras, headers included, as mediasoup counts it: before encryption, without UDP and IP. */
  videoBytes: number;
  /** RTP of microphones, likewise. */
  audioBytes: number;
  /** All else in the UDP payload: RTCP, retransmissions, and the 16 bytes that SRTP adds to each packet. */
  rtcpBytes: number;
}

export interface Traffic {
  readonly sent: Bytes;
  readonly received: Bytes;
}

interface Counted {
  readonly id: string;
  readonly kind: 'audio' | 'video';
  readonly closed: boolean;
  bytes(): Promise<number>;
}

/**
 * Counts one pipe's bytes since it began, across the streams and transports it has had. Asked at most once a second; what a
 * stream carried between the last question and its end is lost to its kind, and counted as the rest.
 */
export class Tally {
  private readonly last = new Map<string, number>();
  private readonly sent = { video: 0, audio: 0 };
  private readonly received = { video: 0, audio: 0 };
  private readonly wire = { sent: 0, received: 0 };
  private wireLast: WireBytes = { sent: 0, received: 0 };

  async read(transport: PipeTransport | undefined, feeds: readonly Feed[], streams: readonly Stream[]): Promise<Traffic> {
    if (transport && !transport.closed) {
      await Promise.all([
        ...feeds.filter((feed) => feed.open || this.last.has(`${feed.id}!`)).map((feed) => this.count(feed, this.sent, feed.open)),
        ...streams.map((stream) => this.count(stream, this.received, true)),
      ]);
      const now = await transport.wireBytes();
      this.wire.sent += now.sent - this.wireLast.sent;
      this.wire.received += now.received - this.wireLast.received;
      this.wireLast = now;
    }
    return { sent: bytesOf(this.sent, this.wire.sent), received: bytesOf(this.received, this.wire.received) };
  }

  forget({ id }: { readonly id: string }): void {
    this.last.delete(id);
    this.last.delete(`${id}!`);
  }

  transportGone(): void {
    this.last.clear();
    this.wireLast = { sent: 0, received: 0 };
  }

  /** `again`: it may have more by the next time. A feed that was closed for all of the last second is not asked. */
  private async count(counted: Counted, sums: { video: number; audio: number }, again: boolean): Promise<void> {
    if (counted.closed) return this.forget(counted);
    const bytes = await counted.bytes().catch(() => undefined);
    if (bytes === undefined) return;
    sums[counted.kind] += bytes - (this.last.get(counted.id) ?? 0);
    this.last.set(counted.id, bytes);
    if (again) this.last.set(`${counted.id}!`, 1);
    else this.last.delete(`${counted.id}!`);
  }
}

const bytesOf = (rtp: { readonly video: number; readonly audio: number }, wire: number): Bytes => ({
  videoBytes: rtp.video,
  audioBytes: rtp.audio,
  rtcpBytes: Math.max(0, wire - rtp.video - rtp.audio),
});
