/**
 * Cuts VP8 frames into RTP payloads and reads as much of them as a bot must know (RFC 7741). The descriptor always carries
 * a 15-bit PictureID and TL0PICIDX: an SFU that switches between simulcast layers has to rewrite both.
 */
export const DESCRIPTOR_BYTES = 6;
/** Payload bytes per packet: fits every tunnel anybody is likely to have in between. */
export const PAYLOAD_BYTES_MAX = 1100;

export interface Picture {
  /** 15 bits. */
  readonly id: number;
  /** 8 bits. */
  readonly tl0: number;
}

/** Payloads in sending order; the last one belongs on the packet with the marker bit. Parts are of even size. */
export const packetise = (frame: Buffer, picture: Picture, payloadMax = PAYLOAD_BYTES_MAX): Buffer[] => {
  const room = payloadMax - DESCRIPTOR_BYTES;
  const count = Math.max(1, Math.ceil(frame.length / room));
  const payloads: Buffer[] = [];
  for (let part = 0; part < count; part++) {
    const from = Math.floor((frame.length * part) / count);
    const to = Math.floor((frame.length * (part + 1)) / count);
    const payload = Buffer.allocUnsafe(DESCRIPTOR_BYTES + to - from);
    payload[0] = 0x80 | (part === 0 ? 0x10 : 0); // X, S
    payload[1] = 0xe0; // I, L, T
    payload.writeUInt16BE(0x8000 | (picture.id & 0x7fff), 2);
    payload[4] = picture.tl0 & 0xff;
    payload[5] = 0; // TID 0
    frame.copy(payload, DESCRIPTOR_BYTES, from, to);
    payloads.push(payload);
  }
  return payloads;
};

export interface Descriptor {
  /** This packet begins a frame. */
  readonly start: boolean;
  readonly pictureId: number | null;
  readonly tl0: number | null;
  /** Bytes before the VP8 data. */
  readonly length: number;
}

/** Reads the payload descriptor, or null when the payload is too short for what it announces. */
export const readDescriptor = (payload: Buffer): Descriptor | null => {
  if (payload.length < 1) return null;
  const start = (payload[0]! & 0x17) === 0x10; // S set, partition 0
  let at = 1;
  let pictureId: number | null = null;
  let tl0: number | null = null;
  if (payload[0]! & 0x80) {
    if (payload.length < 2) return null;
    const extended = payload[at++]!;
    if (extended & 0x80) {
      if (payload.length < at + 2) return null;
      if (payload[at]! & 0x80) {
        pictureId = payload.readUInt16BE(at) & 0x7fff;
        at += 2;
      } else pictureId = payload[at++]!;
    }
    if (extended & 0x40) tl0 = payload[at++] ?? null;
    if (extended & 0x30) at++;
  }
  return payload.length < at ? null : { start, pictureId, tl0, length: at };
};

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Size announced by a key frame, null for any other frame (RFC 6386 §9.1). */
export const keyFrameSize = (frame: Buffer): Size | null => {
  if (frame.length < 10 || frame[0]! & 1 || frame[3] !== 0x9d || frame[4] !== 0x01 || frame[5] !== 0x2a) return null;
  return { width: frame.readUInt16LE(6) & 0x3fff, height: frame.readUInt16LE(8) & 0x3fff };
};

export const isKeyFrame = (frame: Buffer): boolean => keyFrameSize(frame) !== null;
