import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.js';

describe('waiting between attempts', () => {
  it('doubles up to its ceiling', () => {
    const backoff = new Backoff(250, 8_000, () => 0);
    expect(Array.from({ length: 8 }, () => backoff.nextMs())).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  it('is shortened by at most half, so that a whole site does not come back in one instant', () => {
    expect(new Backoff(1_000, 8_000, () => 0.99).nextMs()).toBe(505);
  });

  it('begins anew after a success', () => {
    const backoff = new Backoff(250, 8_000, () => 0);
    backoff.nextMs();
    backoff.nextMs();
    backoff.reset();
    expect(backoff.nextMs()).toBe(250);
  });
});
