import { PACKET_KINDS, kindOf, rtpBytesOf, ssrcOf, type PacketKind } from './packet-kind.js';

/** `bytes`: UDP payload, SRTP tag and all. `rtpBytes`: RTP header and payload without the tag (0 for what is not RTP). */
export interface Count {
  readonly packets: number;
  readonly bytes: number;
  readonly rtpBytes: number;
}

export interface StreamCount extends Count {
  readonly ssrc: number;
  readonly kind: PacketKind;
}

export interface LinkCounts {
  readonly kinds: Readonly<Record<PacketKind, Count>>;
  /** By SSRC; the {@link STREAMS_MAX} most recently begun. */
  readonly streams: readonly StreamCount[];
  readonly tcpBytes: number;
  /** UDP packets that a cut, the loss that was asked for, or a full delay line took. */
  readonly dropped: number;
}

/** UDP payload bytes of each kind, one number per {@link BIN_MS}, oldest first. */
export type Bins = Readonly<Record<PacketKind, readonly number[]>>;

export const BIN_MS = 100;
const BINS_KEPT = 1200;
const STREAMS_MAX = 1024;

/** Counts what crosses one link in one direction. Called for every packet: it allocates nothing but for a new stream. */
export class LinkMeter {
  private kinds = emptyKinds();
  private streams = new Map<number, { ssrc: number; kind: PacketKind; packets: number; bytes: number; rtpBytes: number }>();
  private tcpBytes = 0;
  private dropped = 0;
  private readonly bins = new Float64Array(BINS_KEPT * PACKET_KINDS.length);
  private readonly numbers = new Float64Array(BINS_KEPT).fill(-1);

  packet(packet: Uint8Array, nowMs: number): void {
    const kind = kindOf(packet);
    const isRtp = kind !== 'rtcp' && kind !== 'other';
    const rtpBytes = isRtp ? rtpBytesOf(packet) : 0;
    add(this.kinds[kind], packet.length, rtpBytes);
    if (isRtp) add(this.stream(ssrcOf(packet), kind), packet.length, rtpBytes);
    this.bin(Math.floor(nowMs / BIN_MS), kind, packet.length);
  }

  tcp(bytes: number): void {
    this.tcpBytes += bytes;
  }

  drop(): void {
    this.dropped += 1;
  }

  counts(): LinkCounts {
    return structuredClone({ kinds: this.kinds, streams: [...this.streams.values()], tcpBytes: this.tcpBytes, dropped: this.dropped });
  }

  /** The last complete bins before `nowMs`; time without packets is zeros. */
  lastBins(count: number, nowMs: number): Bins {
    const end = Math.floor(nowMs / BIN_MS);
    const wanted = Array.from(
      { length: Math.min(count, BINS_KEPT - 1) },
      (_, at, length = Math.min(count, BINS_KEPT - 1)) => end - length + at,
    );
    const series = PACKET_KINDS.map((kind, row) => [kind, wanted.map((number) => this.binAt(number, row))] as const);
    return Object.fromEntries(series) as unknown as Bins;
  }

  reset(): void {
    this.kinds = emptyKinds();
    this.streams = new Map();
    this.tcpBytes = 0;
    this.dropped = 0;
    this.numbers.fill(-1);
  }

  private stream(ssrc: number, kind: PacketKind) {
    const known = this.streams.get(ssrc);
    if (known) return known;
    if (this.streams.size >= STREAMS_MAX) this.streams.delete(this.streams.keys().next().value!);
    const stream = { ssrc, kind, packets: 0, bytes: 0, rtpBytes: 0 };
    this.streams.set(ssrc, stream);
    return stream;
  }

  private bin(number: number, kind: PacketKind, bytes: number): void {
    const slot = number % BINS_KEPT;
    if (this.numbers[slot] !== number) {
      this.numbers[slot] = number;
      this.bins.fill(0, slot * PACKET_KINDS.length, (slot + 1) * PACKET_KINDS.length);
    }
    this.bins[slot * PACKET_KINDS.length + PACKET_KINDS.indexOf(kind)]! += bytes;
  }

  private binAt(number: number, row: number): number {
    const slot = ((number % BINS_KEPT) + BINS_KEPT) % BINS_KEPT;
    return this.numbers[slot] === number ? this.bins[slot * PACKET_KINDS.length + row]! : 0;
  }
}

const emptyKinds = () =>
  Object.fromEntries(PACKET_KINDS.map((kind) => [kind, { packets: 0, bytes: 0, rtpBytes: 0 }])) as Record<
    PacketKind,
    { packets: number; bytes: number; rtpBytes: number }
  >;

const add = (count: { packets: number; bytes: number; rtpBytes: number }, bytes: number, rtpBytes: number): void => {
  count.packets += 1;
  count.bytes += bytes;
  count.rtpBytes += rtpBytes;
};
