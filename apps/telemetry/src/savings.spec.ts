import { describe, expect, it } from 'vitest';
import { mcuSiteOf, mcuUnitsBetween, savingsOf, unitsOf } from './savings.js';

const ORDER = ['nyc', 'lon', 'cpt'];
const crossing = (from: string, to: string, large: number, small: number, videoKbps = 0) => ({ from, to, large, small, videoKbps });
const percentLess = (isthmus: number, mcu: number) => Math.round(100 * (1 - isthmus / mcu));

describe('savings against one MCU', () => {
  const six = new Map([
    ['nyc', 3],
    ['lon', 3],
  ]);
  const eight = new Map([
    ['nyc', 3],
    ['lon', 3],
    ['cpt', 2],
  ]);

  it('are the white paper’s −60 % for six people at two sites, counted as its figure counts (S14)', () => {
    const figure = savingsOf(six, [crossing('nyc', 'lon', 1, 2), crossing('lon', 'nyc', 1, 2)], ORDER);
    expect(figure).toMatchObject({ mcuSite: 'nyc', mcuUnits: 6, isthmusUnits: 2.4, percent: 60 });
  });

  it('are 58.3 % by the rule, which sends the previous speaker small as well (S15)', () => {
    const rule = savingsOf(six, [crossing('nyc', 'lon', 1, 2), crossing('lon', 'nyc', 1, 3)], ORDER);
    expect(rule).toMatchObject({ isthmusUnits: 2.5, percent: 58.3 });
  });

  it('follow the paper on each link of eight people at three sites (S20 to S22)', () => {
    const mcu = (from: string, to: string) => mcuUnitsBetween(from, to, eight, mcuSiteOf(eight, ORDER));
    expect([mcu('nyc', 'lon'), mcu('lon', 'nyc'), mcu('nyc', 'cpt'), mcu('cpt', 'nyc')]).toEqual([3, 3, 2, 2]);
    expect([mcu('lon', 'cpt'), mcu('cpt', 'lon')]).toEqual([0, 0]);
    expect(percentLess(unitsOf({ large: 1, small: 2 }), mcu('nyc', 'lon'))).toBe(60);
    expect(percentLess(unitsOf({ large: 1, small: 3 }), mcu('lon', 'nyc'))).toBe(57);
    expect(percentLess(unitsOf({ large: 1, small: 2 }), mcu('nyc', 'cpt'))).toBe(40);
    expect(percentLess(unitsOf({ large: 0, small: 2 }), mcu('cpt', 'nyc'))).toBe(90);
  });

  it('put the MCU where most people are, and among equals where it was put first', () => {
    expect(mcuSiteOf(eight, ORDER)).toBe('nyc');
    expect(mcuSiteOf(eight, ['lon', 'nyc', 'cpt'])).toBe('lon');
    expect(
      mcuSiteOf(
        new Map([
          ['nyc', 1],
          ['cpt', 2],
        ]),
        ORDER,
      ),
    ).toBe('cpt');
    expect(mcuSiteOf(new Map([['nyc', 0]]), ORDER)).toBeNull();
  });

  it('are none, not a hundred per cent, while everybody is at one site', () => {
    expect(savingsOf(new Map([['nyc', 5]]), [], ORDER)).toMatchObject({
      mcuUnits: 0,
      isthmusUnits: 0,
      percent: null,
      nothing: 'one-site',
      mcuKbps: 0,
    });
  });

  it('are none while nothing is open, and never count a stream as saved that has only not come yet', () => {
    const both = (large: number, small: number, missing = { large: 0, small: 0 }) =>
      ['nyc>lon', 'lon>nyc'].map((link) => ({ ...crossing(link.slice(0, 3), link.slice(4), large, small), missing }));
    expect(savingsOf(six, both(0, 0), ORDER)).toMatchObject({ percent: null, nothing: 'not-yet' });
    expect(savingsOf(six, both(0, 2, { large: 1, small: 0 }), ORDER)).toMatchObject({ isthmusUnits: 2.4, percent: 60, nothing: null });
    expect(savingsOf(six, both(1, 2), ORDER, true)).toMatchObject({ percent: null, nothing: 'apart' });
  });

  it('in kbit/s take the bit rate that was measured, or the camera’s until there is one', () => {
    const measured = savingsOf(six, [crossing('nyc', 'lon', 1, 2, 600), crossing('lon', 'nyc', 1, 3, 650)], ORDER);
    expect(measured).toMatchObject({ isthmusKbps: 1250, mcuKbps: 3000 });
    expect(savingsOf(six, [crossing('cpt', 'nyc', 0, 2, 80)], ORDER)).toMatchObject({ isthmusKbps: 80, mcuKbps: 9000 });
  });
});
