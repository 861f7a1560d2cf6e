import { createHash } from 'node:crypto';
import type { SiteId } from '@isthmus/kernel';
import { describe, expect, it } from 'vitest';
import { isOver, returnsAt } from './selectors.js';
import type { LegId } from './words.js';
import { World, type TestSite } from './world.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const split = () => {
  const world = new World(sha256, 'lon', 'nyc');
  const [lon, nyc] = [world.at('lon'), world.at('nyc')];
  const [hal, ann] = [lon.join('hal', 'host'), nyc.join('ann', 'host')];
  world.heal();
  return { world, lon, nyc, hal, ann };
};
const writeOff = (by: TestSite, site: TestSite) => by.handle({ type: 'WriteOff', site: site.id, reason: 'silent' });
const back = (site: TestSite, ...legs: readonly LegId[]) => {
  for (const body of returnsAt(site.state, site.id, new Set(legs))) site.record(body);
};

describe('a site that is written off', () => {
  it('keeps no meeting alive', () => {
    const { lon, nyc, hal } = split();
    writeOff(lon, nyc);
    lon.handle({ type: 'Leave', leg: hal });
    expect(isOver(lon.state)).toBe(true);
  });

  it('is written off once, and only if somebody of it is there', () => {
    const { lon, nyc } = split();
    writeOff(lon, nyc);
    const before = lon.facts.size;
    writeOff(lon, nyc);
    lon.handle({ type: 'WriteOff', site: 'cpt' as SiteId, reason: 'removed' });
    expect(lon.facts.size).toBe(before);
  });

  it('cannot write itself off', () => {
    const { nyc, ann } = split();
    nyc.record({ type: 'SiteWrittenOff', v: 1, by: 'system', body: { site: 'nyc', reason: 'silent' } });
    expect(nyc.seat(ann)).toBeDefined();
  });

  it('is heard no more about what nobody had heard: its late lock locks nothing, its late removal removes nobody', () => {
    const { world, lon, nyc, hal, ann } = split();
    writeOff(lon, nyc);
    nyc.act(ann, 'lock');
    nyc.act(ann, 'remove', hal);
    world.heal();
    expect(lon.view.locked).toBe(false);
    expect(lon.seat(hal)).toBeDefined();
    expect(lon.join('hal2')).toBeDefined();
  });

  it('has said what it said before: its earlier lock stands', () => {
    const { world, lon, nyc, ann } = split();
    nyc.act(ann, 'lock');
    world.heal();
    writeOff(lon, nyc);
    world.heal();
    expect(lon.view.locked).toBe(true);
  });

  it('has its people back, as themselves, once it is there again and says so', () => {
    const { world, lon, nyc, ann } = split();
    writeOff(lon, nyc);
    world.heal();
    expect(lon.seat(ann)).toBeUndefined();
    back(nyc, ann);
    world.heal();
    expect(lon.seat(ann)).toMatchObject({ held: false, role: 'host' });
    expect(nyc.act(ann, 'lock')).toBe('ConferenceLocked');
    world.heal();
    expect(lon.view.locked).toBe(true);
  });

  it('has those of its people held who came meanwhile to a room that was locked', () => {
    const { world, lon, nyc, hal, ann } = split();
    lon.act(hal, 'lock');
    const gus = nyc.join('gus');
    writeOff(lon, nyc);
    world.heal();
    back(nyc, ann, gus);
    world.heal();
    expect(lon.seat(gus)).toMatchObject({ held: true, heldFor: 'lock' });
  });

  it('does not come back by what it had said before it knew', () => {
    const { world, lon, nyc, ann } = split();
    writeOff(lon, nyc);
    nyc.join('ann', 'host', { connect: 2, leg: 'ann' });
    world.heal();
    expect(lon.seat(ann)).toBeUndefined();
  });
});
