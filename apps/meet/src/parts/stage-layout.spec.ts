import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutStage, type Rect } from './stage-layout.js';

const slack = 0.5;
const overlap = (a: Rect, b: Rect): boolean =>
  a.x + a.width > b.x + slack && b.x + b.width > a.x + slack && a.y + a.height > b.y + slack && b.y + b.height > a.y + slack;

describe('the stage', () => {
  it('keeps everybody inside and apart, with the speaker largest, on any screen with room for them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 3_000 }),
        fc.integer({ min: 420, max: 2_000 }),
        fc.integer({ min: 0, max: 7 }),
        (width, height, count) => {
          const { main, thumbnails } = layoutStage(width, height, count);
          expect(thumbnails).toHaveLength(count);
          const all = [main, ...thumbnails];
          for (const rect of all) {
            expect(rect.x).toBeGreaterThanOrEqual(-slack);
            expect(rect.y).toBeGreaterThanOrEqual(-slack);
            expect(rect.x + rect.width).toBeLessThanOrEqual(width + slack);
            expect(rect.y + rect.height).toBeLessThanOrEqual(height + slack);
          }
          all.forEach((a, at) => all.slice(at + 1).forEach((b) => expect(overlap(a, b)).toBe(false)));
          for (const { width: thumbnail } of thumbnails) expect(thumbnail).toBeLessThan(main.width);
        },
      ),
    );
  });

  it('puts seven thumbnails beside the speaker on a wide screen and below on a phone', () => {
    const wide = layoutStage(1_408, 745, 7);
    expect(wide.thumbnails.every(({ x }) => x >= wide.main.x + wide.main.width)).toBe(true);
    const phone = layoutStage(374, 690, 7);
    expect(phone.thumbnails.every(({ y }) => y >= phone.main.y + phone.main.height)).toBe(true);
    expect(phone.main.width).toBe(374);
  });

  it('keeps the order: from the top, row by row or down the column', () => {
    const { thumbnails } = layoutStage(374, 690, 7);
    const places = thumbnails.map(({ x, y }) => y * 10_000 + x);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('keeps the speaker when there is no room for more, and survives having no room at all', () => {
    expect(layoutStage(160, 90, 7).main.width).toBeGreaterThan(0);
    expect(layoutStage(0, 0, 3)).toEqual({ main: { x: 0, y: 0, width: 0, height: 0 }, thumbnails: [] });
  });
});
