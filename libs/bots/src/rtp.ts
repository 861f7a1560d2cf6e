/**
 * The few RTP words a bot speaks: fixed header, one one-byte extension (audio level), nothing else.
 * RFC 3550 §5.1, RFC 8285 §4.2, RFC 6464.
 */
export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Bytes up to the payload: fixed header, CSRCs and extensions. */
  readonly length: number;
}

export interface AudioLevel {
  /** Extension id the receiver was told of. */
  readonly id: number;
  /** -dBov: 0 loudest, 127 silence. */
  readonly level: number;
  readonly voice: boolean;
}

const FIXED_BYTES = 12;
/** RTP is told from RTCP on one port by its second byte, and from DTLS and STUN by its first (RFC 7983, RFC 5761 §4). */
export const isRtpOrRtcp = (packet: Buffer): boolean => packet.length >= FIXED_BYTES && packet[0]! >= 128 && packet[0]! <= 191;
export const isRtcp = (packet: Buffer): boolean => packet[1]! >= 192 && packet[1]! <= 223;
export const isDtls = (packet: Buffer): boolean => packet.length > 0 && packet[0]! >= 20 && packet[0]! <= 63;
export const isStun = (packet: Buffer): boolean => packet.length >= 20 && packet[0]! < 4;

/** Reads the clear part of a packet, or null if it is none. */
export const readRtpHeader = (packet: Buffer): RtpHeader | null => {
  if (!isRtpOrRtcp(packet)) return null;
  let length = FIXED_BYTES + 4 * (packet[0]! & 0x0f);
  if (packet[0]! & 0x10) {
    if (packet.length < length + 4) return null;
    length += 4 + 4 * packet.readUInt16BE(length + 2);
  }
  if (packet.length < length) return null;
  return {
    payloadType: packet[1]! & 0x7f,
    marker: (packet[1]! & 0x80) !== 0,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    length,
  };
};

/** Writes the clear part of a packet, with an audio level if one is given. */
export const writeRtpHeader = (header: Omit<RtpHeader, 'length'>, audio?: AudioLevel): Buffer => {
  const bytes = Buffer.alloc(FIXED_BYTES + (audio ? 8 : 0));
  bytes[0] = 0x80 | (audio ? 0x10 : 0);
  bytes[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  bytes.writeUInt16BE(header.sequence, 2);
  bytes.writeUInt32BE(header.timestamp, 4);
  bytes.writeUInt32BE(header.ssrc, 8);
  if (audio) {
    bytes.writeUInt16BE(0xbede, 12);
    bytes.writeUInt16BE(1, 14);
    bytes[16] = audio.id << 4;
    bytes[17] = (audio.voice ? 0x80 : 0) | audio.level;
  }
  return bytes;
};
