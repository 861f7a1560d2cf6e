import { describe, expect, it } from 'vitest';
import { newPin } from './pin.js';

describe('a PIN', () => {
  it('has as many digits as were asked for, and only digits', () => {
    for (const digits of [4, 6, 20]) expect(newPin(digits)).toMatch(new RegExp(`^[0-9]{${digits}}$`));
  });

  it('passes over what would make low digits likelier', () => {
    const draws = [255, 250, 0, 249, 12, 254, 7];
    expect(newPin(4, (bytes) => bytes.map(() => draws.shift() ?? 3))).toBe('0927');
  });
});
