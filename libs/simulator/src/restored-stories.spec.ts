import { beforeEach, describe, expect, it } from 'vitest';
import { byHand } from './testing/by-hand.js';
import { World } from './world.js';

/** What the simulator has found about sites that are put back to a backup, told by hand: three sites, of which the second is. */
describe('a site that was put back to a backup', () => {
  let world: World;

  beforeEach(async () => {
    world = new World(1, { sites: 3, restores: false });
    await begins();
  });

  const { begins, passes, siteAt, comes, legsAt, cut, heal, allIsWell } = byHand(() => world);
  const cutOff = () => [0, 2].forEach((at) => cut(at, 1));

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
    expect(legsAt(1)).toContain(leg);
    await passes(20_000);
    expect(legsAt(1)).not.toContain(leg);
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
    expect([here.state, legsAt(1)]).toEqual(['in', [here.leg]]);
    expect(here.leg).not.toBe(leg);
    heal();
    await passes(30_000);
    expect([here.state, legsAt(1)]).toEqual(['in', [host.leg, here.leg]]);
    allIsWell();
  });
});
