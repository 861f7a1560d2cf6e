import { createHash } from 'node:crypto';
import type { SiteId } from '@isthmus/kernel';
import { describe, expect, it } from 'vitest';
import { endedBetween } from './selectors.js';
import type { LegId } from './words.js';
import { World, type TestSite } from './world.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** One site, with people in it; hosts' names begin with `h`. */
const meeting = <Name extends string>(...names: readonly Name[]) => {
  const site = new World(sha256, 'nyc').at('nyc');
  const legs = Object.fromEntries(names.map((name) => [name, site.join(name, name.startsWith('h') ? 'host' : 'guest')]));
  return { site, ...legs } as { readonly site: TestSite } & Readonly<Record<Name, LegId>>;
};

describe('microphones and cameras', () => {
  it("are their owner's to switch", () => {
    const { site, ana, bo } = meeting('ana', 'bo');
    expect([site.act(ana, 'mute', ana), site.act(ana, 'mute', ana), site.seat(ana)?.muted]).toEqual(['LegMuted', 'nothing', 'self']);
    expect([site.act(ana, 'unmute', ana), site.act(ana, 'unmute', ana), site.seat(ana)?.muted]).toEqual(['LegUnmuted', 'nothing', false]);
    expect([site.act(ana, 'camera-off', ana), site.act(ana, 'camera-off', ana), site.seat(ana)?.cameraOff]).toEqual([
      'CameraStopped',
      'nothing',
      true,
    ]);
    expect([site.act(ana, 'camera-on', ana), site.act(ana, 'camera-on', ana), site.seat(ana)?.cameraOff]).toEqual([
      'CameraResumed',
      'nothing',
      false,
    ]);
    for (const type of ['mute', 'unmute', 'camera-off', 'camera-on'] as const) expect(site.act(bo, type, ana)).toBe('conference.host-only');
  });

  it('that a host has switched off stay off until a host allows them', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    site.act(hal, 'mute', ana);
    site.act(hal, 'camera-off', ana);
    expect(site.seat(ana)).toMatchObject({ muted: 'host', cameraOff: true });
    expect([site.act(ana, 'unmute', ana), site.act(ana, 'camera-on', ana)]).toEqual([
      'conference.muted-by-host',
      'conference.camera-off-by-host',
    ]);
    site.act(hal, 'unmute', ana);
    site.act(hal, 'camera-on', ana);
    expect(site.seat(ana)).toMatchObject({ muted: false, cameraOff: false });
  });

  it('stay off when a guest says by themself that they are on again', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    site.act(hal, 'mute', ana);
    site.record({ type: 'LegUnmuted', v: 1, by: ana, body: { leg: ana } });
    expect(site.seat(ana)?.muted).toBe('host');
  });

  it('that their owner has switched off nobody else can switch on', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    site.act(ana, 'mute', ana);
    site.act(ana, 'camera-off', ana);
    expect([site.act(hal, 'unmute', ana), site.act(hal, 'camera-on', ana)]).toEqual(['conference.owner-only', 'conference.owner-only']);
    site.act(hal, 'mute', ana);
    site.act(hal, 'unmute', ana);
    expect(site.seat(ana)?.muted).toBe('self');
  });

  it('of a host who was muted by another are theirs to switch on again', () => {
    const { site, hal, hedy } = meeting('hal', 'hedy');
    site.act(hal, 'mute', hedy);
    expect([site.act(hedy, 'unmute', hedy), site.seat(hedy)?.muted]).toEqual(['LegUnmuted', false]);
  });

  it('of all guests can be muted at once; hosts and later guests are not', () => {
    const { site, hal, hedy, ana, bo } = meeting('hal', 'hedy', 'ana', 'bo');
    expect(site.act(hal, 'mute-all-guests')).toBe('GuestsMuted');
    const cy = site.join('cy');
    expect([hal, hedy, ana, bo, cy].map((leg) => site.seat(leg)?.muted)).toEqual([false, false, 'host', 'host', false]);
    site.act(hal, 'unmute', bo);
    expect(site.seat(bo)?.muted).toBe(false);
  });

  it('of a guest who came on the other side while all guests were muted are muted too', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const hal = world.at('lon').join('hal', 'host');
    world.heal();
    world.at('lon').act(hal, 'mute-all-guests');
    expect(world.at('lon').facts.size).toBe(1); // Nobody there to mute, as far as London knows: nothing happened.
    world.at('lon').join('ana');
    world.at('lon').act(hal, 'mute-all-guests');
    const bo = world.at('nyc').join('bo');
    world.heal();
    expect(world.at('nyc').seat(bo)?.muted).toBe('host');
  });
});

describe('the floor', () => {
  it('goes to who speaks, once', () => {
    const { site, ana, bo } = meeting('ana', 'bo');
    expect(site.view.floor).toBeNull();
    for (const leg of [ana, bo, bo]) site.handle({ type: 'TakeFloor', leg: leg });
    expect(site.facts.size).toBe(4);
    expect(site.view).toMatchObject({ floor: bo, byRecency: [bo, ana] });
  });

  it('is not for whom a host has muted, nor for whom nobody knows', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    site.act(hal, 'mute', ana);
    site.handle({ type: 'TakeFloor', leg: ana }).handle({ type: 'TakeFloor', leg: 'nyc-nobody' as LegId });
    expect(site.view.floor).toBeNull();
  });

  it('falls back to who spoke before when its holder leaves or is out of reach', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const [ana, bo, cy] = [nyc.join('ana'), nyc.join('bo'), lon.join('cy')];
    for (const leg of [ana, bo]) nyc.handle({ type: 'TakeFloor', leg });
    world.heal();
    lon.handle({ type: 'TakeFloor', leg: cy });
    world.heal();
    expect(nyc.view.floor).toBe(cy);
    nyc.reach = new Set([nyc.id]);
    expect(nyc.view).toMatchObject({ floor: bo, byRecency: [bo, ana] });
    expect(nyc.seat(cy)?.inReach).toBe(false);
    nyc.handle({ type: 'Leave', leg: bo });
    expect(nyc.view.floor).toBe(ana);
  });
});

describe('the host role', () => {
  it('is handed over by making one a host and oneself a guest', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    expect([site.act(hal, 'make-host', ana), site.act(hal, 'make-host', ana), site.act(hal, 'make-guest', hal)]).toEqual([
      'HostAppointed',
      'nothing',
      'HostDemoted',
    ]);
    expect([site.seat(hal)?.role, site.seat(ana)?.role]).toEqual(['guest', 'host']);
    expect([site.act(hal, 'lock'), site.act(ana, 'lock')]).toEqual(['conference.host-only', 'ConferenceLocked']);
    site.act(ana, 'make-host', hal);
    expect(site.seat(hal)?.role).toBe('host');
  });

  const twoHosts = () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const [hal, hedy, ana] = [lon.join('hal', 'host'), nyc.join('hedy', 'host'), lon.join('ana')];
    world.heal();
    return { world, lon, nyc, hal, hedy, ana };
  };

  it('that was taken on the other side voids an unlock', () => {
    const { world, lon, nyc, hal, hedy } = twoHosts();
    nyc.act(hedy, 'lock');
    world.heal();
    nyc.act(hedy, 'make-guest', hal);
    lon.act(hal, 'unlock');
    expect(lon.view.locked).toBe(false);
    world.heal();
    expect(lon.view.locked).toBe(true);
  });

  it('counts for what was done with it before its holder left, and not for what was done after it was taken', () => {
    const { world, lon, nyc, hal, hedy } = twoHosts();
    nyc.act(hedy, 'lock');
    world.heal();
    lon.act(hal, 'unlock');
    lon.handle({ type: 'Leave', leg: hal });
    expect(lon.view.locked).toBe(false);
    nyc.act(hedy, 'make-guest', hal);
    world.heal();
    expect(nyc.view.locked).toBe(true);
  });

  it('that was taken on the other side does not pass on to a friend', () => {
    const { world, lon, nyc, hal, hedy, ana } = twoHosts();
    nyc.act(hedy, 'lock');
    world.heal();
    nyc.act(hedy, 'make-guest', hal);
    lon.act(hal, 'make-host', ana);
    expect(lon.act(ana, 'unlock')).toBe('ConferenceUnlocked');
    world.heal();
    expect([lon.view.locked, lon.seat(ana)?.role]).toEqual([true, 'guest']);
  });

  it('that was taken later, by somebody who had seen the unlock, locks nothing again', () => {
    const { world, lon, nyc, hal, hedy } = twoHosts();
    nyc.act(hedy, 'lock');
    world.heal();
    lon.act(hal, 'unlock');
    world.heal();
    nyc.act(hedy, 'make-guest', hal);
    world.heal();
    expect(lon.view.locked).toBe(false);
  });

  it('stays taken although somebody who did not know gave it meanwhile', () => {
    const { world, lon, nyc, hal, hedy, ana } = twoHosts();
    lon.act(hal, 'make-host', ana);
    world.heal();
    lon.act(hal, 'make-guest', ana);
    nyc.act(hedy, 'make-guest', ana);
    nyc.act(hedy, 'make-host', ana);
    world.heal();
    expect(nyc.seat(ana)?.role).toBe('guest');
    nyc.act(hedy, 'make-host', ana);
    expect(nyc.seat(ana)?.role).toBe('host');
  });

  it('that each took from the other is lost to both, and their PIN gives it back', () => {
    const { world, lon, nyc, hal, hedy } = twoHosts();
    nyc.act(hedy, 'make-guest', hal);
    lon.act(hal, 'make-guest', hedy);
    world.heal();
    expect([lon.seat(hal)?.role, lon.seat(hedy)?.role]).toEqual(['guest', 'guest']);
    const back = lon.join('hal', 'host', { connect: 2, leg: 'hal2' });
    expect(lon.act(back, 'lock')).toBe('ConferenceLocked');
  });
});

describe('ending the meeting for all', () => {
  it('ends it at the sites in reach, and the others go on', () => {
    const world = new World(sha256, 'cpt', 'lon', 'nyc');
    const [cpt, lon, nyc] = [world.at('cpt'), world.at('lon'), world.at('nyc')];
    const [hal, ana, bo] = [nyc.join('hal', 'host'), lon.join('ana'), cpt.join('bo')];
    world.heal();
    nyc.reach = lon.reach = new Set(['lon', 'nyc'] as SiteId[]);
    const before = lon.state;
    expect(nyc.act(hal, 'end-for-all')).toBe('MeetingEnded');
    world.heal();
    expect(endedBetween(before, lon.state, lon.id)).toEqual([{ leg: ana, reason: 'ended' }]);
    expect(cpt.view.seats.map(({ leg }) => leg)).toEqual([bo]);
    lon.join('cy');
    expect(lon.refused).toBe('conference.ended');
    expect(nyc.act(hal, 'lock')).toBe('conference.ended');
  });

  it('is for hosts', () => {
    const { site, ana } = meeting('ana');
    expect(site.act(ana, 'end-for-all')).toBe('conference.host-only');
  });
});

describe('acts that make no sense', () => {
  it('are refused with a reason, and leave nothing behind', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    const before = site.facts.size;
    expect(site.act(hal, 'mute', 'nyc-x' as LegId)).toBe('conference.unknown-leg');
    expect(site.act('nyc-x' as LegId, 'lock')).toBe('conference.unknown-leg');
    expect(site.act(hal, 'reject', ana)).toBe('conference.not-waiting');
    expect(site.act(hal, 'admit', ana)).toBe('nothing');
    expect(site.act(hal, 'make-guest', ana)).toBe('nothing');
    expect(site.facts.size).toBe(before);
    site.handle({ type: 'Leave', leg: ana }).handle({ type: 'Leave', leg: ana });
    expect(site.facts.size).toBe(before + 1);
    expect(site.act(hal, 'mute', ana)).toBe('conference.unknown-leg');
    expect(site.act(ana, 'mute', ana)).toBe('conference.unknown-leg');
  });
});
