import { createHash } from 'node:crypto';
import { createTimeline, seal, streamNameOf, writerIdOf, type Fact, type SiteId, type Timeline } from '@isthmus/kernel';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { joiningsOf, occasionsOf, openings, type Liveness, type OpeningBody, type Openings } from './openings.js';
import type { ConferenceId } from './words.js';

const RUNS = Number(process.env['ISTHMUS_PROPERTY_RUNS'] ?? 200);
vi.setConfig({ testTimeout: 60_000 + 100 * RUNS });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const [X, Y, Z] = ['x', 'y', 'z'] as ConferenceId[];
const BOTH = new Set(['lon', 'nyc'] as SiteId[]);

/** One site's knowledge of a room's occasions. */
class Door {
  readonly timeline: Timeline<Openings> = createTimeline(openings);
  reach: ReadonlySet<SiteId> = BOTH;
  live = new Map<ConferenceId, Liveness>();

  constructor(readonly site: string) {}

  open(conference: ConferenceId, at: number): this {
    for (const body of openings.decide({ type: 'Open', room: 'r1', conference }, this.timeline.state, this)) this.record(body, at);
    return this;
  }

  /** Somebody is there, at these sites. */
  people(conference: ConferenceId, sites: readonly string[], locked = false): this {
    this.live.set(conference, { sites: new Set(sites as SiteId[]), locked });
    return this;
  }

  record(body: OpeningBody, at: number): Fact {
    const fact = seal(this.timeline.next(streamNameOf('room', 'r1', writerIdOf(this.site as SiteId, 0)), { at, ...body }), sha256);
    this.timeline.add([fact]);
    return fact;
  }

  hear(other: Door): this {
    this.timeline.add(other.timeline.facts());
    return this;
  }

  get occasions() {
    return occasionsOf(this.timeline.state, this);
  }

  /** What a brain does when conferences have become one. */
  settle(at: number): this {
    for (const body of joiningsOf(this.timeline.state, this.occasions)) this.record(body, at);
    return this;
  }
}

const names = (door: Door) => door.occasions.map(({ conferences }) => conferences);

describe('a room', () => {
  it('opens with the first who comes, and is joined by the next', () => {
    const lon = new Door('lon').open(X!, 1);
    expect(names(lon)).toEqual([]); // Nobody has a seat yet.
    lon.people(X!, ['lon']);
    expect(names(lon)).toEqual([[X]]);
    expect(lon.open(Y!, 2).timeline.length).toBe(1);
  });

  it('opens anew under a new id when nobody is there any more: an old lock never shuts tomorrow’s meeting', () => {
    const lon = new Door('lon').open(X!, 1).people(X!, [], true).open(Y!, 2).people(Y!, ['lon']);
    expect(names(lon)).toEqual([[Y]]);
    expect(() => lon.people(Y!, []).open(Y!, 3)).toThrow('used before');
  });

  it('opens anew on one side of a split while the other side goes on', () => {
    const lon = new Door('lon').open(X!, 1).people(X!, ['lon']);
    const nyc = new Door('nyc').hear(lon).people(X!, ['lon']);
    nyc.reach = new Set(['nyc'] as SiteId[]);
    expect(names(nyc.open(Y!, 2).people(Y!, ['nyc']))).toEqual([[Y]]);
    nyc.reach = BOTH;
    expect(nyc.occasions).toEqual([{ name: X, conferences: [X, Y], besides: [] }]);
  });
});

describe('two openings of one room', () => {
  const race = (...locked: readonly ConferenceId[]) => {
    const [lon, nyc] = [new Door('lon').open(X!, 50), new Door('nyc').open(Y!, 10)];
    for (const door of [lon.hear(nyc), nyc.hear(lon)])
      door.people(X!, ['lon'], locked.includes(X!)).people(Y!, ['nyc'], locked.includes(Y!));
    return { lon, nyc };
  };

  it('at the same moment, with a link between, are one meeting under the earlier name at both sites', () => {
    const { lon, nyc } = race();
    expect(lon.occasions).toEqual([{ name: Y, conferences: [Y, X], besides: [] }]);
    expect(nyc.occasions).toEqual(lon.occasions);
  });

  it('at the same moment are one meeting even if one is locked at once: newcomers are held, not split off', () => {
    expect(names(race(X!).lon)).toEqual([[Y, X]]);
  });

  const split = (...locked: readonly ConferenceId[]) => {
    const [lon, nyc] = [new Door('lon'), new Door('nyc')];
    lon.reach = new Set(['lon'] as SiteId[]);
    nyc.reach = new Set(['nyc'] as SiteId[]);
    lon.open(X!, 50);
    nyc.open(Y!, 10);
    for (const door of [lon, nyc]) {
      door.hear(lon).hear(nyc).people(X!, ['lon'], locked.includes(X!)).people(Y!, ['nyc'], locked.includes(Y!));
      door.reach = BOTH;
    }
    return { lon, nyc };
  };

  it('apart become one when the link returns', () => {
    expect(names(split().lon)).toEqual([[Y, X]]);
  });

  it('apart, one of them locked, stay two, and each names the other so that hosts can be told', () => {
    const { lon, nyc } = split(X!);
    expect(lon.occasions).toEqual([
      { name: Y, conferences: [Y], besides: [X] },
      { name: X, conferences: [X], besides: [Y] },
    ]);
    expect(nyc.occasions).toEqual(lon.occasions);
  });

  it('apart are one all the same, for everybody, when people of one site are in both: it can show them one meeting only', () => {
    const { lon, nyc } = split(X!);
    for (const door of [lon, nyc]) door.people(X!, ['lon', 'nyc'], true);
    expect([names(lon), names(nyc)]).toEqual([[[Y, X]], [[Y, X]]]);
    // Whoever does not reach that site has no need to.
    lon.people(X!, ['cpt', 'nyc'], true).people(Y!, ['lon', 'nyc']);
    lon.reach = new Set(['cpt', 'lon'] as SiteId[]);
    expect(names(lon)).toEqual([[Y], [X]]);
  });
  it('that became one stay one, whatever is locked later and whoever leaves', () => {
    const { lon, nyc } = split();
    lon.settle(60);
    expect(lon.settle(61).timeline.length).toBe(3);
    nyc.hear(lon).settle(62);
    expect(nyc.timeline.length).toBe(3);
    expect(names(nyc.people(X!, ['lon'], true))).toEqual([[Y, X]]);
    expect(names(nyc.people(Y!, []))).toEqual([[Y, X]]);
    expect(names(nyc.people(X!, []))).toEqual([]);
  });

  it('are told from a third that came when both were over', () => {
    const { lon } = split();
    lon.settle(60).people(X!, []).people(Y!, []).open(Z!, 70).people(Z!, ['nyc']);
    expect(names(lon)).toEqual([[Z]]);
  });
});

describe('what opens and joins', () => {
  const id = fc.constantFrom(...(['u', 'v', 'w', 'x', 'y'] as ConferenceId[]));
  const world = fc.record({
    opened: fc.array(fc.record({ site: fc.nat(2), at: fc.nat(50), hears: fc.boolean() }), { maxLength: 6 }),
    joined: fc.array(fc.tuple(id, id), { maxLength: 2 }),
    live: fc.array(fc.tuple(id, fc.subarray(['cpt', 'lon', 'nyc']), fc.boolean()), { maxLength: 6 }),
  });

  it('is decided alike at every site, and every conference that lives in reach is in exactly one occasion', () =>
    fc.assert(
      fc.property(world, ({ opened, joined, live }) => {
        const doors = ['cpt', 'lon', 'nyc'].map((site) => new Door(site));
        const all = new Set(['cpt', 'lon', 'nyc'] as SiteId[]);
        opened.forEach(({ site, at, hears }, i) => {
          const door = doors[site]!;
          if (hears) for (const other of doors) door.hear(other);
          door.reach = hears ? all : new Set([door.site as SiteId]);
          door.open('uvwxyz'[i] as ConferenceId, at);
        });
        for (const door of doors) door.reach = all;
        for (const conferences of joined) doors[0]!.record({ type: 'ConferencesJoined', v: 1, by: 'system', body: { conferences } }, 60);
        for (const door of doors) {
          for (const other of doors) door.hear(other);
          for (const [conference, sites, locked] of live) door.people(conference, sites, locked);
        }
        const [first, ...others] = doors;
        for (const other of others) expect(other.occasions).toEqual(first!.occasions);

        const known = new Set(first!.timeline.state.opened.map(({ conference }) => conference));
        const alive = [...first!.live]
          .filter(([conference, { sites }]) => known.has(conference) && sites.size > 0)
          .map(([conference]) => conference);
        const placed = names(first!).flat();
        expect(new Set(placed).size).toBe(placed.length);
        for (const conference of alive) expect(placed).toContain(conference);
        for (const { name, conferences } of first!.occasions) expect(name).toBe(conferences[0]);
        const sites = names(first!).flatMap((ids) => [...new Set(ids.flatMap((one) => [...(first!.live.get(one)?.sites ?? [])]))]);
        expect(new Set(sites).size).toBe(sites.length);
      }),
      { numRuns: RUNS },
    ));

  it('reads nothing out of what is not an opening', () => {
    const door = new Door('lon');
    for (const body of [null, 1, [], {}, { conference: 7 }, { conferences: 'xy' }, { conference: 'x', room: '', reach: [] }])
      for (const type of ['ConferenceOpened', 'ConferencesJoined', 'RoomPainted'])
        door.record({ type, v: 1, by: 'system', body } as unknown as OpeningBody, 1);
    expect(door.timeline.state).toEqual({ opened: [], joined: [] });
  });
});
