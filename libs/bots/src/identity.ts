/**
 * Who is in a picture, told by the picture itself: a row of sixteen black or white cells along the bottom edge. Browser-safe
 * (no imports), because end-to-end tests read it from decoded pixels inside the page. Survives scaling to 160 pixels of
 * width, VP8 at low rates and a change of brightness; a picture without it, or with one cell misread, answers null.
 *
 * Cells, left to right: white, black (sync) · 8 bits of number, high first · 4 bits of checksum · black, white (sync).
 */
export const IDENTITY_CELLS = 16;
/** Height of the row, as a part of the picture's height. */
export const IDENTITY_HEIGHT = 1 / 15;

const checksum = (number: number): number => ((number >> 4) ^ (number & 0x0f) ^ 0b1010) & 0x0f;

/** True for white. `number` 0 to 255. */
export const identityCells = (number: number): boolean[] => {
  const bits = [
    ...Array.from({ length: 8 }, (_, i) => ((number >> (7 - i)) & 1) === 1),
    ...Array.from({ length: 4 }, (_, i) => ((checksum(number) >> (3 - i)) & 1) === 1),
  ];
  return [true, false, ...bits, false, true];
};

/** The part of `ImageData` that is needed: RGBA, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** Least difference between white and black, of 255, for a row to count as one. */
const CONTRAST_MIN = 60;

/** The number in the whole picture (uncropped, at any size from 160 x 90), or null. */
export const readIdentity = ({ width, height, data }: Pixels): number | null => {
  const rowHeight = height * IDENTITY_HEIGHT;
  const cellWidth = width / IDENTITY_CELLS;
  if (rowHeight < 3 || cellWidth < 4) return null;
  const cells: number[] = [];
  for (let cell = 0; cell < IDENTITY_CELLS; cell++) {
    // The middle of each cell: its edges are blurred by scaling.
    const left = Math.floor((cell + 0.3) * cellWidth);
    const right = Math.max(left + 1, Math.ceil((cell + 0.7) * cellWidth));
    const top = Math.floor(height - 0.7 * rowHeight);
    const bottom = Math.max(top + 1, Math.ceil(height - 0.3 * rowHeight));
    let sum = 0;
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) {
        const at = 4 * (y * width + x);
        sum += 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
      }
    cells.push(sum / ((bottom - top) * (right - left)));
  }
  const whites = [cells[0]!, cells[IDENTITY_CELLS - 1]!];
  const blacks = [cells[1]!, cells[IDENTITY_CELLS - 2]!];
  if (Math.min(...whites) - Math.max(...blacks) < CONTRAST_MIN) return null;
  const middle = (whites[0]! + whites[1]! + blacks[0]! + blacks[1]!) / 4;
  let number = 0;
  for (let bit = 0; bit < 8; bit++) number = (number << 1) | (cells[2 + bit]! > middle ? 1 : 0);
  const read = cells.map((brightness) => brightness > middle);
  return identityCells(number).every((white, i) => white === read[i]) ? number : null;
};
