import { createHash } from 'node:crypto';
import type { SiteId } from '@isthmus/kernel';
import { describe, expect, it } from 'vitest';
import { closingsAt, endedBetween, isOver, isRemoved } from './selectors.js';
import { legOf } from './standing.js';
import type { LegId } from './words.js';
import { World, type TestSite } from './world.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** One site, with people in it; hosts' names begin with `h`. */
const meeting = <Name extends string>(...names: readonly Name[]) => {
  const site = new World(sha256, 'nyc').at('nyc');
  const legs = Object.fromEntries(names.map((name) => [name, site.join(name, name.startsWith('h') ? 'host' : 'guest')]));
  return { site, ...legs } as { readonly site: TestSite } & Readonly<Record<Name, LegId>>;
};

describe('joining', () => {
  it('gives a seat with what was brought along', () => {
    const { site, ana } = meeting('ana');
    expect(site.seat(ana)).toEqual({
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

  it('on both sides of a split leaves the newer connection, whichever side came first by the clocks', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const newer = nyc.join('ana', 'guest', { connect: 2 });
    lon.join('bo');
    const older = lon.join('ana', 'guest', { connect: 1 });
    const before = lon.state;
    world.heal();
    expect(endedBetween(before, lon.state, lon.id)).toEqual([{ leg: older, reason: 'replaced' }]);
    expect(nyc.seat(newer)).toBeDefined();
  });

  it('counts how often a leg came back', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const first = nyc.join('ana', 'guest', { connect: 1 });
    lon.join('ana', 'guest', { connect: 2 });
    nyc.join('ana', 'guest', { connect: 3 });
    world.heal();
    expect(lon.view.seats.map(({ leg }) => leg)).toEqual([first]);
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
    expect(nyc.seat(ana)).toBeDefined();
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
    expect(lon.act(hal, 'admit', ana)).toBe('LegAdmitted');
    expect(lon.view.waiting).toEqual([]);
  });

  it('turns away whom one host rejects while another admits', () => {
    const { world, lon, nyc } = waitingRoom();
    const [hal, hedy] = [lon.join('hal', 'host'), nyc.join('hedy', 'host')];
    nyc.handle({ type: 'lock', by: hedy });
    const ana = nyc.join('ana');
    world.heal();
    const before = nyc.state;
    lon.act(hal, 'admit', ana);
    nyc.act(hedy, 'reject', ana);
    world.heal();
    expect(lon.view.seats.map(({ leg }) => leg)).not.toContain(ana);
    expect(endedBetween(before, nyc.state, nyc.id)).toEqual([{ leg: ana, reason: 'rejected' }]);
  });
});

describe('a lock', () => {
  it('makes guests knock, and the host PIN opens it', () => {
    const { site, hal } = meeting('hal');
    site.act(hal, 'lock');
    const ana = site.join('ana');
    expect(site.view).toMatchObject({ locked: true, waiting: [{ leg: ana, reason: 'lock' }] });
    expect(site.act(hal, 'admit', ana)).toBe('LegAdmitted');
    expect(site.seat(ana)).toMatchObject({ held: false });
    expect(site.seat(site.join('hedy', 'host'))).toBeDefined();
  });

  it('refuses guests when no host is there who could let them in', () => {
    const { site, hal } = meeting('hal', 'ana');
    site.act(hal, 'lock');
    site.handle({ type: 'Leave', leg: hal });
    site.join('bo');
    expect(site.refused).toBe('conference.locked');
  });

  it('lets those in who knocked when a host unlocks', () => {
    const { site, hal } = meeting('hal');
    site.act(hal, 'lock');
    const ana = site.join('ana');
    expect(site.act(hal, 'unlock')).toBe('ConferenceUnlocked');
    expect(site.view).toMatchObject({ locked: false, waiting: [] });
    expect(site.seat(ana)).toBeDefined();
  });

  it('is set and lifted by hosts only, and once is enough', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    expect(site.act(ana, 'lock')).toBe('conference.host-only');
    expect(site.act(hal, 'unlock')).toBe('nothing');
    expect(site.act(hal, 'lock')).toBe('ConferenceLocked');
    expect(site.act(hal, 'lock')).toBe('nothing');
  });
});

describe('removing somebody', () => {
  it('ends their leg, binds the person, and only the host PIN brings them back', () => {
    const { site, hal, ana } = meeting('hal', 'ana');
    const before = site.state;
    expect(site.act(hal, 'remove', ana)).toBe('PersonRemoved');
    expect(endedBetween(before, site.state, site.id)).toEqual([{ leg: ana, reason: 'removed' }]);
    expect(isRemoved(site.state, before.legs.get(ana)!.person)).toBe(true);
    site.join('ana', 'guest', { leg: 'ana2', connect: 2 });
    expect(site.refused).toBe('conference.removed');
    site.join('ana', 'guest', { connect: 2 });
    expect(site.refused).toBe('conference.removed');
    const back = site.join('ana', 'host', { leg: 'ana3', connect: 3 });
    expect(site.seat(back)?.role).toBe('host');
  });

  it('keeps them out who came back on the other side before the news', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const [hal, ana] = [lon.join('hal', 'host'), lon.join('ana')];
    world.heal();
    lon.act(hal, 'remove', ana);
    const back = nyc.join('ana', 'host', { connect: 2 });
    const before = nyc.state;
    world.heal();
    expect(endedBetween(before, nyc.state, nyc.id)).toEqual([{ leg: back, reason: 'removed' }]);
    const again = nyc.join('ana', 'host', { connect: 3, leg: 'again' });
    expect(nyc.seat(again)?.role).toBe('host');
  });
});

describe('a room that was locked on the other side', () => {
  const halves = () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [lon, nyc] = [world.at('lon'), world.at('nyc')];
    const hal = lon.join('hal', 'host');
    const ana = nyc.join('ana');
    world.heal();
    lon.act(hal, 'lock');
    const bo = nyc.join('bo');
    world.heal();
    return { world, lon, nyc, hal, ana, bo };
  };

  it('holds who came unaware, and keeps whom the lock had in sight', () => {
    const { nyc, ana, bo } = halves();
    expect([nyc.seat(ana)?.held, nyc.seat(bo)?.held]).toEqual([false, true]);
    expect(nyc.view.byRecency).not.toContain(bo);
  });

  it('lets the held one in when a host admits them or unlocks', () => {
    const { world, lon, nyc, hal, bo } = halves();
    expect(lon.act(hal, 'admit', bo)).toBe('LegAdmitted');
    world.heal();
    expect([nyc.seat(bo)?.held, nyc.view.locked]).toEqual([false, true]);
  });

  it('lets a host turn the held one away', () => {
    const { world, lon, nyc, hal, bo } = halves();
    expect(lon.act(hal, 'reject', bo)).toBe('LegRejected');
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
