import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateSignatures, createAuthority, issue } from '@isthmus/peers-http';
import { LinkedBrains, settled } from './testing/linked-brains.js';

let world: LinkedBrains;
beforeEach(async () => {
  world = await LinkedBrains.start();
});
afterEach(() => world.close());

/** Ana hosts in New York, Hal in London; they are one meeting, and then the link breaks. */
const apart = async () => {
  const ana = await world.enter('nyc', 'Ana', 'host');
  await expect.poll(() => world.roster('lon'), settled).toEqual(['Ana']);
  const hal = await world.enter('lon', 'Hal', 'host');
  await world.same('Ana', 'Hal');
  await world.link(false);
  return { ana, hal };
};

describe('what both sides did while they were apart', () => {
  it('is one meeting again: who joined, who left, who spoke, and nobody was sent away', async () => {
    const { ana } = await apart();
    await expect
      .poll(() => [world.roster('nyc'), world.roster('lon')], settled)
      .toEqual([
        ['(Hal)', 'Ana'],
        ['(Ana)', 'Hal'],
      ]);
    await world.enter('nyc', 'Bo');
    const cy = await world.enter('lon', 'Cy');
    await world.ask('nyc', { type: 'Leave', room: 'r1', leg: ana.leg });
    await world.link(true);
    await world.same('Bo', 'Cy', 'Hal');
    await expect.poll(() => [...world.ended('nyc'), ...world.ended('lon')], settled).toEqual([`${ana.leg} left`]);
    expect(world.view('nyc')?.byRecency).toContain(cy.leg);
    await expect
      .poll(() => JSON.stringify(world.view('nyc')?.byRecency) === JSON.stringify(world.view('lon')?.byRecency), settled)
      .toBe(true);
  });

  it('locking: who came in on the other side is held until a host who knew lets them in', async () => {
    const { hal } = await apart();
    await world.act(hal, 'lock');
    const bo = await world.enter('nyc', 'Bo');
    await world.link(true);
    await world.same('Ana', 'Hal', '[Bo]');
    expect(world.view('lon')?.byRecency).not.toContain(bo.leg);
    await world.act(hal, 'admit', bo);
    await world.same('Ana', 'Hal', 'Bo');
    await expect.poll(() => world.view('nyc')?.locked, settled).toBe(true);
    expect([...world.ended('nyc'), ...world.ended('lon')]).toEqual([]);
  });

  it('removing: whoever was removed is out, on whichever side they were, and comes back only by the host PIN', async () => {
    const { ana, hal } = await apart();
    await world.act(ana, 'remove', hal);
    await world.link(true);
    await world.same('Ana');
    await expect.poll(() => world.ended('lon'), settled).toEqual([`${hal.leg} removed`]);
    await expect(world.knock('lon', 'Hal', 'guest')).rejects.toMatchObject({ code: 'conference.removed' });
    await world.enter('lon', 'Hal', 'host');
    await world.same('Ana', 'Hal');
  });

  it('changing the PINs: who came in by the old one where it was not known is held, and is told why', async () => {
    const first = { host: '$argon2id$old-host', guest: '$argon2id$old-guest' };
    world.management.say('RoomChanged', { id: 'r1', change: { hostPinHash: first.host, guestPinHash: first.guest } });
    const generation = world.management.facts.length;
    const ana = await world.enter('nyc', 'Ana', 'host', { proof: generation });
    await expect.poll(() => world.roster('lon'), settled).toEqual(['Ana']);
    await world.enter('lon', 'Hal', 'host', { proof: generation });
    await world.same('Ana', 'Hal');
    await world.link(false);
    world.management.lose('lon' as never);
    world.management.say('RoomChanged', { id: 'r1', change: { guestPinHash: '$argon2id$new-guest' } });
    const bo = await world.enter('lon', 'Bo', 'guest', { proof: generation });
    const di = await world.enter('nyc', 'Di', 'guest', { proof: generation + 1 });
    await world.link(true);
    await world.same('Ana', 'Hal', 'Di', '[Bo]');
    expect(world.view('lon')?.seats.find(({ leg }) => leg === bo.leg)).toMatchObject({ heldFor: 'pin' });
    await expect.poll(() => world.view('lon')?.byRecency, settled).toContain(di.leg);
    await world.act(ana, 'admit', bo);
    await world.same('Ana', 'Hal', 'Di', 'Bo');
    expect([...world.ended('nyc'), ...world.ended('lon')]).toEqual([]);
  });

  it('taking the host role: it stays taken, and what was allowed meanwhile is void and told once, also after a restart', async () => {
    const { ana, hal } = await apart();
    await world.act(hal, 'lock');
    await world.link(true);
    await expect.poll(() => world.view('nyc')?.locked, settled).toBe(true);
    await world.link(false);
    await world.act(ana, 'unlock');
    await world.act(hal, 'make-guest', ana);
    await world.link(true);
    await expect
      .poll(() => ['nyc', 'lon'].map((site) => world.view(site)?.seats.find(({ leg }) => leg === ana.leg)?.role), settled)
      .toEqual(['guest', 'guest']);
    expect(world.view('nyc')?.locked).toBe(true);
    const word = `${ana.leg}: The room is locked: before your unlocking was known at the other sites, you had lost the right to it there.`;
    await expect.poll(() => world.told('nyc'), settled).toEqual([word]);
    await world.enter('lon', 'Cy', 'host');
    await world.same('Ana', 'Cy', 'Hal');
    expect(world.told('nyc')).toEqual([word]);
    await world.restart('nyc');
    await world.link(true);
    await expect.poll(() => world.view('nyc')?.locked, settled).toBe(true);
    await world.act(hal, 'unlock');
    await expect.poll(() => world.view('nyc')?.locked, settled).toBe(false);
    expect(world.told('nyc')).toEqual([]);
  });

  it('unlocking against a lock that was not known: the lock stands, and who unlocked is told whose it is', async () => {
    const { ana, hal } = await apart();
    await world.act(ana, 'lock');
    await world.act(ana, 'unlock');
    await world.act(hal, 'lock');
    await world.link(true);
    await expect.poll(() => world.view('nyc')?.locked, settled).toBe(true);
    const word = `${ana.leg}: The room is locked: Hal, in London, locked it before your unlocking was known there. Unlock it again if it should be open.`;
    await expect.poll(() => world.told('nyc'), settled).toEqual([word]);
    expect(world.told('lon')).toEqual([]);
    await world.act(ana, 'unlock');
    await expect.poll(() => world.view('lon')?.locked, settled).toBe(false);
  });

  it('disabling the room: its people leave on purpose, on each side as soon as it learns, from management or from a site that knows', async () => {
    const { ana, hal } = await apart();
    world.management.lose('lon' as never);
    world.management.say('RoomChanged', { id: 'r1', change: { disabled: true } });
    await expect.poll(() => world.ended('nyc'), settled).toEqual([`${ana.leg} room-disabled`]);
    await expect(world.knock('nyc', 'Bo')).rejects.toMatchObject({ code: 'room.unknown' });
    expect(world.ended('lon')).toEqual([]);
    await world.link(true);
    await expect.poll(() => world.ended('lon'), settled).toEqual([`${hal.leg} room-disabled`]);
  });

  it('disabling the room: whoever says so without the key of management is not believed', async () => {
    const { hal } = await apart();
    world.management.lose('lon' as never);
    const stranger = await createAuthority();
    const credentials = await issue(stranger, { identity: { kind: 'management' } });
    world.management.signatures = certificateSignatures(() => credentials);
    world.management.say('RoomChanged', { id: 'r1', change: { disabled: true } });
    await expect.poll(() => world.ended('nyc').length, settled).toBe(1);
    await world.link(true);
    await expect.poll(() => world.roster('lon'), settled).toEqual(['Hal']);
    await world.act(hal, 'lock');
    await expect.poll(() => world.view('lon')?.locked, settled).toBe(true);
    expect(world.ended('lon')).toEqual([]);
  });

  it('deleting the room does the same', async () => {
    const { ana } = await apart();
    world.management.say('RoomDeleted', { id: 'r1' });
    await expect.poll(() => world.ended('nyc'), settled).toEqual([`${ana.leg} room-disabled`]);
  });

  it('filling the seats twice over: everybody stays, and nobody new comes until there is room', async () => {
    world.management.say('RoomChanged', { id: 'r1', change: { seatsMax: 3 } });
    await apart();
    await world.enter('nyc', 'Bo');
    await world.enter('nyc', 'Cy');
    await world.enter('lon', 'Di');
    const eve = await world.enter('lon', 'Eve');
    await world.link(true);
    await world.same('Ana', 'Bo', 'Cy', 'Di', 'Eve', 'Hal');
    await expect(world.knock('nyc', 'Fay')).rejects.toMatchObject({ code: 'conference.full' });
    expect([...world.ended('nyc'), ...world.ended('lon')]).toEqual([]);
    await world.ask('lon', { type: 'Leave', room: 'r1', leg: eve.leg });
  });

  it('the same person on both sides: the newer connection stays, and the older is told that it was taken over', async () => {
    await apart();
    const older = await world.enter('nyc', 'Bo');
    await world.enter('lon', 'Bo');
    await world.link(true);
    await world.same('Ana', 'Bo', 'Hal');
    await expect.poll(() => world.ended('nyc'), settled).toEqual([`${older.leg} replaced`]);
    expect(world.ended('lon')).toEqual([]);
  });

  it('ending the meeting for all: it ends where that was said, and the others go on and are told', async () => {
    const { ana, hal } = await apart();
    await world.act(ana, 'end-for-all');
    await expect.poll(() => world.ended('nyc'), settled).toEqual([`${ana.leg} ended`]);
    await world.link(true);
    await expect.poll(() => world.roster('lon'), settled).toEqual(['Hal']);
    await expect.poll(() => world.told('lon'), settled).toEqual([`${hal.leg}: Ana ended the meeting in New York. Here it goes on.`]);
    expect(world.ended('lon')).toEqual([]);
  });

  it('waiting for a host: a guest who waits is not let in by the link coming back, but by a host who sees them', async () => {
    world.management.say('RoomChanged', { id: 'r1', change: { guestsWaitForHost: true } });
    await world.link(false);
    await expect.poll(async () => (await world.knock('lon', 'Hal', 'host')).type, settled).toBe('Joined');
    const bo = await world.knock('nyc', 'Bo');
    expect(bo).toMatchObject({ type: 'Waiting', reason: 'host' });
    await world.link(true);
    await expect.poll(() => world.view('lon')?.waiting.map(({ name }) => name), settled).toEqual(['Bo']);
    expect(world.roster('lon')).toEqual(['Hal']);
    await world.enter('nyc', 'Ana', 'host');
    await world.same('Ana', 'Bo', 'Hal');
    await expect.poll(() => world.at('nyc').views.flatMap(({ attach }) => attach).length, settled).toBe(1);
  });
});

describe('two openings of one room', () => {
  it('that were made apart are one meeting when the link returns', async () => {
    await world.link(false);
    await world.enter('nyc', 'Ana', 'host');
    await world.enter('lon', 'Hal', 'host');
    expect(world.view('nyc')?.conference).not.toBe(world.view('lon')?.conference);
    await world.link(true);
    await world.same('Ana', 'Hal');
    await expect.poll(() => world.view('nyc')?.conference === world.view('lon')?.conference, settled).toBe(true);
  });

  it('stay apart while one of them is locked, and the hosts of both are told; unlocked, they are one', async () => {
    await world.link(false);
    const ana = await world.enter('nyc', 'Ana', 'host');
    await world.enter('lon', 'Hal', 'host');
    await world.act(ana, 'lock');
    await world.link(true);
    await expect
      .poll(() => ['nyc', 'lon'].map((site) => world.view(site)?.besides), settled)
      .toEqual([[{ sites: ['lon'] }], [{ sites: ['nyc'] }]]);
    expect([world.roster('nyc'), world.roster('lon')]).toEqual([['Ana'], ['Hal']]);
    await world.act(ana, 'unlock');
    await world.same('Ana', 'Hal');
    await expect.poll(() => world.view('lon')?.besides, settled).toBeUndefined();
    expect([...world.ended('nyc'), ...world.ended('lon')]).toEqual([]);
  });
});

describe('a site that is gone for good', () => {
  it('keeps nobody in the meeting once an administrator has removed it', async () => {
    await apart();
    world.management.say('SiteRemoved', { id: 'lon' });
    await expect.poll(() => world.roster('nyc'), settled).toEqual(['Ana']);
  });

  it('is written off after a long silence, and has its people back, in their seats, if it was only away', async () => {
    await world.close();
    world = await LinkedBrains.start({ writeOffAfterMs: 2_000 });
    await apart();
    await expect.poll(() => [world.roster('nyc'), world.roster('lon')], settled).toEqual([['Ana'], ['Hal']]);
    await world.link(true);
    await world.same('Ana', 'Hal');
    expect([...world.ended('nyc'), ...world.ended('lon')]).toEqual([]);
  });
});
