/**
 * The RTCP a bot needs: sender reports (mediasoup cannot switch between simulcast layers before it has one from each),
 * receiver reports, and the requests for key frames. RFC 3550 §6.4, RFC 4585 §6.3.1, RFC 5104 §4.3.1.
 */
const SECONDS_1900_TO_1970 = 2_208_988_800;

export interface SenderState {
  readonly ssrc: number;
  /** RTP time of `nowMs`. */
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** SR and SDES CNAME as one compound packet (RFC 3550 §6.1 wants both). `nowMs` since 1970. */
export const senderReport = (sender: SenderState, cname: string, nowMs: number): Buffer => {
  const report = Buffer.alloc(28);
  report[0] = 0x80;
  report[1] = 200;
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(sender.ssrc, 4);
  report.writeUInt32BE((Math.floor(nowMs / 1000) + SECONDS_1900_TO_1970) >>> 0, 8);
  report.writeUInt32BE(Math.floor(((nowMs % 1000) / 1000) * 0x1_0000_0000) >>> 0, 12);
  report.writeUInt32BE(sender.timestamp >>> 0, 16);
  report.writeUInt32BE(sender.packets >>> 0, 20);
  report.writeUInt32BE(sender.octets >>> 0, 24);
  return Buffer.concat([report, sourceDescription(sender.ssrc, cname)]);
};

const sourceDescription = (ssrc: number, cname: string): Buffer => {
  const text = Buffer.from(cname, 'utf8').subarray(0, 255);
  const bytes = Buffer.alloc(Math.ceil((8 + 2 + text.length + 1) / 4) * 4);
  bytes[0] = 0x81;
  bytes[1] = 202;
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(ssrc, 4);
  bytes[8] = 1;
  bytes[9] = text.length;
  text.copy(bytes, 10);
  return bytes;
};

export interface ReceiverBlock {
  readonly ssrc: number;
  /** Of 256. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly highest: number;
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's NTP time, and how long ago it came in 1/65536 s. */
  readonly lastSenderReport: number;
  readonly delay: number;
}

/** At most 31 blocks fit one report; the caller sends several. */
export const receiverReport = (reporter: number, blocks: readonly ReceiverBlock[]): Buffer => {
  const bytes = Buffer.alloc(8 + 24 * blocks.length);
  bytes[0] = 0x80 | blocks.length;
  bytes[1] = 201;
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(reporter, 4);
  blocks.forEach((block, i) => {
    const at = 8 + 24 * i;
    bytes.writeUInt32BE(block.ssrc, at);
    bytes.writeUInt32BE(((block.fractionLost & 0xff) * 0x1000000 + (Math.min(block.lost, 0x7fffff) & 0xffffff)) >>> 0, at + 4);
    bytes.writeUInt32BE(block.highest >>> 0, at + 8);
    bytes.writeUInt32BE(block.jitter >>> 0, at + 12);
    bytes.writeUInt32BE(block.lastSenderReport >>> 0, at + 16);
    bytes.writeUInt32BE(block.delay >>> 0, at + 20);
  });
  return bytes;
};

/** Picture loss indication (RFC 4585 §6.3.1). */
export const pictureLoss = (reporter: number, ssrc: number): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes[0] = 0x81;
  bytes[1] = 206;
  bytes.writeUInt16BE(2, 2);
  bytes.writeUInt32BE(reporter, 4);
  bytes.writeUInt32BE(ssrc, 8);
  return bytes;
};

export type RtcpNews =
  | { readonly type: 'key-frame-wanted'; readonly ssrc: number }
  | { readonly type: 'sender-report'; readonly ssrc: number; readonly ntpMiddle: number }
  | { readonly type: 'lost'; readonly ssrc: number; readonly sequences: readonly number[] }
  | { readonly type: 'bye'; readonly ssrc: number };

/** What a compound packet tells us; whatever it does not understand or cannot hold together it passes over. */
export const readRtcp = (compound: Buffer): RtcpNews[] => {
  const news: RtcpNews[] = [];
  for (let at = 0; at + 8 <= compound.length;) {
    const length = 4 * (compound.readUInt16BE(at + 2) + 1);
    if (at + length > compound.length) break;
    const packet = compound.subarray(at, at + length);
    const count = packet[0]! & 0x1f;
    if (packet[1] === 200 && length >= 28)
      news.push({ type: 'sender-report', ssrc: packet.readUInt32BE(4), ntpMiddle: packet.readUInt32BE(10) });
    if (packet[1] === 206 && count === 1 && length >= 12) news.push({ type: 'key-frame-wanted', ssrc: packet.readUInt32BE(8) });
    if (packet[1] === 206 && count === 4) {
      // FIR names its targets in entries of eight bytes (RFC 5104 §4.3.1.1).
      for (let entry = 12; entry + 8 <= length; entry += 8) news.push({ type: 'key-frame-wanted', ssrc: packet.readUInt32BE(entry) });
    }
    if (packet[1] === 205 && count === 1 && length >= 16)
      news.push({ type: 'lost', ssrc: packet.readUInt32BE(8), sequences: nacked(packet) });
    if (packet[1] === 203 && count >= 1) news.push({ type: 'bye', ssrc: packet.readUInt32BE(4) });
    at += length;
  }
  return news;
};

/** Generic NACK: a sequence number and a bit mask of the sixteen after it (RFC 4585 §6.2.1). */
const nacked = (packet: Buffer): number[] => {
  const sequences: number[] = [];
  for (let at = 12; at + 4 <= packet.length; at += 4) {
    const first = packet.readUInt16BE(at);
    const mask = packet.readUInt16BE(at + 2);
    sequences.push(first);
    for (let bit = 0; bit < 16; bit++) if (mask & (1 << bit)) sequences.push((first + bit + 1) & 0xffff);
  }
  return sequences;
};

/** Generic NACK for sequence numbers, each with a mask of those right after it. */
export const negativeAcknowledgement = (reporter: number, ssrc: number, sequences: readonly number[]): Buffer => {
  const entries: { first: number; mask: number }[] = [];
  for (const sequence of sequences) {
    const last = entries.at(-1);
    const distance = last ? (sequence - last.first - 1) & 0xffff : 16;
    if (last && distance < 16) last.mask |= 1 << distance;
    else entries.push({ first: sequence, mask: 0 });
  }
  const bytes = Buffer.alloc(12 + 4 * entries.length);
  bytes[0] = 0x81;
  bytes[1] = 205;
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(reporter, 4);
  bytes.writeUInt32BE(ssrc, 8);
  entries.forEach(({ first, mask }, i) => {
    bytes.writeUInt16BE(first, 12 + 4 * i);
    bytes.writeUInt16BE(mask, 14 + 4 * i);
  });
  return bytes;
};
