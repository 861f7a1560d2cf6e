import { describe, expect, it } from 'vitest';
import { Canvas } from './canvas.js';
import { identityCells, readIdentity, type Pixels } from './identity.js';
import { PERSONAS } from './persona.js';
import { sceneOf } from './scene.js';

/** Brightness as grey pixels: what a page's canvas would hold, without the colours. */
const pixelsOf = ({ bytes, width, height }: Canvas, change: (brightness: number, x: number) => number = (b) => b): Pixels => {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let at = 0; at < width * height; at++) data.fill(change(bytes[at]!, at % width), 4 * at, 4 * at + 4);
  return { width, height, data };
};

describe('the identity in a picture', () => {
  it('is read back for every number', () => {
    for (let number = 0; number < 256; number++) {
      const cells = identityCells(number);
      const data = new Uint8ClampedArray(160 * 90 * 4);
      for (let at = 0; at < 160 * 90; at++) if (cells[Math.floor((at % 160) / 10)]) data.fill(235, 4 * at, 4 * at + 4);
      expect(readIdentity({ width: 160, height: 90, data })).toBe(number);
    }
  });

  it('is in every scene, at any moment of the loop and down to 160 pixels of width', () => {
    for (const persona of PERSONAS)
      for (const [width, height] of [
        [160, 90],
        [320, 180],
        [640, 360],
      ] as const) {
        expect(readIdentity(pixelsOf(sceneOf(persona, width, height).at(0.37)))).toBe(persona.number);
      }
  });

  it('survives a darker or paler picture', () => {
    const canvas = sceneOf(PERSONAS[4]!, 320, 180).at(0);
    expect(readIdentity(pixelsOf(canvas, (b) => b * 0.5))).toBe(5);
    expect(readIdentity(pixelsOf(canvas, (b) => 100 + b * 0.5))).toBe(5);
  });

  it('is not claimed for a picture without it, or with a cell covered', () => {
    const canvas = new Canvas(320, 180);
    canvas.gradient([255, 255, 255], [0, 0, 0]);
    expect(readIdentity(pixelsOf(canvas))).toBeNull();
    const scene = sceneOf(PERSONAS[2]!, 320, 180).at(0);
    for (let cell = 0; cell < 16; cell++) {
      const covered = pixelsOf(scene, (b, x) => (Math.floor(x / 20) === cell ? 255 - b : b));
      expect(readIdentity(covered)).toBeNull();
    }
    expect(readIdentity({ width: 32, height: 18, data: new Uint8ClampedArray(32 * 18 * 4) })).toBeNull();
  });

  it('moves with time everywhere but in the identity', () => {
    const scene = sceneOf(PERSONAS[0]!, 320, 180);
    const first = Buffer.from(scene.at(0.1).bytes);
    const later = scene.at(0.15).bytes;
    let changed = 0;
    for (let i = 0; i < 320 * 160; i++) if (Math.abs(first[i]! - later[i]!) > 8) changed++;
    expect(changed).toBeGreaterThan(500);
  });
});
