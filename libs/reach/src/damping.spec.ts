import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damped, NEVER_HEARD, type Damping } from './damping.js';

/** What became of a link that was heard or not from each of these moments on, looked at every 100 ms. */
const lived = (changes: readonly (readonly [at: number, heard: boolean])[], until: number) => {
  let state = NEVER_HEARD;
  const turns: string[] = [];
  for (let now = 0; now <= until; now += 100) {
    const heard = changes.findLast(([at]) => at <= now)?.[1] ?? false;
    const next = damped(state, heard, now);
    if (next.up !== state.up) turns.push(`${next.up ? 'up' : 'down'} at ${now / 1_000}`);
    state = next;
  }
  return turns;
};

describe('reach over one link', () => {
  it('comes up at once the first time, and after a second of being heard later', () => {
    expect(
      lived(
        [
          [0, true],
          [5_000, false],
          [8_000, true],
        ],
        20_000,
      ),
    ).toEqual(['up at 0', 'down at 6.5', 'up at 9']);
  });
  it('bears a silence of less than 1.5 s', () => {
    expect(
      lived(
        [
          [0, true],
          [5_000, false],
          [6_400, true],
        ],
        20_000,
      ),
    ).toEqual(['up at 0']);
  });
  it('counts a silence from the last sign of life, however late it was noticed', () => {
    const up = damped(NEVER_HEARD, true, 0);
    expect(damped(up, false, 10_000, 8_500).up).toBe(false);
    expect(damped(up, false, 10_000, 9_000)).toMatchObject({ up: true, lookAt: 10_500 });
  });
  it('waits twice as long with each flap, up to 30 s', () => {
    let state = damped(NEVER_HEARD, true, 0);
    let now = 0;
    const waits: number[] = [];
    for (let flaps = 0; flaps < 8; flaps++) {
      now += 1_000;
      state = damped(state, false, now);
      now += 1_500;
      state = damped(state, false, now);
      state = damped(state, true, now);
      waits.push((state.lookAt ?? now) - now);
      now = state.lookAt ?? now;
      state = damped(state, true, now);
      expect(state.up).toBe(true);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });
  it('begins with a second again after a minute of quiet', () => {
    expect(
      lived(
        [
          [0, true],
          [1_000, false],
          [3_000, true],
          [5_000, false],
          [7_000, true],
          [80_000, false],
          [82_000, true],
        ],
        90_000,
      ).slice(-2),
    ).toEqual(['down at 81.5', 'up at 83']);
  });
  it('does not come up for moments of being heard, however many', () => {
    const moments = Array.from({ length: 40 }, (_, n) => [5_000 + n * 900, n % 2 === 1] as const);
    expect(lived([[0, true], [2_000, false], ...moments, [41_000, false]], 45_000)).toEqual(['up at 0', 'down at 3.5']);
  });
  it('changes at most once in 2.5 s, whatever the link does, and ends as the link is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3_000), fc.boolean()), { maxLength: 60 }), fc.boolean(), (steps, last) => {
        let state: Damping = damped(NEVER_HEARD, true, 0);
        let now = 0;
        const ups: number[] = [];
        const look = (heard: boolean) => {
          const next = damped(state, heard, now);
          if (next.up && !state.up) ups.push(now);
          state = next;
        };
        for (const [ms, heard] of steps) {
          now += ms;
          look(heard);
        }
        for (let n = 0; n < 40; n++, now += 1_000) look(last);
        expect(state.up).toBe(last);
        for (let n = 1; n < ups.length; n++) expect(ups[n]! - ups[n - 1]!).toBeGreaterThanOrEqual(2_500);
      }),
    );
  });
});
