import { describe, expect, it } from 'vitest';
import { audioLevel, readIvf, readOggOpus, readWav, writeWav } from './clip-files.js';

const ivf = (...frames: Buffer[]) => {
  const head = Buffer.alloc(32);
  head.write('DKIF');
  head.writeUInt16LE(32, 6);
  return Buffer.concat([
    head,
    ...frames.flatMap((frame) => [Buffer.from([frame.length & 255, frame.length >> 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), frame]),
  ]);
};
const page = (lacing: number[], body: Buffer) =>
  Buffer.concat([Buffer.from('OggS'), Buffer.alloc(22), Buffer.from([lacing.length, ...lacing]), body]);

describe('clip files', () => {
  it('give their frames in order', () => {
    expect(readIvf(ivf(Buffer.from('one'), Buffer.alloc(300, 2)), 'x').map(({ length }) => length)).toEqual([3, 300]);
  });

  it('that end early are refused with a way out', () => {
    const whole = ivf(Buffer.from('one'));
    expect(() => readIvf(whole.subarray(0, whole.length - 1), 'x.ivf')).toThrow('x.ivf cannot be read: it ends inside a frame. Delete it');
    expect(() => readIvf(ivf(), 'x.ivf')).toThrow('no frame');
    expect(() => readOggOpus(Buffer.from('something else entirely, not Ogg at all'), 'x.ogg')).toThrow('does not begin with OggS');
  });

  it('join Opus packets that span segments and pages', () => {
    const long = Buffer.alloc(255 + 255 + 10, 5);
    const file = Buffer.concat([
      page([8], Buffer.from('OpusHead')),
      page([8], Buffer.from('OpusTags')),
      page([3, 255, 255], Buffer.concat([Buffer.from('abc'), long.subarray(0, 510)])),
      page([10, 2], Buffer.concat([long.subarray(510), Buffer.from('de')])),
    ]);
    expect(readOggOpus(file, 'x')).toEqual([Buffer.from('abc'), long, Buffer.from('de')]);
  });

  it('carry samples there and back', () => {
    const samples = Int16Array.from([0, 1, -1, 32_767, -32_768]);
    expect(readWav(writeWav(samples, 48_000), 'x')).toEqual(samples);
  });
});

describe('the audio level of a frame', () => {
  it('is 0 at full scale, 127 in silence, and falls 20 for a tenth', () => {
    expect(audioLevel(new Int16Array(960).fill(-32_768))).toBe(0);
    expect(audioLevel(new Int16Array(960))).toBe(127);
    expect(audioLevel(new Int16Array(960).fill(3_277))).toBe(20);
  });
});
