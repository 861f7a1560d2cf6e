import { describe, expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import { crowdedOut } from './crowd.js';

const voice = (leg: string, level: number, carried = false) => ({ leg: leg as LegId, level, carried });

describe('voices that are carried to another node', () => {
  it('are all of them, up to three', () => {
    expect(crowdedOut([voice('a', -20), voice('b', -49), voice('c', -30)])).toEqual(new Set());
  });

  it('are the three loudest of more', () => {
    expect(crowdedOut([voice('a', -20), voice('b', -49), voice('c', -30), voice('d', -40), voice('e', -45)])).toEqual(new Set(['e', 'b']));
  });

  it('do not change for a little more loudness', () => {
    const carried = [voice('a', -30, true), voice('b', -30, true), voice('c', -32, true)];
    expect(crowdedOut([...carried, voice('d', -28)])).toEqual(new Set(['d']));
    expect(crowdedOut([...carried, voice('d', -20)])).toEqual(new Set(['c']));
  });
});
