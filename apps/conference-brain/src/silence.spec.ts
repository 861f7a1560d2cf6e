import type { SiteId } from '@isthmus/kernel';
import { describe, expect, it } from 'vitest';
import { Silence } from './silence.js';

const LON = 'lon' as SiteId;
const nobody: ReadonlySet<SiteId> = new Set();

describe('the silence of a site', () => {
  it('is for good after so long without a word', () => {
    const silence = new Silence(10_000);
    for (let ms = 0; ms <= 9_000; ms += 1_000) silence.look(ms, [LON], nobody);
    expect(silence.isGone(LON)).toBe(false);
    silence.look(10_000, [LON], nobody);
    expect(silence.isGone(LON)).toBe(true);
  });

  it('is over with one look at which the site is in reach', () => {
    const silence = new Silence(10_000);
    for (let ms = 0; ms <= 9_000; ms += 1_000) silence.look(ms, [LON], nobody);
    silence.look(10_000, [LON], new Set([LON]));
    silence.look(15_000, [LON], nobody);
    expect(silence.isGone(LON)).toBe(false);
  });

  it('does not count while we were frozen ourselves', () => {
    const silence = new Silence(3_600_000);
    silence.look(0, [LON], nobody);
    silence.look(86_400_000, [LON], nobody);
    expect(silence.isGone(LON)).toBe(false);
  });
});
