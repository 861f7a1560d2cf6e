import { Fault } from '@isthmus/kernel';

/** Readers for the two containers that ffmpeg leaves our clips in: IVF for VP8 and Ogg for Opus. */
const broken = (what: string, why: string) =>
  new Fault('bots.clip-broken', `${what} cannot be read: ${why}. Delete it; it is made again at the next start.`);

/** Frames of an IVF file, in order. Layout: 32-byte header, then size (4, little-endian), time (8) and bytes of each frame. */
export const readIvf = (file: Buffer, name: string): Buffer[] => {
  if (file.length < 32 || file.toString('latin1', 0, 4) !== 'DKIF') throw broken(name, 'it is not an IVF file');
  const frames: Buffer[] = [];
  for (let at = file.readUInt16LE(6); at < file.length;) {
    if (at + 12 > file.length || at + 12 + file.readUInt32LE(at) > file.length) throw broken(name, 'it ends inside a frame');
    const size = file.readUInt32LE(at);
    frames.push(file.subarray(at + 12, at + 12 + size));
    at += 12 + size;
  }
  if (frames.length === 0) throw broken(name, 'it holds no frame');
  return frames;
};

/** Packets of an Ogg file with one stream (RFC 3533 §6), without the two headers of Opus (RFC 7845 §5). */
export const readOggOpus = (file: Buffer, name: string): Buffer[] => {
  const packets: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    if (at + 27 > file.length || file.toString('latin1', at, at + 4) !== 'OggS') throw broken(name, 'a page does not begin with OggS');
    const segments = file.subarray(at + 27, at + 27 + file[at + 26]!);
    at += 27 + segments.length;
    for (const length of segments) {
      if (at + length > file.length) throw broken(name, 'it ends inside a page');
      parts.push(file.subarray(at, at + length));
      at += length;
      // A segment shorter than 255 ends its packet.
      if (length < 255) {
        packets.push(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
        parts = [];
      }
    }
  }
  if (packets[0]?.toString('latin1', 0, 8) !== 'OpusHead' || packets[1]?.toString('latin1', 0, 8) !== 'OpusTags')
    throw broken(name, 'it holds no Opus');
  return packets.slice(2);
};

/** Samples of a 16-bit mono WAV file. */
export const readWav = (file: Buffer, name: string): Int16Array => {
  if (file.length < 12 || file.toString('latin1', 0, 4) !== 'RIFF') throw broken(name, 'it is not a WAV file');
  for (let at = 12; at + 8 <= file.length;) {
    const size = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === 'data') {
      const bytes = Buffer.from(file.subarray(at + 8, at + 8 + size));
      return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
    }
    at += 8 + size + (size & 1);
  }
  throw broken(name, 'it holds no samples');
};

/** A 16-bit mono WAV file. */
export const writeWav = (samples: Int16Array, rate: number): Buffer => {
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
};

/** RFC 6464's level of one frame: -dBov of the root mean square, 0 loudest, 127 silence. */
export const audioLevel = (samples: Int16Array): number => {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  if (sum === 0) return 127;
  return Math.min(127, Math.max(0, Math.round(-20 * Math.log10(Math.sqrt(sum / samples.length) / 32768))));
};
