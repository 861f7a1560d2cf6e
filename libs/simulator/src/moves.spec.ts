import { beforeEach, describe, expect, it } from 'vitest';
import { compareSites } from './comparison.js';
import { breachesOf } from './laws.js';
import type { Window } from './people.js';
import { byHand } from './testing/by-hand.js';
import { World } from './world.js';

/** Three sites, of which the first is to end: what the simulation does there, and what it finds, told by hand. */
describe('people who move in a simulated world', () => {
  let world: World;

  beforeEach(async () => {
    world = new World(2, { sites: 3, moves: true });
    world.begin();
    world.moves.follow();
    await passes(1_500);
  });

  const { passes, siteAt, seatsAt, comes, does, allIsWell } = byHand(() => world);
  const seatOf = ({ person }: Window, at: number) => seatsAt(at).find((seat) => seat.person === person.id);
  const arrived = async ({ person }: Window): Promise<Window> => {
    for (;;) {
      const [window, ...others] = world.people.windows.filter((each) => each.person === person && each.state === 'in');
      if (window !== undefined && others.length === 0 && window.site !== siteAt(0) && window.comesFrom === undefined) return window;
      await passes(100);
    }
  };

  it('arrive at another site with what hosts said of them, and leave nobody behind', async () => {
    const host = await comes(1, 'host');
    const people = [await comes(0, 'guest'), await comes(0, 'guest')];
    await does(host, { type: 'mute', leg: people[0]!.leg! });
    await does(host, { type: 'make-host', leg: people[1]!.leg! });
    await does(host, { type: 'lock' });
    world.management.setDraining(siteAt(0).id, true);
    for (const window of people) await arrived(window);
    await passes(32_000);
    expect([seatOf(people[0]!, 1)?.muted, seatOf(people[1]!, 1)?.role]).toEqual(['host', 'host']);
    expect(seatsAt(1).some(({ site }) => site === siteAt(0).id)).toBe(false);
    allIsWell();
  });

  it('are muted already by what a host said of the seat that they come from', async () => {
    const host = await comes(1, 'host');
    const window = await comes(0, 'guest');
    const there = world.people.moves(window, siteAt(2));
    await passes(1_000);
    await does(host, { type: 'mute', leg: window.leg! });
    await does(host, { type: 'mute', leg: there.leg! });
    expect(world.people.tally.get('mute: done')).toBe(2);
    expect(world.ledger.violations).toEqual([]);
  });

  it('come to nobody who is to end, and newcomers are turned away there', async () => {
    await comes(1, 'host');
    world.management.setDraining(siteAt(0).id, true);
    await passes(1_000);
    const late = await comes(0, 'guest');
    expect([late.state, world.people.tally.get('Join: join.site-draining')]).toEqual(['out', 1]);
  });

  it('are missed by the oracle when one of two seats is closed, hidden or counted twice', async () => {
    const host = await comes(1, 'host');
    const window = await comes(0, 'guest');
    await does(host, { type: 'make-host', leg: window.leg! });
    const there = world.people.moves(window, siteAt(2));
    await passes(1_000);
    const { conference } = siteAt(1).views.get('r0')!;
    const { facts } = siteAt(1)
      .brain!.histories('r0')
      .find(({ conferences }) => conferences.includes(conference))!;
    const view = siteAt(1).views.get('r0')!;
    const lawsBroken = (seats: typeof view.seats) => breachesOf(facts, { ...view, seats }).map(({ law }) => law);
    expect(lawsBroken(view.seats)).toEqual([]);
    expect(lawsBroken(view.seats.filter(({ leg }) => leg !== window.leg))).toContain('nobody is lost');
    const seen = view.seats.map(({ from: _, ...seat }) => seat);
    expect(lawsBroken(seen)).toEqual(['of whoever moves people are shown one']);
    const demoted = view.seats.map((seat) => (seat.leg === there.leg ? { ...seat, role: 'guest' as const } : seat));
    expect(lawsBroken(demoted)).toEqual(['whoever was made a host is one']);
    compareSites(world);
    expect(world.ledger.violations[0]).toMatch(/^no ghosts and no doubles/);
  });

  it('are missed by the oracle where they stay at a site that is to end', async () => {
    const window = await comes(0, 'guest');
    world.moves.administered = () => undefined;
    world.management.setDraining(siteAt(0).id, true);
    await passes(31_000);
    compareSites(world);
    expect(world.ledger.violations[0]).toMatch(new RegExp(`^a site that is to end is empty: ${window.leg}`));
  });

  it('leave, when they cannot be moved, as if they had never tried', async () => {
    const window = await comes(0, 'guest');
    const there = world.people.moves(window, siteAt(1));
    await passes(1_000);
    expect(seatOf(window, 1)).toBeDefined();
    world.people.letsGo(there);
    await passes(1_000);
    expect(
      siteAt(1)
        .views.get('r0')
        ?.seats.map(({ leg }) => leg),
    ).toEqual([window.leg]);
    allIsWell();
  });
});
