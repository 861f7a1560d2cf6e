import { describe, expect, it } from 'vitest';
import { patch } from './copies.mjs';
import { allPlanted } from './planted.mjs';
import { PLANTED as KINDS } from './planted/kinds.mjs';
import { PLANTED as RULES } from './planted/rules.mjs';

/** Of the merge (docs/adr/0003). */
const RULES_THERE_ARE = 16;
/** Of mistakes that are made in every system like this. */
const KINDS_AT_LEAST = 12;

describe('planted bugs', async () => {
  it.each(await allPlanted())('$name has its place in the product still', (planted) => {
    expect(patch(planted)).toBeDefined();
  });

  it('break each rule of the merge', () => {
    const broken = new Set(RULES.map(({ breaks }) => Number(/^rule (\d+): /.exec(breaks)?.[1])));
    expect([...broken].sort((a, b) => a - b)).toEqual(Array.from({ length: RULES_THERE_ARE }, (_, i) => i + 1));
  });

  it('are of a dozen kinds besides', () => {
    expect(new Set(KINDS.map(({ breaks }) => breaks)).size).toBeGreaterThanOrEqual(KINDS_AT_LEAST);
  });

  it('have names of their own', async () => {
    const names = (await allPlanted()).map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });
});
