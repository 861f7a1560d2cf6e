import { readMark, type Layer } from './mark.js';
import type { ReceiverBlock, RtcpNews } from './rtcp.js';
import type { RtpHeader } from './rtp.js';
import { keyFrameSize, readDescriptor, type Size } from './vp8.js';

/**
 * What arrives on one SSRC, measured from the packets themselves. In `everything` mode each packet is opened; in `count`
 * mode only the clear headers are read, and one last packet of a frame every 250 ms for the sender's mark.
 */
export type ReceiveMode = 'everything' | 'count';
const PEEK_EVERY_MS = 250;
/** Rates are means over this long. */
export const WINDOW_MS = 1_000;
/** Nothing for so long: nothing arrives. */
const SILENT_MS = 1_000;

export interface Measured {
  /** {@link markOf} the sender's leg; null while no marked frame came (a browser's camera never marks). */
  readonly mark: number | null;
  readonly layer: Layer | null;
  /** Of the last key frame. In `count` mode, and before a key frame came, null. */
  readonly size: Size | null;
  readonly framesPerSecond: number;
  readonly kbps: number;
  readonly packetsLost: number;
  /** Monotonic ms of the last packet. */
  readonly lastMs: number;
}

interface Slice {
  readonly startMs: number;
  bytes: number;
  frames: number;
  packets: number;
}
const SLICE_MS = 100;

export class Reception {
  private slices: Slice[] = [];
  private readonly started: number;
  private lastMs = -Infinity;
  private highest: number | null = null;
  private received = 0;
  private base = 0;
  private cycles = 0;
  private reported = { expected: 0, received: 0 };
  private transitMs = 0;
  private jitterMs = 0;
  private mark: { sender: number; layer: Layer } | null = null;
  private size: Size | null = null;
  private peekDueMs = 0;
  private senderReport = { ntpMiddle: 0, atMs: 0 };
  /** No key frame since this stream began or lost something: somebody should ask for one. */
  private needsKeyFrame: boolean;
  private askedMs = -Infinity;
  private missing: number[] = [];
  /** Bytes of RTP (header and payload, without the tag) since the beginning. */
  octets = 0;
  frames = 0;

  constructor(
    readonly ssrc: number,
    private readonly kind: 'audio' | 'video',
    private readonly clockRate: number,
    private readonly mode: ReceiveMode,
    nowMs: number,
  ) {
    this.started = nowMs;
    this.needsKeyFrame = kind === 'video' && mode === 'everything';
  }

  packet(header: RtpHeader, wireBytes: number, open: () => Buffer | null, nowMs: number): void {
    this.order(header, nowMs);
    const slice = this.slice(nowMs);
    const octets = wireBytes - 16;
    this.octets += octets;
    slice.bytes += octets;
    slice.packets++;
    this.lastMs = nowMs;
    if (this.kind === 'audio') return;
    if (header.marker) {
      slice.frames++;
      this.frames++;
    }
    const peek = header.marker && nowMs >= this.peekDueMs;
    if (this.mode === 'count' && !peek) return;
    const payload = open();
    if (!payload) return;
    if (peek) this.peekDueMs = nowMs + PEEK_EVERY_MS;
    this.picture(header, payload);
  }

  news(item: RtcpNews, nowMs: number): void {
    if (item.type === 'sender-report') this.senderReport = { ntpMiddle: item.ntpMiddle, atMs: nowMs };
  }

  measured(nowMs: number): Measured {
    const from = nowMs - WINDOW_MS;
    const recent = this.slices.filter(({ startMs }) => startMs >= from);
    const seconds = Math.max(0.1, Math.min(WINDOW_MS, nowMs - Math.max(from, this.started)) / 1000);
    const silent = nowMs - this.lastMs > SILENT_MS;
    const sum = (of: (slice: Slice) => number) => (silent ? 0 : recent.reduce((total, slice) => total + of(slice), 0));
    return {
      mark: silent ? null : (this.mark?.sender ?? null),
      layer: silent ? null : (this.mark?.layer ?? null),
      size: silent ? null : this.size,
      framesPerSecond: Math.round((sum(({ frames }) => frames) / seconds) * 10) / 10,
      kbps: Math.round((sum(({ bytes }) => bytes) * 8) / seconds / 100) / 10,
      packetsLost: this.lost,
      lastMs: this.lastMs,
    };
  }

  /** Packets a second, for audio: a talk spurt has 50, comfort noise 2.5. */
  packetsPerSecond(nowMs: number): number {
    return this.slices.filter(({ startMs }) => startMs >= nowMs - WINDOW_MS).reduce((total, { packets }) => total + packets, 0);
  }

  /** True at most every `everyMs` while a key frame is missing. */
  wantsKeyFrame(nowMs: number, everyMs: number): boolean {
    if (!this.needsKeyFrame || this.received === 0 || nowMs - this.askedMs < everyMs) return false;
    this.askedMs = nowMs;
    return true;
  }

  /** Sequence numbers worth asking for once. */
  takeMissing(): number[] {
    const missing = this.missing;
    this.missing = [];
    return missing;
  }

  /** RFC 3550 §6.4.1 and appendix A.3. */
  block(nowMs: number): ReceiverBlock | null {
    if (this.highest === null) return null;
    const expected = this.expected;
    const interval = { expected: expected - this.reported.expected, received: this.received - this.reported.received };
    const lost = Math.max(0, interval.expected - interval.received);
    this.reported = { expected, received: this.received };
    const sinceReport = this.senderReport.atMs === 0 ? 0 : nowMs - this.senderReport.atMs;
    return {
      ssrc: this.ssrc,
      fractionLost: interval.expected > 0 ? Math.min(255, Math.floor((lost * 256) / interval.expected)) : 0,
      lost: this.lost,
      highest: (this.cycles << 16) | this.highest,
      jitter: Math.round((this.jitterMs * this.clockRate) / 1000),
      lastSenderReport: this.senderReport.ntpMiddle,
      delay: Math.round((sinceReport * 65_536) / 1000),
    };
  }

  private get expected(): number {
    return this.highest === null ? 0 : this.cycles * 0x10000 + this.highest - this.base + 1;
  }

  private get lost(): number {
    return Math.max(0, this.expected - this.received);
  }

  private order({ sequence, timestamp }: RtpHeader, nowMs: number): void {
    this.received++;
    const transitMs = nowMs - (timestamp * 1000) / this.clockRate;
    if (this.highest === null) {
      this.highest = this.base = sequence;
      this.transitMs = transitMs;
      return;
    }
    const ahead = (sequence - this.highest) & 0xffff;
    if (ahead === 0 || ahead >= 0x8000) return;
    if (ahead > 1) this.gap(this.highest, ahead - 1);
    if (sequence < this.highest) this.cycles++;
    this.highest = sequence;
    const change = Math.abs(transitMs - this.transitMs);
    this.transitMs = transitMs;
    // A switch of layers moves timestamps on purpose; only honest jitter counts.
    if (change < 1_000) this.jitterMs += (change - this.jitterMs) / 16;
  }

  private gap(after: number, count: number): void {
    if (this.kind === 'audio') return;
    if (this.mode === 'everything') this.needsKeyFrame = true;
    for (let i = 1; i <= Math.min(count, 16); i++) this.missing.push((after + i) & 0xffff);
    if (this.missing.length > 64) this.missing = this.missing.slice(-64);
  }

  private picture(header: RtpHeader, payload: Buffer): void {
    const descriptor = readDescriptor(payload);
    if (!descriptor) return;
    if (descriptor.start) {
      const size = keyFrameSize(payload.subarray(descriptor.length));
      if (size) {
        this.size = size;
        this.needsKeyFrame = false;
      }
    }
    if (header.marker) this.mark = readMark(payload);
  }

  private slice(nowMs: number): Slice {
    const last = this.slices.at(-1);
    if (last && nowMs - last.startMs < SLICE_MS) return last;
    const slice = { startMs: nowMs, bytes: 0, frames: 0, packets: 0 };
    this.slices.push(slice);
    if (this.slices.length > (2 * WINDOW_MS) / SLICE_MS) this.slices.shift();
    return slice;
  }
}
