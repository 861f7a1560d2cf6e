import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { closingsAt, liveLegsOf } from './selectors.js';
import type { LegId } from './words.js';
import { World } from './world.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** New York is to end: Ana is there, and a host at London. */
const ending = () => {
  const world = new World(sha256, 'nyc', 'lon', 'sin');
  const [nyc, lon] = [world.at('nyc'), world.at('lon')];
  const ana = nyc.join('ana');
  world.heal();
  const host = lon.join('host', 'host');
  world.heal();
  return { world, nyc, lon, ana, host };
};
const comeBy = { connect: 2, leg: 'ana' };

describe('moving from a site that is to end', () => {
  it('leaves two legs of one person side by side, until the older one has left', () => {
    const { world, nyc, lon, ana } = ending();
    const there = lon.join('ana', 'guest', { ...comeBy, from: ana });
    world.heal();
    for (const site of [nyc, lon]) {
      expect(site.view.seats.map(({ leg }) => leg).filter((leg) => leg === ana || leg === there)).toEqual([ana, there]);
      expect(closingsAt(site.state, site.id)).toEqual([]);
      expect(site.seat(there)?.from).toBe(ana);
    }
    nyc.handle({ type: 'Leave', leg: ana });
    world.heal();
    expect(liveLegsOf(nyc.state).map(({ leg }) => leg)).toEqual(liveLegsOf(lon.state).map(({ leg }) => leg));
    expect([lon.seat(ana), lon.seat(there)?.name, lon.seat(there)?.from]).toEqual([undefined, 'ana', undefined]);
  });

  it('goes on when the older connection comes back meanwhile, and ends for both when a third takes over', () => {
    const { world, nyc, lon, ana } = ending();
    const there = lon.join('ana', 'guest', { ...comeBy, from: ana });
    world.heal();
    nyc.join('ana', 'guest', { connect: 3 });
    world.heal();
    expect(nyc.seat(ana) && lon.seat(there)).toBeDefined();
    const third = lon.join('ana', 'guest', { connect: 4, leg: 'third' });
    world.heal();
    expect(nyc.view.seats.filter(({ name }) => name === 'ana').map(({ leg }) => leg)).toEqual([third]);
  });

  it('leaves the newest and one beside it, whoever tried twice and then came back by the older connection', () => {
    const { world, nyc, lon, ana } = ending();
    lon.join('ana', 'guest', { ...comeBy, from: ana });
    const second = lon.join('ana', 'guest', { connect: 3, leg: 'second', from: ana });
    world.heal();
    nyc.join('ana', 'guest', { connect: 4 });
    world.heal();
    for (const site of [nyc, lon])
      expect(site.view.seats.filter(({ name }) => name === 'ana').map(({ leg }) => leg)).toEqual([ana, second]);
  });

  it('leads through a lock, and past waiting for a host: whoever is in is no stranger', () => {
    const { world, lon, ana, host } = ending();
    lon.act(host, 'lock');
    lon.room = { seatsMax: 2, guestsWaitForHost: true };
    world.heal();
    const there = lon.join('ana', 'guest', { ...comeBy, from: ana });
    expect([lon.refused, lon.seat(there)?.held]).toEqual([undefined, false]);
  });

  it('is refused without the seat to move from: unknown, of somebody else, at the door, or out of reach', () => {
    const { world, nyc, lon, ana, host } = ending();
    lon.act(host, 'lock');
    world.heal();
    const eve = nyc.join('eve');
    world.heal();
    const tried = (name: string, from: LegId) => {
      lon.join(name, 'guest', { connect: 2, leg: `${name}-again`, from });
      return lon.refused;
    };
    expect(tried('eve', ana)).toBe('conference.unknown-leg');
    expect(tried('eve', eve)).toBe('conference.unknown-leg');
    expect(tried('ana', 'nyc-nobody' as LegId)).toBe('conference.unknown-leg');
    lon.reach = new Set([lon.id]);
    expect(tried('ana', ana)).toBe('conference.unknown-leg');
  });

  it('takes along what hosts said: the host role, or its loss, and a microphone and a camera that are to be off', () => {
    const { world, nyc, lon, ana, host } = ending();
    for (const act of ['mute', 'camera-off', 'make-host'] as const) lon.act(host, act, ana);
    world.heal();
    const there = lon.join('ana', 'guest', { ...comeBy, from: ana });
    nyc.handle({ type: 'Leave', leg: ana });
    world.heal();
    for (const site of [nyc, lon]) expect(site.seat(there)).toMatchObject({ role: 'host', muted: 'host', cameraOff: true });
    expect(lon.act(there, 'lock')).toBe('ConferenceLocked');
    expect(lon.act(host, 'unmute', there)).toBe('LegUnmuted');
    expect(lon.act(host, 'make-guest', there)).toBe('HostDemoted');
    expect(lon.seat(there)).toMatchObject({ role: 'guest', muted: false });
    expect(lon.act(there, 'unlock')).toBe('conference.host-only');
  });

  it('makes nobody host again from whom a host took that', () => {
    const { world, nyc, lon, host } = ending();
    const ben = nyc.join('ben', 'host');
    world.heal();
    lon.act(host, 'make-guest', ben);
    lon.act(host, 'mute-all-guests');
    world.heal();
    const there = lon.join('ben', 'host', { connect: 2, leg: 'ben', from: ben });
    expect(lon.seat(there)).toMatchObject({ role: 'guest', muted: 'host' });
  });

  it('holds nobody for a lock or a new PIN whose author had seen them in, and who moved without knowing of it', () => {
    const { world, nyc, lon, ana } = ending();
    const sin = world.at('sin');
    const host = sin.join('third', 'host');
    world.heal();
    const there = lon.join('ana', 'guest', { ...comeBy, from: ana });
    sin.act(host, 'lock');
    sin.room = { ...sin.room, pins: { host: 1, guest: 1 } };
    sin.handle({ type: 'NotePins' });
    world.heal();
    for (const site of [nyc, lon, sin]) expect([site.view.locked, site.seat(there)?.held]).toEqual([true, false]);
    nyc.handle({ type: 'Leave', leg: ana });
    world.heal();
    for (const site of [nyc, lon, sin]) expect(site.seat(there)?.held).toBe(false);
  });

  it('holds whoever would be held where they come from: a lock beyond a split had seen neither seat', () => {
    const { world, nyc, lon } = ending();
    const sin = world.at('sin');
    const host = sin.join('third', 'host');
    world.heal();
    sin.act(host, 'lock');
    const eve = nyc.join('eve');
    lon.receive(nyc);
    const there = lon.join('eve', 'guest', { connect: 2, leg: 'eve', from: eve });
    world.heal();
    for (const site of [nyc, lon, sin]) expect([site.seat(eve)?.held, site.seat(there)?.held]).toEqual([true, true]);
  });

  it('keeps the host role of who came by a host PIN that was changed by somebody who had seen them', () => {
    const { world, nyc, lon } = ending();
    const sin = world.at('sin');
    const ben = nyc.join('ben', 'host');
    const eve = nyc.join('eve');
    world.heal();
    const there = lon.join('ben', 'host', { connect: 2, leg: 'ben', from: ben });
    const guessed = lon.join('eve', 'host', { connect: 2, leg: 'eve', from: eve });
    sin.room = { ...sin.room, pins: { host: 1, guest: 0 } };
    sin.handle({ type: 'NotePins' });
    world.heal();
    expect([lon.seat(there)?.role, lon.seat(guessed)?.role]).toEqual(['host', 'guest']);
  });

  it('silences no host with all guests because they were moving just then', () => {
    const { world, nyc, lon, ana, host } = ending();
    const sin = world.at('sin');
    lon.act(host, 'make-host', ana);
    const third = sin.join('third', 'host');
    world.heal();
    const there = lon.join('ana', 'guest', { ...comeBy, from: ana });
    nyc.join('bob');
    sin.receive(nyc);
    expect(sin.act(third, 'mute-all-guests')).toBe('GuestsMuted');
    world.heal();
    expect(lon.seat(there)).toMatchObject({ role: 'host', muted: false });
  });

  it("takes nothing along from a leg that is somebody else's, whatever a site claims", () => {
    const { world, nyc, lon, host } = ending();
    const body = { leg: 'nyc-eve', person: 'eve', name: 'eve', site: 'nyc', role: 'guest', connect: 1, muted: false, cameraOff: false };
    nyc.record({ type: 'LegJoined', v: 1, by: 'nyc-eve' as LegId, body: { ...body, proof: 0, from: host } });
    world.heal();
    expect(lon.seat('nyc-eve' as LegId)).toMatchObject({ role: 'guest' });
    expect(lon.seat(host)).toMatchObject({ role: 'host' });
  });
});
