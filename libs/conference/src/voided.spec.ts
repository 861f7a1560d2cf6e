import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { endingsElsewhere, voidedActs } from './voided.js';
import { World } from './world.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** London with Hal, New York with Ann, both hosts; they have seen each other, and the link is broken. */
const split = () => {
  const world = new World(sha256, 'lon', 'nyc');
  const [lon, nyc] = [world.at('lon'), world.at('nyc')];
  const [hal, ann] = [lon.join('hal', 'host'), nyc.join('ann', 'host')];
  world.heal();
  return { world, lon, nyc, hal, ann };
};
const acts = (of: ReturnType<typeof voidedActs>) => of.map(({ hash: _, ...act }) => act);

describe('whoever was told that something is done', () => {
  it('is told nothing as long as it is so, and nothing when somebody undoes it who knew of it', () => {
    const { world, lon, nyc, hal, ann } = split();
    nyc.act(ann, 'lock');
    nyc.act(ann, 'unlock');
    expect(voidedActs(nyc.state, nyc.id)).toEqual([]);
    world.heal();
    lon.act(hal, 'lock');
    world.heal();
    expect(voidedActs(nyc.state, nyc.id)).toEqual([]);
  });

  it('unlocked the room, and another had locked it unseen', () => {
    const { world, lon, nyc, hal, ann } = split();
    nyc.act(ann, 'lock');
    nyc.act(ann, 'unlock');
    lon.act(hal, 'lock');
    world.heal();
    expect(acts(voidedActs(nyc.state, nyc.id))).toEqual([{ act: 'unlock', by: ann, against: hal }]);
    expect(voidedActs(lon.state, lon.id)).toEqual([]);
    nyc.act(ann, 'unlock');
    expect(voidedActs(nyc.state, nyc.id)).toEqual([]);
  });

  it('unlocked the room, and was host no more', () => {
    const { world, lon, nyc, hal, ann } = split();
    nyc.act(ann, 'lock');
    world.heal();
    nyc.act(ann, 'unlock');
    lon.act(hal, 'make-guest', ann);
    world.heal();
    expect(acts(voidedActs(nyc.state, nyc.id))).toEqual([{ act: 'unlock', by: ann }]);
  });

  it('let somebody in whom another turned away', () => {
    const { world, lon, nyc, hal, ann } = split();
    nyc.act(ann, 'lock');
    const gus = nyc.join('gus');
    world.heal();
    nyc.act(ann, 'admit', gus);
    lon.act(hal, 'reject', gus);
    world.heal();
    expect(acts(voidedActs(nyc.state, nyc.id))).toEqual([{ act: 'admit', by: ann, leg: gus, against: hal }]);
  });

  it('let somebody in where another had locked the room unseen', () => {
    const { world, lon, nyc, hal, ann } = split();
    nyc.room = { ...nyc.room, guestsWaitForHost: true };
    const bea = nyc.join('bea', 'host');
    for (const leg of [ann, bea]) nyc.act(ann, 'make-guest', leg);
    const gus = nyc.join('gus');
    const cat = nyc.join('cat', 'host');
    nyc.act(cat, 'admit', gus);
    lon.act(hal, 'lock');
    world.heal();
    const told = acts(voidedActs(nyc.state, nyc.id));
    expect(told.every(({ act, against }) => act === 'admit' && against === hal)).toBe(true);
  });

  it('made somebody host whom another had made a guest', () => {
    const { world, lon, nyc, hal, ann } = split();
    const gus = nyc.join('gus');
    nyc.act(ann, 'make-host', gus);
    world.heal();
    nyc.act(ann, 'make-guest', gus);
    nyc.act(ann, 'make-host', gus);
    lon.act(hal, 'make-guest', gus);
    world.heal();
    expect(acts(voidedActs(nyc.state, nyc.id))).toEqual([{ act: 'make-host', by: ann, leg: gus, against: hal }]);
  });

  it('let somebody speak and show themself whom another had muted and turned off', () => {
    const { world, lon, nyc, hal, ann } = split();
    const gus = nyc.join('gus');
    world.heal();
    for (const off of ['mute', 'camera-off'] as const) {
      nyc.act(ann, off, gus);
      lon.act(hal, off, gus);
    }
    nyc.act(ann, 'unmute', gus);
    nyc.act(ann, 'camera-on', gus);
    expect(voidedActs(nyc.state, nyc.id)).toEqual([]);
    world.heal();
    expect(acts(voidedActs(nyc.state, nyc.id))).toEqual([
      { act: 'unmute', by: ann, leg: gus, against: hal },
      { act: 'camera-on', by: ann, leg: gus, against: hal },
    ]);
  });

  it('and has left is told nothing', () => {
    const { world, lon, nyc, hal, ann } = split();
    nyc.act(ann, 'lock');
    nyc.act(ann, 'unlock');
    nyc.handle({ type: 'Leave', leg: ann });
    lon.act(hal, 'lock');
    world.heal();
    expect(voidedActs(nyc.state, nyc.id)).toEqual([]);
  });
});

describe('a meeting that was ended beyond a split', () => {
  it('goes on here, and is known to have ended there', () => {
    const { world, lon, nyc, hal, ann } = split();
    lon.reach = new Set([lon.id]);
    lon.act(hal, 'end-for-all');
    world.heal();
    expect(nyc.seat(ann)).toBeDefined();
    expect(endingsElsewhere(nyc.state, nyc.id)).toMatchObject([{ by: hal, sites: ['lon'] }]);
    expect(endingsElsewhere(lon.state, lon.id)).toEqual([]);
  });
});
