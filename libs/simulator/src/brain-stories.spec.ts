import { beforeEach, describe, expect, it, vi } from 'vitest';
import { compareSides } from './comparison.js';
import { SimulatedStore } from './disk.js';
import { SimulatedPeers } from './peers.js';
import type { Window } from './people.js';
import { byHand } from './testing/by-hand.js';
import { World } from './world.js';

/** What the simulator has found in the brain, told by hand: three sites, one room, no weather but what is said here. */
describe('the brain, as the simulator found it', () => {
  let world: World;

  beforeEach(async () => {
    world = new World(1, { sites: 3, restores: false });
    await begins();
  });

  const { begins, passes, siteAt, comes, does, legsAt, cut, heal, allIsWell } = byHand(() => world);
  const leaves = async (window: Window) => {
    world.people.leaves(window);
    await passes(1_000);
  };

  it('brings nobody back whose second window at the same site took over and was closed', async () => {
    const host = await comes(0, 'host');
    const first = await comes(1, 'guest');
    const second = await comes(1, 'guest', first);
    expect(first.state).toBe('out');
    await leaves(second);
    expect(legsAt(1)).toEqual([host.leg]);
    allIsWell();
  });

  it('keeps the place at the door of somebody whose connection breaks there', async () => {
    const host = await comes(0, 'host');
    await does(host, { type: 'lock' });
    const guest = await comes(1, 'guest');
    const { leg } = guest;
    expect(guest.state).toBe('waiting');
    cut(0, 1);
    await passes(4_000);
    world.people.reconnects(guest);
    await passes(1_000);
    expect([guest.state, guest.leg]).toEqual(['waiting', leg]);
    heal();
    await passes(6_000);
    await does(host, { type: 'admit', leg: leg! });
    expect(guest.state).toBe('in');
    allIsWell();
  });

  it('ends for good who was replaced before they hear of it, also when whoever replaced them goes at once', async () => {
    const [host, here] = [await comes(0, 'host'), await comes(1, 'host')];
    cut(0, 1);
    cut(1, 2);
    await passes(4_000);
    const there = await comes(0, 'host', here);
    heal();
    const isHere = () =>
      siteAt(1)
        .disk.meetingsIn('r0')
        .some(({ by }) => by === there.leg);
    while (!isHere()) await passes(1);
    // It is folded within half a second, or when somebody asks for something.
    world.people.acts(here, { type: 'lock' });
    world.people.leaves(there);
    await passes(8_000);
    expect([...world.people.tally.keys()]).toContain('lock: conference.elsewhere');
    expect([here.state, there.state]).toEqual(['out', 'out']);
    expect(legsAt(1)).toEqual([host.leg]);
    allIsWell();
  });

  it('tells who was replaced nothing of it while their full disk cannot record it', async () => {
    const here = await comes(1, 'host');
    const there = world.people.opens(siteAt(0), 'r0', here.person);
    const isHere = () =>
      siteAt(1)
        .disk.meetingsIn('r0')
        .some(({ by }) => by === there.leg);
    while (!isHere()) await passes(1);
    siteAt(1).disk.full = true;
    await passes(2_000);
    expect([here.state, there.state]).toEqual(['in', 'in']);
    siteAt(1).disk.full = false;
    await passes(8_000);
    expect([here.state, there.state]).toEqual(['out', 'in']);
    allIsWell();
  });

  it('tells who was replaced beyond a split that they were, although the two meetings are not one for good yet', async () => {
    cut(0, 1);
    cut(0, 2);
    await passes(4_000);
    const here = await comes(0, 'guest');
    const there = await comes(1, 'guest', here);
    const reasons: string[] = [];
    const ended = world.people.ended.bind(world.people);
    world.people.ended = (site, published) => {
      reasons.push(...published.ended.map(({ reason }) => reason));
      ended(site, published);
    };
    heal();
    await passes(8_000);
    expect(reasons).toEqual(['replaced']);
    expect([here.state, there.state]).toEqual(['out', 'in']);
    allIsWell();
  });

  it('remembers a meeting that had emptied here when a site that never wrote in it turns out to be in it', async () => {
    const host = await comes(0, 'host');
    cut(0, 2);
    cut(1, 2);
    await passes(4_000);
    // In one moment the last one leaves, as far as the one site knows, and somebody comes at the other.
    const late = world.people.opens(siteAt(2), 'r0', { role: 'guest' });
    await leaves(host);
    expect([late.state, legsAt(1)]).toEqual(['in', []]);
    heal();
    await passes(8_000);
    expect(legsAt(1)).toEqual([late.leg]);
    allIsWell();
  });

  it('decides against all that is durable at its site, also what has not been folded yet', async () => {
    const [there, here] = [await comes(0, 'host'), await comes(1, 'host')];
    await does(here, { type: 'lock' });
    cut(0, 1);
    cut(0, 2);
    await passes(4_000);
    await does(there, { type: 'make-guest', leg: here.leg! });
    heal();
    const demoted = () =>
      siteAt(1)
        .disk.rows('conference')
        .some(({ type }) => type === 'HostDemoted');
    // With it comes its author's word; and what comes from beyond a split is folded within half a second, or when somebody must know.
    while (!demoted()) await passes(1);
    expect(
      siteAt(1)
        .views.get('r0')
        ?.seats.find(({ leg }) => leg === here.leg)?.role,
    ).toBe('host');
    await does(here, { type: 'unlock' });
    expect([...world.people.tally.keys()]).toContain('unlock: conference.host-only');
    await passes(8_000);
    allIsWell();
  });

  it('keeps a host out whose removal was on its way to the disk when their connection came back', async () => {
    world = new World(1, { sites: 2, restores: false });
    await begins();
    const [host, other] = [await comes(0, 'host'), await comes(1, 'host')];
    const adopt = vi.spyOn(SimulatedStore.prototype, 'adopt');
    siteAt(1).disk.stalls(1);
    world.people.acts(host, { type: 'remove', leg: other.leg! });
    while (!adopt.mock.calls.some(([facts]) => facts.some(({ type }) => type === 'PersonRemoved'))) await passes(1);
    adopt.mockRestore();
    world.people.reconnects(other);
    await passes(3_000);
    siteAt(1).disk.stalls(undefined);
    expect([...world.people.tally.keys()]).toContain('Join: conference.removed');
    // The next time they have seen it, and the host PIN brings them back.
    expect((await comes(1, 'host', other)).state).toBe('in');
    await passes(8_000);
    allIsWell();
  });

  it('hears who leaves when what ended the meeting for them is here and not folded yet', async () => {
    // Two openings in one moment, which are one meeting: what one says comes after what the other said.
    const [there, here] = [world.people.opens(siteAt(0), 'r0', { role: 'host' }), world.people.opens(siteAt(1), 'r0', { role: 'host' })];
    await passes(2_000);
    expect(
      siteAt(1)
        .disk.rows('room')
        .map(({ type }) => type),
    ).toContain('ConferencesJoined');
    await does(here, { type: 'lock' });
    cut(0, 1);
    cut(0, 2);
    await does(there, { type: 'end-for-all' });
    await passes(3_000);
    heal();
    while (
      !siteAt(1)
        .disk.rows('conference')
        .some(({ type }) => type === 'MeetingEnded')
    )
      await passes(1);
    expect(here.state).toBe('in');
    world.people.leaves(here);
    await passes(8_000);
    allIsWell();
  });

  it('shows who comes at a site that had heard the last of a lost one to those who had not', async () => {
    const host = await comes(0, 'host');
    const lost = await comes(2, 'host');
    cut(0, 2);
    world.people.acts(lost, { type: 'lock' });
    await passes(20);
    world.people.acts(lost, { type: 'unlock' });
    const heard = (what: string) =>
      siteAt(1)
        .disk.rows('conference')
        .some(({ type }) => type === what);
    while (!heard('ConferenceLocked') || !heard('ConferenceUnlocked')) await passes(1);
    // Before the lost one's word on the second has come.
    cut(1, 2);
    await passes(5_000);
    const late = await comes(1, 'host');
    await passes(2_000);
    expect(siteAt(0).views.get('r0')?.byRecency).toEqual([host.leg, late.leg]);
    heal();
    await passes(8_000);
    allIsWell();
  });

  it('takes nobody for torn off while a link that was lost is watched before it counts again', async () => {
    const [host, guest] = [await comes(0, 'host'), await comes(1, 'guest')];
    const seenAt = (at: number) => siteAt(at).views.get('r0')?.byRecency;
    cut(0, 2);
    cut(1, 2);
    await passes(6_000);
    const compare = () => {
      const before = world.did.get('sides compared') ?? 0;
      compareSides(world);
      expect(world.ledger.violations).toEqual([]);
      return (world.did.get('sides compared') ?? 0) - before;
    };
    const isBackFor = (ms: number) => {
      const { up, forMs } = siteAt(0).peers!.linkTo(siteAt(1).id);
      return up && forMs >= ms;
    };
    expect(compare()).toBe(2);
    for (let n = 0; n < 3; n++) {
      cut(0, 1);
      await passes(4_000);
      world.network.heal(siteAt(0).id, siteAt(1).id);
      world.network.heal(siteAt(1).id, siteAt(0).id);
      while (!isBackFor(100)) await passes(10);
    }
    // Facts go both ways by now, and the two still show each other to nobody: after three losses that takes four seconds.
    while (!isBackFor(2_000)) await passes(10);
    expect([seenAt(0), seenAt(1)]).toEqual([[host.leg], [guest.leg]]);
    expect(compare()).toBe(1);
    await passes(5_000);
    expect([seenAt(0), seenAt(1)]).toEqual([
      [host.leg, guest.leg],
      [host.leg, guest.leg],
    ]);
    expect(compare()).toBe(2);
  });

  it('says nothing about its links while nothing about them changes', async () => {
    await passes(10_000);
    const said = vi.spyOn(SimulatedPeers.prototype, 'send');
    await passes(10_000);
    expect(said).not.toHaveBeenCalled();
    said.mockRestore();
  });

  it('tells each site once what a third one has said of its history', async () => {
    world = new World(1, { sites: 5, restores: false });
    await begins();
    await comes(1, 'host');
    const said: { readonly to: string; readonly from: string; readonly what: string }[] = [];
    for (const { id, peers } of world.sites) {
      const send = peers!.send.bind(peers);
      vi.spyOn(peers!, 'send').mockImplementation((peer, body) => {
        const { type, site, heads = [] } = body as { type: string; site?: string; heads?: readonly object[] };
        for (const what of type === 'heads' ? heads : [{}])
          if (peers!.linkTo(peer).up) said.push({ from: id, to: peer, what: `${type} of ${site}: ${JSON.stringify(what)}` });
        send(peer, body);
      });
    }
    cut(0, 1);
    await passes(6_000);
    // The three that hear both tell each of the two what the other wrote; when one loses another link, those that are left do not again.
    cut(0, 4);
    await passes(6_000);
    const told = said.filter(({ from, to, what }) => from !== 'syd' && to === 'nyc' && what.startsWith('heads of lon'));
    expect(told.length).toBeGreaterThan(0);
    expect(new Set(told.map(({ from, what }) => from + what)).size).toBe(told.length);
    heal();
    await passes(12_000);
    allIsWell();
  });

  it('asks a third site again for what its own full disk did not take', async () => {
    await comes(1, 'guest');
    const host = await comes(2, 'host');
    cut(1, 2);
    await passes(4_000);
    siteAt(1).disk.full = true;
    await does(host, { type: 'lock' });
    await passes(2_000);
    siteAt(1).disk.full = false;
    await passes(8_000);
    expect(siteAt(1).views.get('r0')?.locked).toBe(true);
    heal();
    await passes(8_000);
    allIsWell();
  });

  it.each([0, 2])('asks whoever is left for what its own full disk did not take, when another who held it is lost (%i)', async (lost) => {
    world = new World(1, { sites: 4, restores: false });
    await begins();
    await comes(1, 'guest');
    const host = await comes(3, 'host');
    cut(1, 3);
    await passes(4_000);
    siteAt(1).disk.full = true;
    await does(host, { type: 'lock' });
    // Both others have said that they hold it. Now the author is lost to all, and one of the two to those who are left.
    await passes(2_000);
    cut(0, 3);
    cut(2, 3);
    cut(0, 2);
    cut(1, lost);
    await passes(4_000);
    siteAt(1).disk.full = false;
    await passes(4_000);
    expect(siteAt(1).views.get('r0')?.locked).toBe(true);
    heal();
    await passes(8_000);
    allIsWell();
  });

  it('hears of the estate again after a disk that was full', async () => {
    const guest = await comes(1, 'guest');
    siteAt(1).disk.full = true;
    world.disables('r0');
    await passes(3_000);
    siteAt(1).disk.full = false;
    await passes(12_000);
    expect(guest.state).toBe('out');
    expect(siteAt(1).brain?.estate.rooms['r0']?.disabled).toBe(true);
    allIsWell();
  });
});
