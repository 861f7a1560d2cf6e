import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { RtpHeader } from './rtp.js';

/**
 * Protects and opens SRTP with AEAD_AES_128_GCM (RFC 7714) for bots. Fifty bots share two cores with the SFU, so a packet
 * must cost little: no objects per packet, one cipher call, and whoever only counts never decrypts. No replay window: a bot
 * is a measuring instrument, and a replayed packet is something it should see.
 */
export const TAG_BYTES = 16;
const KEY_BYTES = 16;
const SALT_BYTES = 12;
export const SRTP_KEY_BYTES = KEY_BYTES;
export const SRTP_SALT_BYTES = SALT_BYTES;

export interface MasterKey {
  readonly key: Buffer;
  readonly salt: Buffer;
}

/** RFC 3711 §4.3.1 with AES-CM; the 96-bit salt is padded as RFC 7714 §11 asks. */
const derive = ({ key, salt }: MasterKey, label: number, length: number): Buffer => {
  const counter = Buffer.alloc(16);
  salt.copy(counter);
  counter[7]! ^= label;
  return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(length));
};

interface Keys {
  /** A KeyObject: with the bytes, Node makes one anew for every packet, which costs three times the cipher. */
  readonly key: KeyObject;
  readonly salt: Buffer;
}
const keysOf = (master: MasterKey, first: 0 | 3): Keys => ({
  key: createSecretKey(derive(master, first, KEY_BYTES)),
  salt: derive(master, first + 2, SALT_BYTES),
});

const rtpIv = (salt: Buffer, ssrc: number, rollovers: number, sequence: number): Buffer => {
  const iv = Buffer.alloc(SALT_BYTES);
  iv.writeUInt32BE(ssrc, 2);
  iv.writeUInt32BE(rollovers >>> 0, 6);
  iv.writeUInt16BE(sequence, 10);
  for (let i = 0; i < SALT_BYTES; i++) iv[i]! ^= salt[i]!;
  return iv;
};
const rtcpIv = (salt: Buffer, ssrc: number, index: number): Buffer => {
  const iv = Buffer.alloc(SALT_BYTES);
  iv.writeUInt32BE(ssrc, 2);
  iv.writeUInt32BE(index, 8);
  for (let i = 0; i < SALT_BYTES; i++) iv[i]! ^= salt[i]!;
  return iv;
};

/** The packet index of RFC 3711 §3.3.1, kept from clear headers alone. */
class Rollovers {
  private readonly bySsrc = new Map<number, { rollovers: number; highest: number }>();

  /** How often this packet's sequence number has wrapped; remembers the packet. */
  of(ssrc: number, sequence: number): number {
    const known = this.bySsrc.get(ssrc);
    if (!known) {
      this.bySsrc.set(ssrc, { rollovers: 0, highest: sequence });
      return 0;
    }
    const ahead = (sequence - known.highest) & 0xffff;
    if (ahead < 0x8000) {
      if (sequence < known.highest) known.rollovers++;
      known.highest = sequence;
      return known.rollovers;
    }
    // Late packet: if it looks higher than the highest, it is from before the last wrap.
    return sequence > known.highest ? known.rollovers - 1 : known.rollovers;
  }
}

/** What we send. */
export class Protector {
  private readonly rtp: Keys;
  private readonly rtcp: Keys;
  private readonly rollovers = new Rollovers();
  private rtcpIndex = 0;

  constructor(master: MasterKey) {
    this.rtp = keysOf(master, 0);
    this.rtcp = keysOf(master, 3);
  }

  protectRtp(header: Buffer, payload: Buffer): Buffer {
    const ssrc = header.readUInt32BE(8);
    const sequence = header.readUInt16BE(2);
    const cipher = createCipheriv('aes-128-gcm', this.rtp.key, rtpIv(this.rtp.salt, ssrc, this.rollovers.of(ssrc, sequence), sequence));
    cipher.setAAD(header);
    const body = cipher.update(payload);
    cipher.final();
    return Buffer.concat([header, body, cipher.getAuthTag()], header.length + body.length + TAG_BYTES);
  }

  /** RFC 7714 §9.2: eight clear bytes, ciphertext, tag, then E bit and index. */
  protectRtcp(packet: Buffer): Buffer {
    this.rtcpIndex = (this.rtcpIndex + 1) & 0x7fffffff;
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32BE((0x80000000 | this.rtcpIndex) >>> 0);
    const cipher = createCipheriv('aes-128-gcm', this.rtcp.key, rtcpIv(this.rtcp.salt, packet.readUInt32BE(4), this.rtcpIndex));
    cipher.setAAD(Buffer.concat([packet.subarray(0, 8), trailer]));
    const body = cipher.update(packet.subarray(8));
    cipher.final();
    return Buffer.concat([packet.subarray(0, 8), body, cipher.getAuthTag(), trailer]);
  }
}

/** What we receive. */
export class Opener {
  private readonly rtp: Keys;
  private readonly rtcp: Keys;
  private readonly rollovers = new Rollovers();

  constructor(master: MasterKey) {
    this.rtp = keysOf(master, 0);
    this.rtcp = keysOf(master, 3);
  }

  /** Must see every packet, opened or not: wraps of the sequence number are counted here. */
  note(header: RtpHeader): number {
    return this.rollovers.of(header.ssrc, header.sequence);
  }

  /** The payload, or null if the packet is not what its sender wrote. */
  openRtp(packet: Buffer, header: RtpHeader, rollovers: number): Buffer | null {
    return open(
      this.rtp.key,
      rtpIv(this.rtp.salt, header.ssrc, rollovers, header.sequence),
      packet.subarray(0, header.length),
      packet.subarray(header.length),
    );
  }

  openRtcp(packet: Buffer): Buffer | null {
    if (packet.length < 8 + TAG_BYTES + 4) return null;
    const trailer = packet.subarray(packet.length - 4);
    const index = trailer.readUInt32BE();
    if (index < 0x80000000) return null; // Unencrypted SRTCP is not what we agreed on.
    const clear = packet.subarray(0, 8);
    const body = open(
      this.rtcp.key,
      rtcpIv(this.rtcp.salt, packet.readUInt32BE(4), index & 0x7fffffff),
      Buffer.concat([clear, trailer]),
      packet.subarray(8, packet.length - 4),
    );
    return body && Buffer.concat([clear, body]);
  }
}

const open = (key: KeyObject, iv: Buffer, aad: Buffer, sealed: Buffer): Buffer | null => {
  if (sealed.length < TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-128-gcm', key, iv);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const body = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return body;
};
