import type { Canvas, Yuv } from './canvas.js';

/**
 * Capital letters as strokes on a grid of 4 by 6, so that a name can be written into a picture without any font installed.
 * Each string is one polyline of grid points `xy`.
 */
const STROKES: Readonly<Record<string, readonly string[]>> = {
  A: ['062046', '1434'],
  B: ['0006', '003041423303', '3344453606'],
  C: ['4130100105163645'],
  D: ['00304145360600'],
  E: ['40000646', '0333'],
  F: ['400006', '0333'],
  G: ['413010010516364543', '2343'],
  H: ['0006', '4046', '0343'],
  I: ['1030', '2026', '1636'],
  J: ['404536160504'],
  K: ['0006', '400346'],
  L: ['000646'],
  M: ['0600234046'],
  N: ['06004640'],
  O: ['103041453616050110'],
  P: ['06003041423303'],
  Q: ['103041453616050110', '2446'],
  R: ['06003041423303', '2346'],
  S: ['413010010213334445361605'],
  T: ['0040', '2026'],
  U: ['000516364540'],
  V: ['002640'],
  W: ['0016233640'],
  X: ['0046', '4006'],
  Y: ['002340', '2326'],
  Z: ['00400646'],
};

const LETTER_WIDTH = 4;
const ADVANCE = 5.4;
const HEIGHT = 6;

export const textWidth = (text: string, height: number): number => ((text.length * ADVANCE - (ADVANCE - LETTER_WIDTH)) * height) / HEIGHT;

/** Writes capitals with their upper left corner at x, y. */
export const write = (canvas: Canvas, text: string, x: number, y: number, height: number, thickness: number, colour: Yuv): void => {
  const unit = height / HEIGHT;
  [...text.toUpperCase()].forEach((letter, i) => {
    for (const line of STROKES[letter] ?? []) {
      const points = [...line.matchAll(/(\d)(\d)/g)].map(
        ([, gx, gy]) => [x + (i * ADVANCE + Number(gx)) * unit, y + Number(gy) * unit] as const,
      );
      points.slice(1).forEach(([bx, by], n) => {
        const [ax, ay] = points[n]!;
        canvas.stroke(ax, ay, bx, by, thickness, colour);
      });
    }
  });
};
