import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import type { Peers } from '@isthmus/ports';
import { Site } from './linked-site.js';
import { PATIENCE } from './patience.js';

/** Sites, and cables between them that can be cut. */
export interface PeersWorld {
  /** One site's end of the links, not started. */
  peersOf(site: SiteId): Promise<Peers>;
  /** Where `from` finds `to`; both have been started. */
  urlFrom(from: SiteId, to: SiteId): Promise<string>;
  /** Cuts what runs between two sites, both ways, and everything that is tried after. */
  cut(one: SiteId, other: SiteId): void;
  heal(one: SiteId, other: SiteId): void;
  dispose(): Promise<void>;
}

/** What the links between sites promise, whatever they are made of. Run it from the adapter's own spec. */
export const peersContract = (name: string, makeWorld: () => Promise<PeersWorld>): void => {
  describe(`${name} keeps the promises of links between sites`, PATIENCE, () => {
    let world: PeersWorld;
    let sites: Site[];

    beforeEach(async () => {
      world = await makeWorld();
      sites = [];
    });
    afterEach(async () => {
      await Promise.all(sites.map(({ peers }) => peers.close()));
      await world.dispose();
    });

    const start = async (...names: string[]): Promise<Site[]> => {
      for (const each of names as SiteId[]) sites.push(new Site(each, await world.peersOf(each)));
      for (const site of sites) await site.peers.start(site);
      for (const site of sites) await link(site, ...sites);
      return sites;
    };
    const link = async (site: Site, ...others: Site[]) => {
      const peers = others
        .filter((other) => other !== site)
        .map(async (other) => ({ site: other.name, url: await world.urlFrom(site.name, other.name) }));
      site.peers.setPeers(await Promise.all(peers));
    };
    const two = async () => (await start('nyc', 'lon')) as [Site, Site];
    const until = (assertion: () => void, timeout = 10_000) => vi.waitFor(assertion, { timeout, interval: 10 });
    const allUp = () => until(() => expect(sites.flatMap(({ peers }) => peers.states().map(({ up }) => up))).not.toContain(false));
    const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

    test('facts recorded before and after the link came up arrive at the other end, in order, as they are', async () => {
      const [nyc, lon] = await two();
      nyc.record(3);
      await allUp();
      nyc.record(2);
      lon.record(4);
      await until(() => expect(lon.from(nyc)).toHaveLength(5));
      await until(() => expect(nyc.from(lon)).toHaveLength(4));
      expect(lon.from(nyc)).toEqual(nyc.own);
      expect(nyc.from(lon)).toEqual(lon.own);
    });

    test('a long history arrives whole, each fact once, in order', async () => {
      const [nyc, lon] = await two();
      nyc.record(5_000);
      await until(() => expect(lon.from(nyc)).toHaveLength(5_000), 20_000);
      expect(lon.arrived.get(nyc.name)).toEqual(nyc.own);
    });

    test('with each batch comes the word of whoever recorded it on just those facts', async () => {
      const [nyc, lon] = await two();
      nyc.record(500);
      await until(() => expect(lon.from(nyc)).toHaveLength(500));
      expect(lon.words.length).toBeGreaterThan(0);
      for (const { last, word } of lon.words) expect(word).toEqual({ by: 'nyc', last });
    });

    test('both ends say that the link is up, since when, and how long a round trip takes', async () => {
      const [nyc, lon] = await two();
      await allUp();
      expect(nyc.changes.at(-1)).toMatchObject({ site: 'lon', up: true, reason: undefined });
      expect(lon.changes.at(-1)).toMatchObject({ site: 'nyc', up: true, reason: undefined });
      await until(() => expect(nyc.stateOf(lon)!.rttMs).toBeGreaterThan(0));
      expect(nyc.stateOf(lon)!.rttMs).toBeLessThan(5_000);
    });

    test('when the link is cut both ends say so with a reason; when it heals, both say that, and what was missed arrives', async () => {
      const [nyc, lon] = await two();
      await allUp();
      nyc.record(2);
      await until(() => expect(lon.from(nyc)).toHaveLength(2));
      world.cut(nyc.name, lon.name);
      await until(() => expect([nyc.stateOf(lon)!.up, lon.stateOf(nyc)!.up]).toEqual([false, false]));
      expect(nyc.changes.at(-1)!.reason).toMatch(/\w/);
      nyc.record(3);
      lon.record(3);
      world.heal(nyc.name, lon.name);
      await allUp();
      await until(() => expect([lon.from(nyc), nyc.from(lon)]).toEqual([nyc.own, lon.own]));
    });

    test('after a cut the peer goes on from where it was, not from the start', async () => {
      const [nyc, lon] = await two();
      nyc.record(100);
      await until(() => expect(lon.from(nyc)).toHaveLength(100));
      world.cut(nyc.name, lon.name);
      await until(() => expect(nyc.stateOf(lon)!.up).toBe(false));
      world.heal(nyc.name, lon.name);
      await allUp();
      nyc.record(1);
      await until(() => expect(lon.from(nyc)).toHaveLength(101));
      await until(() => expect(nyc.resumes.at(-1)).toEqual({ by: 'lon', after: '99' }));
    });

    test('cut again and again in the middle of a long history, every fact still arrives once, in order', async () => {
      const [nyc, lon] = await two();
      lon.beforeReceiving = () => pause(3);
      nyc.record(8_000);
      for (let cuts = 0; cuts < 4; cuts++) {
        const before = lon.from(nyc).length;
        await until(() => expect(lon.from(nyc).length).toBeGreaterThan(before));
        world.cut(nyc.name, lon.name);
        await until(() => expect(lon.stateOf(nyc)!.up).toBe(false));
        nyc.record(10);
        world.heal(nyc.name, lon.name);
      }
      await until(() => expect(lon.from(nyc)).toHaveLength(8_040), 20_000);
      expect(lon.from(nyc)).toEqual(nyc.own);
      // What was on the way when it was cut may come twice; what had been acknowledged does not.
      expect(lon.arrived.get(nyc.name)!.length).toBeLessThan(8_040 + 4 * 2_000);
    });

    test('a slow receiver holds up the sender: what is under way stays bounded, and all of it arrives in the end', async () => {
      const [nyc, lon] = await two();
      await allUp();
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      lon.beforeReceiving = () => gate;
      nyc.record(6_000, 'x'.repeat(1_000));
      await until(() => expect(nyc.pulled).toBeGreaterThan(200));
      await pause(500);
      const underWay = nyc.pulled;
      await pause(500);
      expect(nyc.pulled).toBe(underWay);
      expect(underWay).toBeLessThan(4_000);
      expect(nyc.stateOf(lon)!.up).toBe(true);
      release();
      await until(() => expect(lon.from(nyc)).toHaveLength(6_000), 20_000);
      expect(lon.arrived.get(nyc.name)).toEqual(nyc.own);
    });

    test('a receiver that fails for a while loses nothing, keeps order, and stays linked', async () => {
      const [nyc, lon] = await two();
      await allUp();
      let failures = 3;
      lon.beforeReceiving = async () => {
        if (failures-- > 0) throw new Error('planted: the disk is full');
      };
      nyc.record(300);
      await until(() => expect(lon.from(nyc)).toHaveLength(300));
      expect(lon.arrived.get(nyc.name)).toEqual(nyc.own);
      expect(lon.changes.filter(({ up }) => !up)).toEqual([]);
    });

    test('messages arrive in order while the link is up; without a link they go nowhere and harm nobody', async () => {
      const [nyc, lon] = await two();
      nyc.peers.send('cpt' as SiteId, 'nobody');
      await allUp();
      for (let n = 0; n < 200; n++) nyc.peers.send(lon.name, { n });
      await until(() => expect(lon.messages).toHaveLength(200));
      expect(lon.messages.map(({ body }) => (body as { n: number }).n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
      world.cut(nyc.name, lon.name);
      await until(() => expect(nyc.stateOf(lon)!.up).toBe(false));
      nyc.peers.send(lon.name, 'lost');
      world.heal(nyc.name, lon.name);
      await allUp();
      nyc.peers.send(lon.name, 'again');
      await until(() => expect(lon.messages.at(-1)).toEqual({ from: 'nyc', body: 'again' }));
      expect(lon.messages).toHaveLength(201);
    });

    test('messages can be sent from within `changed`, as soon as it says that the link is up', async () => {
      const [nyc, lon] = await two();
      const changed = nyc.changed.bind(nyc);
      nyc.changed = (state) => {
        changed(state);
        if (state.up) nyc.peers.send(state.site, 'state of nyc');
      };
      await allUp();
      world.cut(nyc.name, lon.name);
      await until(() => expect(nyc.stateOf(lon)!.up).toBe(false));
      world.heal(nyc.name, lon.name);
      await until(() => expect(lon.messages.at(-1)).toEqual({ from: 'nyc', body: 'state of nyc' }));
    });

    test('a message that the receiver cannot bear costs its connection at most: facts go on', async () => {
      const [nyc, lon] = await two();
      await allUp();
      lon.onMessage = (body) => {
        if (body === 'poison') throw new Error('planted');
      };
      nyc.peers.send(lon.name, 'poison');
      nyc.record(5);
      await until(() => expect(lon.from(nyc)).toHaveLength(5));
      await until(() => {
        nyc.peers.send(lon.name, 'fine');
        expect(lon.messages.at(-1)?.body).toBe('fine');
      });
    });

    test('three sites: each has the facts of both others, and a cut between two leaves the third alone', async () => {
      const [nyc, lon, cpt] = (await start('nyc', 'lon', 'cpt')) as [Site, Site, Site];
      await allUp();
      world.cut(nyc.name, lon.name);
      await until(() => expect([nyc.stateOf(lon)!.up, lon.stateOf(nyc)!.up]).toEqual([false, false]));
      for (const site of sites) site.record(10);
      await until(() =>
        expect([cpt.from(nyc), cpt.from(lon), nyc.from(cpt), lon.from(cpt)].map(({ length }) => length)).toEqual([10, 10, 10, 10]),
      );
      expect([cpt.stateOf(nyc)!.up, cpt.stateOf(lon)!.up]).toEqual([true, true]);
      expect(cpt.changes.filter(({ up }) => !up)).toEqual([]);
      world.heal(nyc.name, lon.name);
      await until(() => expect([nyc.from(lon), lon.from(nyc)].map(({ length }) => length)).toEqual([10, 10]));
    });

    test('a peer that is taken off the list is linked no more; put back, it goes on where it was', async () => {
      const [nyc, lon] = await two();
      await allUp();
      nyc.record(1);
      await until(() => expect(lon.from(nyc)).toHaveLength(1));
      nyc.peers.setPeers([]);
      expect(nyc.peers.states()).toEqual([]);
      await until(() => expect(lon.stateOf(nyc)!.up).toBe(false));
      nyc.record(1);
      await pause(200);
      expect(lon.from(nyc)).toHaveLength(1);
      await link(nyc, lon);
      await allUp();
      await until(() => expect(lon.from(nyc)).toHaveLength(2));
    });

    test('setting the same peers again disturbs no link', async () => {
      const [nyc, lon] = await two();
      await allUp();
      for (let times = 0; times < 5; times++) await link(nyc, lon, nyc);
      await pause(100);
      expect(nyc.changes.filter(({ up }) => !up)).toEqual([]);
      expect(nyc.stateOf(lon)!.up).toBe(true);
    });

    test('a site that closes and starts again is linked again, and nothing it had is sent twice', async () => {
      const [nyc, lon] = await two();
      nyc.record(50);
      await until(() => expect(lon.from(nyc)).toHaveLength(50));
      await lon.peers.close();
      nyc.record(50);
      await until(() => expect(nyc.stateOf(lon)!.up).toBe(false));
      lon.peers = await world.peersOf(lon.name);
      await lon.peers.start(lon);
      await link(lon, nyc);
      await link(nyc, lon);
      await until(() => expect(lon.from(nyc)).toHaveLength(100));
      expect(lon.arrived.get(nyc.name)).toEqual(nyc.own);
    });

    test('closing twice is quiet, and nothing is heard afterwards', async () => {
      const [nyc, lon] = await two();
      await allUp();
      await lon.peers.close();
      await lon.peers.close();
      const heard = lon.changes.length;
      nyc.record(5);
      lon.peers.send(nyc.name, 'too late');
      await pause(100);
      expect([lon.from(nyc), lon.changes.length, nyc.messages]).toEqual([[], heard, []]);
    });
  });
};
