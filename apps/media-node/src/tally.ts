import type { Feed, PipeBytes, PipeTransport, Stream } from '@isthmus/media-mediasoup';

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

type Way = keyof Traffic;

const NOTHING: PipeBytes = { rtp: 0, wire: 0 };
/** Silence is a packet in 400 ms: a voice that is not heard is asked only so often. ms */
const SILENT_EVERY_MS = 10_000;

/** Of which stream it is, that is asked. */
interface Asked {
  readonly counted: Counted;
  readonly streamId: string;
  /** It may have more by the next time. */
  readonly again: boolean;
}

/**
 * Counts one pipe's bytes since it began, across the streams and transports it has had. Asked at most once a second. Every question
 * to the worker costs as much as a few packets, so only voices are asked for one by one, and silent ones seldom: cameras have the rest of
 * the RTP. What a voice carried between the last question and its end is therefore counted as video, and what a silent one carries
 * (50 bytes a packet) until it is asked.
 */
export class Tally {
  private readonly last = new Map<string, number>();
  private readonly audio: Record<Way, number> = { sent: 0, received: 0 };
  private readonly video: Record<Way, number> = { sent: 0, received: 0 };
  private readonly all: Record<Way, PipeBytes> = { sent: NOTHING, received: NOTHING };
  private lastAll: Readonly<Record<Way, PipeBytes>> = { sent: NOTHING, received: NOTHING };
  private readonly askedAt = new Map<string, number>();

  /** @param spoke whether a voice may have been heard since the last second @param now monotonic, ms */
  constructor(
    private readonly spoke: (streamId: string) => boolean,
    private readonly now: () => number,
  ) {}

  async read(transport: PipeTransport | undefined, feeds: readonly Feed[], streams: readonly Stream[]): Promise<Traffic> {
    if (transport && !transport.closed) {
      const voices = feeds
        .filter(({ kind, open, id }) => kind === 'audio' && (open || this.last.has(`${id}!`)))
        .map((feed): Asked => ({ counted: feed, streamId: feed.streamId, again: feed.open }));
      const heard = streams
        .filter(({ kind }) => kind === 'audio')
        .map((stream): Asked => ({ counted: stream, streamId: stream.id, again: true }));
      // Asked in one go, so that all are of one moment, and the whole last, so that it is not less than its parts.
      const [, , now] = await Promise.all([
        Promise.all(this.due(voices).map((voice) => this.count(voice, 'sent'))),
        Promise.all(this.due(heard).map((voice) => this.count(voice, 'received'))),
        transport.bytes(),
      ]);
      if (!transport.closed) this.take(now);
    }
    return { sent: this.bytesOf('sent'), received: this.bytesOf('received') };
  }

  private take(now: Readonly<Record<Way, PipeBytes>>): void {
    for (const way of ['sent', 'received'] as const) {
      const [all, before] = [this.all[way], this.lastAll[way]];
      this.all[way] = { rtp: all.rtp + now[way].rtp - before.rtp, wire: all.wire + now[way].wire - before.wire };
      // A counter never goes back: whoever reads it would think that it began anew.
      this.video[way] = Math.max(this.video[way], this.all[way].rtp - this.audio[way]);
    }
    this.lastAll = now;
  }

  forget({ id }: { readonly id: string }): void {
    this.last.delete(id);
    this.last.delete(`${id}!`);
    this.askedAt.delete(id);
  }

  transportGone(): void {
    this.last.clear();
    this.askedAt.clear();
    this.lastAll = { sent: NOTHING, received: NOTHING };
  }

  private due(voices: readonly Asked[]): readonly Asked[] {
    const at = this.now();
    const isDue = ({ counted: { id }, streamId }: Asked) =>
      this.spoke(streamId) || at - (this.askedAt.get(id) ?? -Infinity) >= SILENT_EVERY_MS;
    const due = voices.filter(isDue);
    for (const { counted } of due) this.askedAt.set(counted.id, at);
    return due;
  }

  /** A feed that was closed for all of the last second is not asked. */
  private async count({ counted, again }: Asked, way: Way): Promise<void> {
    if (counted.closed) return this.forget(counted);
    const bytes = await counted.bytes().catch(() => undefined);
    if (bytes === undefined) return;
    this.audio[way] += bytes - (this.last.get(counted.id) ?? 0);
    this.last.set(counted.id, bytes);
    if (again) this.last.set(`${counted.id}!`, 1);
    else this.last.delete(`${counted.id}!`);
  }

  private bytesOf(way: Way): Bytes {
    const [videoBytes, audioBytes] = [this.video[way], this.audio[way]];
    return { videoBytes, audioBytes, rtcpBytes: Math.max(0, this.all[way].wire - videoBytes - audioBytes) };
  }
}
