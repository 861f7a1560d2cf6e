import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { viewOf } from './view.js';
import { upcast } from './upcast.js';
import { World, type TestSite } from './world.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const rules = (host: number, guest: number) => ({ seatsMax: 10, guestsWaitForHost: false, pins: { host, guest } });

/** Two sites with a host each, at the first PINs; then the link breaks. */
const split = () => {
  const world = new World(sha256, 'lon', 'nyc');
  const [lon, nyc] = [world.at('lon'), world.at('nyc')];
  for (const site of [lon, nyc]) site.room = rules(1, 1);
  const [hal, ann] = [lon.join('hal', 'host'), nyc.join('ann', 'host')];
  world.heal();
  return { world, lon, nyc, hal, ann };
};
/** The administrator changes the PINs, and this site's copy of the estate learns it. */
const learn = (site: TestSite, host: number, guest: number) => {
  site.room = rules(host, guest);
  return site.handle({ type: 'NotePins' });
};
const types = (site: TestSite) => [...site.facts.values()].map(({ type }) => type);

describe('a change of PINs', () => {
  it('is recorded once by each site that learns it, as a number that says nothing about the PIN', () => {
    const { lon, nyc, world } = split();
    const before = lon.facts.size;
    learn(lon, 1, 5);
    expect([...lon.facts.values()].at(-1)).toMatchObject({ type: 'PinChanged', by: 'system', body: { host: 1, guest: 5 } });
    lon.handle({ type: 'NotePins' });
    world.heal();
    learn(nyc, 1, 5);
    expect(lon.facts.size).toBe(before + 1);
  });

  it('is no matter in a room that has never had a PIN', () => {
    const site = new World(sha256, 'nyc').at('nyc');
    site.join('ana');
    expect(types(site)).toEqual(['LegJoined']);
  });

  it('is noted before the first who comes in by the new one', () => {
    const site = new World(sha256, 'nyc').at('nyc');
    site.room = rules(3, 3);
    site.join('ana');
    expect(types(site)).toEqual(['PinChanged', 'LegJoined']);
  });

  it('leaves everybody in who was in sight', () => {
    const { lon, nyc, world, ann } = split();
    const gus = nyc.join('gus');
    world.heal();
    learn(lon, 9, 9);
    world.heal();
    expect(nyc.seat(gus)).toMatchObject({ held: false });
    expect(nyc.seat(ann)).toMatchObject({ held: false, role: 'host' });
  });

  it('holds a guest who came in by the older PIN at a site that did not know, until somebody who knew lets them in', () => {
    const { lon, nyc, world, hal, ann } = split();
    learn(lon, 1, 5);
    const gus = nyc.join('gus');
    expect(nyc.seat(gus)?.held).toBe(false);
    world.heal();
    expect(lon.seat(gus)).toMatchObject({ held: true, heldFor: 'pin' });
    expect(nyc.view.byRecency).toEqual([hal, ann]);
    expect(lon.act(hal, 'admit', gus)).toBe('LegAdmitted');
    world.heal();
    expect(nyc.seat(gus)?.held).toBe(false);
  });

  it('holds them even if a host of their own side, who did not know either, let them in', () => {
    const { lon, nyc, world, ann } = split();
    learn(lon, 1, 5);
    nyc.room = { ...nyc.room, guestsWaitForHost: true };
    nyc.handle({ type: 'Leave', leg: ann });
    const gus = nyc.join('gus');
    const bea = nyc.join('bea', 'host');
    nyc.act(bea, 'admit', gus);
    world.heal();
    expect(nyc.seat(gus)).toMatchObject({ held: true, heldFor: 'pin' });
    expect(nyc.seat(bea)).toMatchObject({ held: false, role: 'host' });
  });

  it('holds whoever came by the older PIN to a site that had heard of the change, but not of the new PIN', () => {
    const { lon, nyc, world } = split();
    learn(lon, 1, 5);
    world.heal();
    expect(nyc.seat(nyc.join('gus'))).toMatchObject({ held: true, heldFor: 'pin' });
  });

  it('does not touch those who came by the new PIN, nor hosts when only the guest PIN was changed', () => {
    const { lon, nyc, world } = split();
    learn(lon, 1, 5);
    const [old, guest] = [nyc.join('bea', 'host'), nyc.join('gus', 'guest', { proof: 5 })];
    world.heal();
    expect(lon.seat(old)).toMatchObject({ held: false, role: 'host' });
    expect(lon.seat(guest)).toMatchObject({ held: false });
  });

  it('takes the host role from whoever proved a host PIN that had been changed, and what they allowed is void', () => {
    const { lon, nyc, world, hal } = split();
    lon.act(hal, 'lock');
    world.heal();
    learn(lon, 7, 1);
    const eve = nyc.join('eve', 'host');
    expect(nyc.act(eve, 'unlock')).toBe('ConferenceUnlocked');
    world.heal();
    expect(lon.seat(eve)).toMatchObject({ role: 'guest', held: true });
    expect(lon.view.locked).toBe(true);
    expect(nyc.act(eve, 'mute-all-guests')).toBe('conference.host-only');
  });

  it('leaves such a host the way back: the new host PIN', () => {
    const { lon, nyc, world } = split();
    learn(lon, 7, 1);
    nyc.join('eve', 'host');
    world.heal();
    const back = nyc.join('eve', 'host', { connect: 2, leg: 'eve2', proof: 7 });
    expect(nyc.seat(back)).toMatchObject({ role: 'host', held: false });
  });

  it('in facts from before there were generations counts as the first PIN', () => {
    const site = new World(sha256, 'nyc').at('nyc');
    const { proof: _, ...body } = {
      leg: 'nyc-ana',
      person: 'ana',
      name: 'ana',
      site: 'nyc',
      role: 'guest',
      connect: 1,
      muted: false,
      cameraOff: false,
      proof: 0,
    };
    const fact = site.record({ type: 'LegJoined', v: 1, by: 'nyc-ana' as never, body });
    expect(upcast(fact)?.body).toMatchObject({ proof: 0 });
    expect(viewOf(site.state, { ...site.view, reach: site.reach }).seats).toHaveLength(1);
  });
});
