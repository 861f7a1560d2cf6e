import type { ConferenceView } from '@isthmus/conference';
import { beforeEach, describe, expect, it } from 'vitest';
import { breachesOf } from './laws.js';
import type { Window } from './people.js';
import { byHand } from './testing/by-hand.js';
import { World } from './world.js';

/** Two sites and a room whose PINs are changed: what the simulation does there, and what it finds, told by hand. */
describe('PINs in a simulated world', () => {
  let world: World;

  beforeEach(async () => {
    world = new World(5, { sites: 2 });
    await begins();
    world.pins.keepDoors();
    world.pins.changes('r0', ['host', 'guest']);
    await passes(1_000);
  });

  const { passes, siteAt, seatsAt, begins, comes, does, cut, heal, allIsWell } = byHand(() => world);
  const seatOf = ({ leg }: Window, at: number) => seatsAt(at).find((seat) => seat.leg === leg);
  const lawsBrokenBy = (change: Partial<ConferenceView['seats'][number]>, { leg }: Window): readonly string[] => {
    const view = siteAt(0).views.get('r0')!;
    const { facts } = siteAt(0).brain!.histories('r0')[0]!;
    const seats = view.seats.map((seat) => (seat.leg === leg ? { ...seat, ...change } : seat));
    return breachesOf(facts, { ...view, seats }).map(({ law }) => law);
  };
  /** New York is alone, and London hears nothing of management, when the PINs are changed; somebody comes to London by the old one. */
  const comesByTheOldOne = async (role: 'host' | 'guest'): Promise<{ readonly there: Window; readonly late: Window }> => {
    const there = await comes(0, 'host');
    await comes(1, 'host');
    cut(0, 1);
    world.management.lose(siteAt(1).id);
    await passes(4_000);
    world.pins.changes('r0', ['host', 'guest']);
    await passes(1_000);
    let late = await comes(1, role);
    // Not everybody knows the old one.
    while (late.state === 'out') late = await comes(1, role);
    heal();
    world.management.find(siteAt(1).id);
    await passes(6_000);
    return { there, late };
  };

  it('hold whoever came by an older one than the other side knew, until a host lets them in', async () => {
    const { there, late } = await comesByTheOldOne('guest');
    expect(seatOf(late, 0)).toMatchObject({ held: true, heldFor: 'pin' });
    expect(lawsBrokenBy({ held: false }, late)).toEqual(['nobody is let in by a PIN that was changed']);
    await does(there, { type: 'admit', leg: late.leg! });
    expect(seatOf(late, 1)?.held).toBe(false);
    await passes(32_000);
    allIsWell();
  });

  it('make nobody host who proved one that had been changed', async () => {
    const { late } = await comesByTheOldOne('host');
    expect(seatOf(late, 0)?.role).toBe('guest');
    expect(lawsBrokenBy({ role: 'host' }, late)).toEqual(['a host PIN that was changed makes nobody host']);
    await passes(32_000);
    allIsWell();
  });

  it('hold nobody who came by the right one, nor anybody who was in sight', async () => {
    const there = await comes(0, 'guest');
    world.pins.changes('r0', ['guest']);
    await passes(1_000);
    let late = await comes(1, 'guest');
    while (late.state === 'out') late = await comes(1, 'guest');
    for (const window of [there, late]) {
      expect(seatOf(window, 0)?.held).toBe(false);
      expect(lawsBrokenBy({ held: true, heldFor: 'pin' }, window)).toContain('the right PIN lets in');
    }
    await passes(32_000);
    allIsWell();
  });

  it('are known to a meeting that was just being opened when they came', async () => {
    // What is said by management is heard some 20 ms later, and a meeting is opened within some.
    for (let ms = 10; ms < 35; ms++) {
      world.pins.changes('r0', ['host']);
      await passes(ms);
      const host = await comes(0, 'host');
      if (host.state === 'in') allIsWell();
      world.people.leaves(host);
      await passes(1_000);
    }
  });

  it('are asked for at the door: whoever knows another comes in nowhere, and then asks somebody', async () => {
    const before = () => world.people.tally.get('Join: pin-needed') ?? 0;
    let turnedAway = await comes(0, 'guest');
    for (let n = 0; n < 40 && turnedAway.state !== 'out'; n++) {
      world.pins.changes('r0', ['guest']);
      turnedAway = await comes(0, 'guest');
    }
    expect([turnedAway.state, before()]).toEqual(['out', 1]);
    expect((await comes(0, 'guest', turnedAway)).state).not.toBe('out');
  });
});
