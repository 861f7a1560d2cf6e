import { describe, expect, it } from 'vitest';
import { patch } from './copies.mjs';
import { allPlanted } from './planted.mjs';

describe('planted bugs', async () => {
  it.each(await allPlanted())('$name has its place in the product still', (planted) => {
    expect(patch(planted)).toBeDefined();
  });
});
