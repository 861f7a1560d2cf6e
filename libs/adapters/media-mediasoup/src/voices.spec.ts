import { describe, expect, it } from 'vitest';
import { audioLevelOf } from './voices.js';

const LEVEL_ID = 6;
/** A 12-byte RTP header with these extension words. */
const packet = (profile: number, words: readonly number[], csrcs = 0) => {
  const extension = [profile >> 8, profile & 0xff, 0, words.length / 4, ...words];
  return Uint8Array.from([0x90 | csrcs, 100, ...new Array<number>(10 + csrcs * 4).fill(0), ...extension, 1, 2, 3]);
};

describe('the level of an RTP packet', () => {
  it('is read from a one-byte header extension', () => {
    expect(audioLevelOf(packet(0xbede, [LEVEL_ID << 4, 0x80 | 33, 0, 0]), LEVEL_ID)).toBe(-33);
  });

  it('is found behind padding and other extensions, and after contributing sources', () => {
    expect(audioLevelOf(packet(0xbede, [0, (4 << 4) | 2, 9, 9, 9, LEVEL_ID << 4, 20, 0], 2), LEVEL_ID)).toBe(-20);
  });

  it('is read from a two-byte header extension', () => {
    expect(audioLevelOf(packet(0x1000, [LEVEL_ID, 1, 127, 0]), LEVEL_ID)).toBe(-127);
  });

  it.each([
    ['has no extension', Uint8Array.from([0x80, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])],
    ['has another one', packet(0xbede, [4 << 4, 33, 0, 0])],
    ['ends in the middle of one', packet(0xbede, [LEVEL_ID << 4, 33, 0, 0]).subarray(0, 17)],
    ['is cut off in its header', Uint8Array.from([0x90, 100, 0])],
    ['is empty', new Uint8Array()],
    ['has an extension that claims to be longer than it is', packet(0x1000, [9, 255, 0, 0])],
  ])('is unknown when the packet %s', (_how, bytes) => {
    expect(audioLevelOf(bytes, LEVEL_ID)).toBeUndefined();
  });
});
