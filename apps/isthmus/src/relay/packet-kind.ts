/** What a packet of a crossing carries. */
export type PacketKind = 'audio' | 'video' | 'retransmission' | 'rtcp' | 'other';
export const PACKET_KINDS = ['audio', 'video', 'retransmission', 'rtcp', 'other'] as const satisfies readonly PacketKind[];

/** The payload types that every router of ours uses; the media adapter fixes them. */
const KIND_OF_PAYLOAD: Readonly<Record<number, PacketKind>> = { 100: 'audio', 101: 'video', 102: 'retransmission' };

/** What SRTP adds to an RTP packet with AEAD_AES_128_GCM: one authentication tag (RFC 7714 §13.2). */
export const SRTP_TAG_BYTES = 16;
const RTP_HEADER_BYTES = 12;

/** Header fields are not encrypted, so a relay without keys can tell. RFC 5761 §4: RTP and RTCP on one port. */
export const kindOf = (packet: Uint8Array): PacketKind => {
  const second = packet[1];
  if (second === undefined || packet[0]! >> 6 !== 2) return 'other';
  if (second >= 192 && second <= 223) return 'rtcp';
  return packet.length < RTP_HEADER_BYTES ? 'other' : (KIND_OF_PAYLOAD[second & 0x7f] ?? 'other');
};

/** RTP header and payload, without what SRTP added: what the white paper's formula counts. */
export const rtpBytesOf = (packet: Uint8Array): number => Math.max(0, packet.length - SRTP_TAG_BYTES);

export const ssrcOf = (packet: Uint8Array): number => ((packet[8]! << 24) | (packet[9]! << 16) | (packet[10]! << 8) | packet[11]!) >>> 0;
