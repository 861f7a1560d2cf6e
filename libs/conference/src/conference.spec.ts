import { createHash } from 'node:crypto';
import type { SiteId } from '@isthmus/kernel';
import { describe, expect, it } from 'vitest';
import type { ConferenceAct } from './commands.js';
import { endedBetween, closingsAt, isOver, isRemoved, legOf } from './selectors.js';
import type { LegId } from './words.js';
import { World, type TestSite } from './world.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** One site, with people in it; hosts' names begin with `h`. */
const meeting = (...names: readonly string[]) => {
  const site = new World(sha256, 'nyc').at('nyc');
  const legs = Object.fromEntries(names.map((name) => [name, site.join(name, name.startsWith('h') ? 'host' : 'guest')]));
  return { site, ...legs } as { readonly site: TestSite } & Readonly<Record<string, LegId>>;
};

const act = (site: TestSite, by: LegId | undefined, type: ConferenceAct['type'], leg?: LegId): string => {
  const before = site.facts.size;
  site.handle({ type, by, leg } as ConferenceAct & { by: LegId });
  return (
    site.refused ??
    ([...site.facts.values()]
      .slice(before)
      .map(({ type }) => type)
      .join() ||
      'nothing')
  );
};
const seat = (site: TestSite, leg: LegId | undefined) => site.view.seats.find((seat) => seat.leg === leg);

describe('joining', () => {
  it('gives a seat with what was brought along', () => {
    const { site, ana } = meeting('ana');
    expect(seat(site, ana)).toEqual({
      leg: ana,
      person: 'ana',
      name: 'ana',
      site: 'nyc',
      role: 'guest',
      muted: false,
      cameraOff: false,
      held: false,
      inReach: true,
    });
  });

  it('again with the same leg is the same seat', () => {
    const { site } = meeting('ana');
    site.join('ana');
    expect(site.facts.size).toBe(1);
    site.join('ana', 'guest', { connect: 2 });
    expect([...site.facts.values()].at(-1)).toMatchObject({ type: 'LegReturned', body: { connect: 2 } });
    expect(site.view.seats).toHaveLength(1);
  });

  it('on a newer connection takes over from the older leg, and an older connection does not take over back', () => {
    const { site, ana } = meeting('ana');
    const before = site.state;
    const newer = site.join('ana', 'guest', { connect: 2, leg: 'ana2' });
    expect(site.view.seats.map(({ leg }) => leg)).toEqual([newer]);
    expect(endedBetween(before, site.state, site.id)).toEqual([{ leg: ana, reason: 'replaced' }]);
    site.join('ana', 'guest', { connect: 1, leg: 'ana3' });
    expect(site.refused).toBe('conference.elsewhere');
  });

  it('leaves a replaced leg closed when the newer one leaves, once its site has recorded that', () => {
    const { site } = meeting('ana');
    const newer = site.join('ana', 'guest', { connect: 2, leg: 'ana2' });
    for (const closing of closingsAt(site.state, site.id)) site.record(closing);
    expect(closingsAt(site.state, site.id)).toEqual([]);
    site.handle({ type: 'Leave', leg: newer });
    expect(isOver(site.state)).toBe(true);
  });

  it('is refused when all seats are taken, counted in reach only', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    lon.room = nyc.room = { seatsMax: 2, guestsWaitForHost: false };
    lon.join('ana');
    lon.join('bo');
    world.heal();
    nyc.join('cy');
    expect(nyc.refused).toBe('conference.full');
    nyc.reach = new Set([nyc.id]);
    nyc.join('cy');
    expect(nyc.refused).toBeUndefined();
    world.heal();
    nyc.reach = new Set(['lon', 'nyc'] as SiteId[]);
    expect(nyc.view.seats).toHaveLength(3);
    nyc.join('di');
    expect(nyc.refused).toBe('conference.full');
  });
});

describe('a room whose guests wait for a host', () => {
  const waitingRoom = () => {
    const world = new World(sha256, 'lon', 'nyc');
    for (const site of world.sites.values()) site.room = { seatsMax: 10, guestsWaitForHost: true };
    return { world, lon: world.at('lon'), nyc: world.at('nyc') };
  };

  it('keeps a guest at the door until a host is there', () => {
    const { nyc } = waitingRoom();
    const ana = nyc.join('ana');
    expect(nyc.view).toMatchObject({ started: false, seats: [], waiting: [{ leg: ana, name: 'ana', reason: 'host' }] });
    nyc.join('hal', 'host');
    expect(nyc.view).toMatchObject({ started: true, waiting: [] });
    expect(seat(nyc, ana)).toBeDefined();
  });

  it('keeps those in who are in when the host leaves, and new guests wait', () => {
    const { nyc } = waitingRoom();
    const hal = nyc.join('hal', 'host');
    const ana = nyc.join('ana');
    nyc.handle({ type: 'Leave', leg: hal });
    const bo = nyc.join('bo');
    expect(nyc.view).toMatchObject({ started: true, seats: [{ leg: ana }], waiting: [{ leg: bo }] });
  });

  it('lets a guest in who knocked at one site while a host came in at another', () => {
    const { world, lon, nyc } = waitingRoom();
    const ana = nyc.join('ana');
    lon.join('hal', 'host');
    world.heal();
    expect(nyc.view.seats.map(({ leg }) => leg)).toContain(ana);
  });

  it('lets nobody in by a heal alone; a host decides', () => {
    const { world, lon, nyc } = waitingRoom();
    nyc.reach = new Set([nyc.id]);
    const ana = nyc.join('ana');
    const hal = lon.join('hal', 'host');
    world.heal();
    nyc.reach = lon.reach;
    expect(nyc.view.waiting).toMatchObject([{ leg: ana, reason: 'host' }]);
    expect(act(lon, hal, 'admit', ana)).toBe('LegAdmitted');
    expect(lon.view.waiting).toEqual([]);
  });

  it('turns away whom one host rejects while another admits', () => {
    const { world, lon, nyc } = waitingRoom();
    const [hal, hedy] = [lon.join('hal', 'host'), nyc.join('hedy', 'host')];
    nyc.handle({ type: 'lock', by: hedy });
    const ana = nyc.join('ana');
    world.heal();
    const before = nyc.state;
    act(lon, hal, 'admit', ana);
    act(nyc, hedy, 'reject', ana);
    world.heal();
    expect(lon.view.seats.map(({ leg }) => leg)).not.toContain(ana);
    expect(endedBetween(before, nyc.state, nyc.id)).toEqual([{ leg: ana, reason: 'rejected' }]);
  });
});

describe('a lock', () => {
  it('makes guests knock, and the host PIN opens it', () => {
    const { site, hal } = meeting('hal');
    act(site, hal, 'lock');
    const ana = site.join('ana');
    expect(site.view).toMatchObject({ locked: true, waiting: [{ leg: ana, reason: 'lock' }] });
    expect(act(site, hal, 'admit', ana)).toBe('LegAdmitted');
    expect(seat(site, ana)).toMatchObject({ held: false });
    expect(seat(site, site.join('hedy', 'host'))).toBeDefined();
  });

  it('refuses guests when no host is there who could let them in', () => {
    const { site, hal } = meeting('hal', 'ana');
    act(site, hal, 'lock');
    site.handle({ type: 'Leave', leg: hal! });
    site.join('bo');
    expect(site.refused).toBe('conference.locked');
  });

  it('lets those in who knocked when a host unlocks', () => {
    const { site, hal } = meeting('hal');
    act(site, hal, 'lock');
    const ana = site.join('ana');
    expect(act(site, hal, 'unlock')).toBe('ConferenceUnlocked');
    expect(site.view).toMatchObject({ locked: false, waiting: [] });
    expect(seat(site, ana)).toBeDefined();
  });

  it('is set and lifted by hosts only, and once is enough', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    expect(act(site, ana, 'lock')).toBe('conference.host-only');
    expect(act(site, hal, 'unlock')).toBe('nothing');
    expect(act(site, hal, 'lock')).toBe('ConferenceLocked');
    expect(act(site, hal, 'lock')).toBe('nothing');
  });
});

describe('microphones and cameras', () => {
  it("are their owner's to switch", () => {
    const { site, ana, bo } = meeting('ana', 'bo');
    expect([act(site, ana, 'mute', ana), act(site, ana, 'mute', ana), seat(site, ana)?.muted]).toEqual(['LegMuted', 'nothing', 'self']);
    expect([act(site, ana, 'unmute', ana), act(site, ana, 'unmute', ana), seat(site, ana)?.muted]).toEqual([
      'LegUnmuted',
      'nothing',
      false,
    ]);
    expect([act(site, ana, 'camera-off', ana), act(site, ana, 'camera-off', ana), seat(site, ana)?.cameraOff]).toEqual([
      'CameraStopped',
      'nothing',
      true,
    ]);
    expect([act(site, ana, 'camera-on', ana), act(site, ana, 'camera-on', ana), seat(site, ana)?.cameraOff]).toEqual([
      'CameraResumed',
      'nothing',
      false,
    ]);
    for (const type of ['mute', 'unmute', 'camera-off', 'camera-on'] as const)
      expect(act(site, bo, type, ana)).toBe('conference.host-only');
  });

  it('that a host has switched off stay off until a host allows them', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    act(site, hal, 'mute', ana);
    act(site, hal, 'camera-off', ana);
    expect(seat(site, ana)).toMatchObject({ muted: 'host', cameraOff: true });
    expect([act(site, ana, 'unmute', ana), act(site, ana, 'camera-on', ana)]).toEqual([
      'conference.muted-by-host',
      'conference.camera-off-by-host',
    ]);
    act(site, hal, 'unmute', ana);
    act(site, hal, 'camera-on', ana);
    expect(seat(site, ana)).toMatchObject({ muted: false, cameraOff: false });
  });

  it('stay off when a guest says by themself that they are on again', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    act(site, hal, 'mute', ana);
    site.record({ type: 'LegUnmuted', v: 1, by: ana!, body: { leg: ana } });
    expect(seat(site, ana)?.muted).toBe('host');
  });

  it('that their owner has switched off nobody else can switch on', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    act(site, ana, 'mute', ana);
    act(site, ana, 'camera-off', ana);
    expect([act(site, hal, 'unmute', ana), act(site, hal, 'camera-on', ana)]).toEqual(['conference.owner-only', 'conference.owner-only']);
    act(site, hal, 'mute', ana);
    act(site, hal, 'unmute', ana);
    expect(seat(site, ana)?.muted).toBe('self');
  });

  it('of a host who was muted by another are theirs to switch on again', () => {
    const { site, hal, hedy } = meeting('hal', 'hedy');
    act(site, hal, 'mute', hedy);
    expect([act(site, hedy, 'unmute', hedy), seat(site, hedy)?.muted]).toEqual(['LegUnmuted', false]);
  });

  it('of all guests can be muted at once; hosts and later guests are not', () => {
    const { site, hal, hedy, ana, bo } = meeting('hal', 'hedy', 'ana', 'bo');
    expect(act(site, hal, 'mute-all-guests')).toBe('GuestsMuted');
    const cy = site.join('cy');
    expect([hal, hedy, ana, bo, cy].map((leg) => seat(site, leg)?.muted)).toEqual([false, false, 'host', 'host', false]);
    act(site, hal, 'unmute', bo);
    expect(seat(site, bo)?.muted).toBe(false);
  });

  it('of a guest who came on the other side while all guests were muted are muted too', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const hal = world.at('lon').join('hal', 'host');
    world.heal();
    act(world.at('lon'), hal, 'mute-all-guests');
    expect(world.at('lon').facts.size).toBe(1); // Nobody there to mute, as far as London knows: nothing happened.
    world.at('lon').join('ana');
    act(world.at('lon'), hal, 'mute-all-guests');
    const bo = world.at('nyc').join('bo');
    world.heal();
    expect(seat(world.at('nyc'), bo)?.muted).toBe('host');
  });
});

describe('the floor', () => {
  it('goes to who speaks, once', () => {
    const { site, ana, bo } = meeting('ana', 'bo');
    expect(site.view.floor).toBeNull();
    for (const leg of [ana, bo, bo]) site.handle({ type: 'TakeFloor', leg: leg! });
    expect(site.facts.size).toBe(4);
    expect(site.view).toMatchObject({ floor: bo, byRecency: [bo, ana] });
  });

  it('is not for whom a host has muted, nor for whom nobody knows', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    act(site, hal, 'mute', ana);
    site.handle({ type: 'TakeFloor', leg: ana! }).handle({ type: 'TakeFloor', leg: 'nyc-nobody' as LegId });
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
    expect(seat(nyc, cy)?.inReach).toBe(false);
    nyc.handle({ type: 'Leave', leg: bo });
    expect(nyc.view.floor).toBe(ana);
  });
});

describe('removing somebody', () => {
  it('ends their leg, binds the person, and only the host PIN brings them back', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    const before = site.state;
    expect(act(site, hal, 'remove', ana)).toBe('PersonRemoved');
    expect(endedBetween(before, site.state, site.id)).toEqual([{ leg: ana, reason: 'removed' }]);
    expect(isRemoved(site.state, before.legs.get(ana!)!.person)).toBe(true);
    site.join('ana', 'guest', { leg: 'ana2', connect: 2 });
    expect(site.refused).toBe('conference.removed');
    site.join('ana', 'guest', { connect: 2 });
    expect(site.refused).toBe('conference.removed');
    const back = site.join('ana', 'host', { leg: 'ana3', connect: 3 });
    expect(seat(site, back)?.role).toBe('host');
  });

  it('keeps them out who came back on the other side before the news', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const [hal, ana] = [lon.join('hal', 'host'), lon.join('ana')];
    world.heal();
    act(lon, hal, 'remove', ana);
    const back = nyc.join('ana', 'host', { connect: 2 });
    const before = nyc.state;
    world.heal();
    expect(endedBetween(before, nyc.state, nyc.id)).toEqual([{ leg: back, reason: 'removed' }]);
    const again = nyc.join('ana', 'host', { connect: 3, leg: 'again' });
    expect(seat(nyc, again)?.role).toBe('host');
  });
});

describe('the host role', () => {
  it('is handed over by making one a host and oneself a guest', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    expect([act(site, hal, 'make-host', ana), act(site, hal, 'make-host', ana), act(site, hal, 'make-guest', hal)]).toEqual([
      'HostAppointed',
      'nothing',
      'HostDemoted',
    ]);
    expect([seat(site, hal)?.role, seat(site, ana)?.role]).toEqual(['guest', 'host']);
    expect([act(site, hal, 'lock'), act(site, ana, 'lock')]).toEqual(['conference.host-only', 'ConferenceLocked']);
    act(site, ana, 'make-host', hal);
    expect(seat(site, hal)?.role).toBe('host');
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
    act(nyc, hedy, 'lock');
    world.heal();
    act(nyc, hedy, 'make-guest', hal);
    act(lon, hal, 'unlock');
    expect(lon.view.locked).toBe(false);
    world.heal();
    expect(lon.view.locked).toBe(true);
  });

  it('that was taken on the other side does not pass on to a friend', () => {
    const { world, lon, nyc, hal, hedy, ana } = twoHosts();
    act(nyc, hedy, 'lock');
    world.heal();
    act(nyc, hedy, 'make-guest', hal);
    act(lon, hal, 'make-host', ana);
    expect(act(lon, ana, 'unlock')).toBe('ConferenceUnlocked');
    world.heal();
    expect([lon.view.locked, seat(lon, ana)?.role]).toEqual([true, 'guest']);
  });

  it('that was taken later, by somebody who had seen the unlock, locks nothing again', () => {
    const { world, lon, nyc, hal, hedy } = twoHosts();
    act(nyc, hedy, 'lock');
    world.heal();
    act(lon, hal, 'unlock');
    world.heal();
    act(nyc, hedy, 'make-guest', hal);
    world.heal();
    expect(lon.view.locked).toBe(false);
  });

  it('stays taken although somebody who did not know gave it meanwhile', () => {
    const { world, lon, nyc, hal, hedy, ana } = twoHosts();
    act(lon, hal, 'make-host', ana);
    world.heal();
    act(lon, hal, 'make-guest', ana);
    act(nyc, hedy, 'make-guest', ana);
    act(nyc, hedy, 'make-host', ana);
    world.heal();
    expect(seat(nyc, ana)?.role).toBe('guest');
    act(nyc, hedy, 'make-host', ana);
    expect(seat(nyc, ana)?.role).toBe('host');
  });

  it('that each took from the other is lost to both, and their PIN gives it back', () => {
    const { world, lon, nyc, hal, hedy } = twoHosts();
    act(nyc, hedy, 'make-guest', hal);
    act(lon, hal, 'make-guest', hedy);
    world.heal();
    expect([seat(lon, hal)?.role, seat(lon, hedy)?.role]).toEqual(['guest', 'guest']);
    const back = lon.join('hal', 'host', { connect: 2, leg: 'hal2' });
    expect(act(lon, back, 'lock')).toBe('ConferenceLocked');
  });
});

describe('a room that was locked on the other side', () => {
  const halves = () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const hal = lon.join('hal', 'host');
    const ana = nyc.join('ana');
    world.heal();
    act(lon, hal, 'lock');
    const bo = nyc.join('bo');
    world.heal();
    return { world, lon, nyc, hal, ana, bo };
  };

  it('holds who came unaware, and keeps whom the lock had in sight', () => {
    const { nyc, ana, bo } = halves();
    expect([seat(nyc, ana)?.held, seat(nyc, bo)?.held]).toEqual([false, true]);
    expect(nyc.view.byRecency).not.toContain(bo);
  });

  it('lets the held one in when a host admits them or unlocks', () => {
    const { world, lon, nyc, hal, bo } = halves();
    expect(act(lon, hal, 'admit', bo)).toBe('LegAdmitted');
    world.heal();
    expect([seat(nyc, bo)?.held, nyc.view.locked]).toEqual([false, true]);
  });

  it('lets a host turn the held one away', () => {
    const { world, lon, nyc, hal, bo } = halves();
    expect(act(lon, hal, 'reject', bo)).toBe('LegRejected');
    world.heal();
    expect(legOf(nyc.state, bo)?.ended).toBe('rejected');
  });

  it('counts no seat for the held one', () => {
    const { nyc } = halves();
    nyc.room = { seatsMax: 3, guestsWaitForHost: false };
    nyc.join('hedy', 'host');
    expect(nyc.refused).toBeUndefined();
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
    expect(act(nyc, hal, 'end-for-all')).toBe('MeetingEnded');
    world.heal();
    expect(endedBetween(before, lon.state, lon.id)).toEqual([{ leg: ana, reason: 'ended' }]);
    expect(cpt.view.seats.map(({ leg }) => leg)).toEqual([bo]);
    lon.join('cy');
    expect(lon.refused).toBe('conference.ended');
    expect(act(nyc, hal, 'lock')).toBe('conference.ended');
  });

  it('is for hosts', () => {
    const { site, ana } = meeting('ana');
    expect(act(site, ana, 'end-for-all')).toBe('conference.host-only');
  });
});

describe('acts that make no sense', () => {
  it('are refused with a reason, and leave nothing behind', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    const before = site.facts.size;
    expect(act(site, hal, 'mute', 'nyc-x' as LegId)).toBe('conference.unknown-leg');
    expect(act(site, 'nyc-x' as LegId, 'lock')).toBe('conference.unknown-leg');
    expect(act(site, hal, 'reject', ana)).toBe('conference.not-waiting');
    expect(act(site, hal, 'admit', ana)).toBe('nothing');
    expect(act(site, hal, 'make-guest', ana)).toBe('nothing');
    expect(site.facts.size).toBe(before);
    site.handle({ type: 'Leave', leg: ana! }).handle({ type: 'Leave', leg: ana! });
    expect(site.facts.size).toBe(before + 1);
    expect(act(site, hal, 'mute', ana)).toBe('conference.unknown-leg');
    expect(act(site, ana, 'mute', ana)).toBe('conference.unknown-leg');
  });
});
