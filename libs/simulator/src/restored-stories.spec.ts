import type { LegId } from '@isthmus/conference';
import { beforeEach, describe, expect, it } from 'vitest';
import { compareSites } from './comparison.js';
import type { Window } from './people.js';
import { World } from './world.js';

/** What the simulator has found about sites that are put back to a backup, told by hand: three sites, of which the second is. */
describe('a site that was put back to a backup', () => {
  let world: World;

  beforeEach(async () => {
    world = new World(1, { sites: 3, restores: false });
    world.begin();
    await passes(1_500);
  });

  const passes = (ms: number) => world.schedule.runUntil(world.schedule.nowMs + ms);
  const siteAt = (at: number) => world.sites[at]!;
  const comes = async (at: number, role: 'host' | 'guest'): Promise<Window> => {
    const window = world.people.opens(siteAt(at), 'r0', { role });
    await passes(1_000);
    return window;
  };
  const seats = (): readonly LegId[] =>
    siteAt(1)
      .views.get('r0')
      ?.seats.map(({ leg }) => leg) ?? [];
  const cutOff = () => {
    for (const at of [0, 2]) {
      world.network.cut(siteAt(at).id, siteAt(1).id);
      world.network.cut(siteAt(1).id, siteAt(at).id);
    }
  };
  const heal = () => {
    for (const { id: from } of world.sites) for (const { id: to } of world.sites) world.network.heal(from, to);
  };
  const allIsWell = () => {
    compareSites(world);
    expect(world.ledger.violations).toEqual([]);
  };

  it('sends away whom it takes back long after it began, when nobody is behind them', async () => {
    await comes(0, 'host');
    siteAt(1).backUp();
    const guest = await comes(1, 'guest');
    const { leg } = guest;
    cutOff();
    guest.state = 'out';
    world.restores(siteAt(1));
    await passes(30_000);
    heal();
    await passes(10_000);
    expect(seats()).toContain(leg);
    await passes(20_000);
    expect(seats()).not.toContain(leg);
    allIsWell();
  });

  it('has its people in one meeting when it takes back that they had been in a locked one and has opened another', async () => {
    const host = await comes(0, 'host');
    siteAt(1).backUp();
    const here = await comes(1, 'host');
    world.people.acts(host, { type: 'lock' });
    await passes(1_000);
    const { leg } = here;
    cutOff();
    await passes(4_000);
    world.restores(siteAt(1));
    await passes(10_000);
    expect([here.state, seats()]).toEqual(['in', [here.leg]]);
    expect(here.leg).not.toBe(leg);
    heal();
    await passes(30_000);
    expect([here.state, seats()]).toEqual(['in', [host.leg, here.leg]]);
    allIsWell();
  });
});
