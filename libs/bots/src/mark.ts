/**
 * A bot's signature behind the last partition of every VP8 frame it sends, so that a receiver knows from the media alone
 * whom it sees, in which layer and how fresh. VP8's arithmetic decoder never reads so far (RFC 6386 §9.5: the last
 * partition takes whatever bytes remain), and an SFU forwards payloads as they are.
 *
 * Shape: magic (2), layer in the top bit and frame number (2), FNV-1a of the leg id (4), checksum (2).
 */
export const MARK_BYTES = 10;
const MAGIC = 0x1577;

export type Layer = 'large' | 'small';
export interface Mark {
  /** {@link markOf} the sender's leg. */
  readonly sender: number;
  readonly layer: Layer;
  /** Counts the sender's frames of this layer, 15 bits. */
  readonly frame: number;
}

/** FNV-1a, 32 bits: the sender's leg id in a size that fits every frame. */
export const markOf = (leg: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < leg.length; i++) hash = Math.imul(hash ^ leg.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

const checksum = (bytes: Buffer): number => {
  let sum = 0xffff;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) & 0xffff;
  return sum;
};

export const writeMark = ({ sender, layer, frame }: Mark): Buffer => {
  const bytes = Buffer.alloc(MARK_BYTES);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes.writeUInt16BE((layer === 'large' ? 0x8000 : 0) | (frame & 0x7fff), 2);
  bytes.writeUInt32BE(sender, 4);
  bytes.writeUInt16BE(checksum(bytes.subarray(0, 8)), 8);
  return bytes;
};

/** The mark at the end of a frame (or of its last packet), null if there is none: a browser's camera carries none. */
export const readMark = (tail: Buffer): Mark | null => {
  if (tail.length < MARK_BYTES) return null;
  const bytes = tail.subarray(tail.length - MARK_BYTES);
  if (bytes.readUInt16BE(0) !== MAGIC || bytes.readUInt16BE(8) !== checksum(bytes.subarray(0, 8))) return null;
  const word = bytes.readUInt16BE(2);
  return { sender: bytes.readUInt32BE(4), layer: word & 0x8000 ? 'large' : 'small', frame: word & 0x7fff };
};
