import { createHash } from 'node:crypto';
import type { SiteId } from '@isthmus/kernel';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { crossings, watched } from './crossings.js';
import { stageOf, THUMBNAILS_MAX } from './stage.js';
import type { ConferenceView } from './view.js';
import { legIdOf, type ConferenceId, type LegId, type PersonId } from './words.js';
import { World } from './world.js';

const RUNS = Number(process.env['ISTHMUS_PROPERTY_RUNS'] ?? 200);
vi.setConfig({ testTimeout: 60_000 + 100 * RUNS });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** People at sites, who then speak one after the other; looked at from the first site when everybody knows. */
const meeting = (seats: Readonly<Record<string, number>>, ...speakers: readonly string[]): ConferenceView => {
  const world = new World(sha256, ...Object.keys(seats));
  for (const [site, count] of Object.entries(seats))
    for (let n = 0; n < count; n++) world.at(site).join(`${site}-${n}`, 'guest', { leg: `${n}` });
  world.heal();
  for (const speaker of speakers) {
    world.at(speaker.slice(0, speaker.indexOf('-'))).handle({ type: 'TakeFloor', leg: speaker as LegId });
    world.heal();
  }
  return world.at(Object.keys(seats)[0]!).view;
};

const perLink = (view: ConferenceView) =>
  Object.fromEntries(crossings(view).map(({ from, to, large, small }) => [`${from}>${to}`, `${large.length} HD + ${small.length} T`]));

describe('the white paper, by the rule', () => {
  it('figure 3: six people at two sites, the current speaker in New York and the previous one in London (S12, S14)', () => {
    expect(perLink(meeting({ nyc: 3, lon: 3 }, 'lon-0', 'nyc-0'))).toEqual({ 'nyc>lon': '1 HD + 2 T', 'lon>nyc': '1 HD + 3 T' });
  });

  it('figure 3 counted as drawn: without the thumbnail of whoever crosses in HD, two thumbnails each way (S12)', () => {
    const view = meeting({ nyc: 3, lon: 3 }, 'lon-0', 'nyc-0');
    const figure = crossings(view).map(({ large, small }) => [large.length, small.filter((leg) => !large.includes(leg)).length]);
    expect(figure).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('current and previous speaker at one site: no HD comes back (S12)', () => {
    expect(perLink(meeting({ nyc: 3, lon: 3 }, 'nyc-1', 'nyc-0'))).toEqual({ 'nyc>lon': '1 HD + 2 T', 'lon>nyc': '0 HD + 3 T' });
  });

  it('figure 4: eight people at three sites (S20 to S23)', () => {
    expect(perLink(meeting({ nyc: 3, lon: 3, cpt: 2 }, 'lon-0', 'nyc-0'))).toEqual({
      'nyc>lon': '1 HD + 2 T',
      'lon>nyc': '1 HD + 3 T',
      'nyc>cpt': '1 HD + 2 T',
      'cpt>nyc': '0 HD + 2 T',
      'lon>cpt': '0 HD + 3 T',
      'cpt>lon': '0 HD + 2 T',
    });
  });

  it('names whoever is large and small on one link in both lists (S15)', () => {
    const toNewYork = crossings(meeting({ nyc: 3, lon: 3 }, 'lon-0', 'nyc-0')).find(({ from }) => from === 'lon');
    expect(toNewYork?.large).toEqual(['lon-0']);
    expect(toNewYork?.small).toContain('lon-0');
  });
});

describe('who sees whom', () => {
  it('everybody sees the current speaker large, and the current speaker the previous one, never themself (S17, S18)', () => {
    const { byRecency } = meeting({ nyc: 3 }, 'nyc-1', 'nyc-0');
    expect(stageOf('nyc-0' as LegId, byRecency).main).toBe('nyc-1');
    expect(stageOf('nyc-1' as LegId, byRecency).main).toBe('nyc-0');
    expect(stageOf('nyc-2' as LegId, byRecency)).toEqual({ main: 'nyc-0', thumbnails: ['nyc-1'] });
  });

  it('the seven who spoke most recently are the thumbnails, in that order, and a ninth is not shown (S17, S19)', () => {
    const spoke = Array.from({ length: 10 }, (_, n) => `nyc-${n}`);
    const { byRecency } = meeting({ nyc: 11 }, ...spoke);
    expect(stageOf('nyc-10' as LegId, byRecency)).toEqual({
      main: 'nyc-9',
      thumbnails: ['nyc-8', 'nyc-7', 'nyc-6', 'nyc-5', 'nyc-4', 'nyc-3', 'nyc-2'],
    });
  });

  it('a publisher whom nobody watches is asked for nothing', () => {
    const view = meeting(
      { nyc: 6, lon: 6 },
      ...Array.from({ length: 6 }, (_, n) => `nyc-${n}`),
      ...Array.from({ length: 6 }, (_, n) => `lon-${n}`),
    );
    const { large, small } = watched(view);
    expect([...large]).toEqual(['lon-5', 'lon-4']);
    expect(small.has('nyc-0' as LegId)).toBe(false);
    expect(small.size).toBe(8);
  });
});

describe('any conference', () => {
  const SITES = ['cpt', 'lon', 'nyc', 'sin', 'tok'];

  /** The same people at so many sites, who speak by one script; what each then sees after every word, by name. */
  const sequenceOf = (people: number, sites: number, script: readonly number[]) => {
    const world = new World(sha256, ...SITES.slice(0, sites));
    const homeOf = (n: number) => world.at(SITES[n % sites]!);
    const legs = Array.from({ length: people }, (_, n) => {
      const leg = homeOf(n).join(`p${n}`);
      world.heal();
      return leg;
    });
    const nameOf = new Map(legs.map((leg, n) => [leg, `p${n}`]));
    const named = (leg: LegId | null) => (leg === null ? null : nameOf.get(leg));
    return script.map((speaker) => {
      homeOf(speaker).handle({ type: 'TakeFloor', leg: legs[speaker]! });
      world.heal();
      return legs.map((leg, n) => {
        const { main, thumbnails } = stageOf(leg, homeOf(n).view.byRecency);
        return { main: named(main), thumbnails: thumbnails.map(named) };
      });
    });
  };

  it('looks the same to each viewer on 1, 2, 3 and 5 sites (S16)', () => {
    const script = [3, 0, 10, 3, 7, 1, 1, 9, 0, 5, 2, 8, 4, 6, 0];
    const onOneSite = sequenceOf(11, 1, script);
    for (const sites of [2, 3, 5]) expect(sequenceOf(11, sites, script)).toEqual(onOneSite);
  });

  const people = fc.array(fc.nat(4), { minLength: 1, maxLength: 50, size: 'max' });
  it('crosses no link with more than one HD and eight thumbnails, up to 50 people at five sites (S24b)', () =>
    fc.assert(
      fc.property(people, fc.array(fc.nat(49), { maxLength: 30 }), fc.array(fc.nat(49), { maxLength: 10 }), (homes, speakers, dark) => {
        const seats = homes.map((home, n) => {
          const site = SITES[home] as SiteId;
          return {
            leg: legIdOf(site, `${n}`),
            person: `p${n}` as PersonId,
            name: `p${n}`,
            site,
            role: 'guest' as const,
            muted: false as const,
            cameraOff: dark.includes(n),
            held: false,
            inReach: true,
          };
        });
        const spoken = speakers.flatMap((n) => seats[n]?.leg ?? []);
        const byRecency = [...new Set([...spoken, ...seats.map(({ leg }) => leg)])];
        const view = {
          conference: 'c' as ConferenceId,
          room: 'r',
          site: 'cpt' as SiteId,
          version: { epoch: 0, revision: 0 },
          started: true,
          locked: false,
          seats,
          waiting: [],
          byRecency,
          floor: spoken[0] ?? null,
        };

        for (const { from, to, large, small } of crossings(view)) {
          expect(large.length).toBeLessThanOrEqual(1);
          expect(small.length).toBeLessThanOrEqual(THUMBNAILS_MAX + 1);
          // And what crosses is exactly what somebody there sees.
          const stages = seats.filter(({ site }) => site === to).map(({ leg }) => stageOf(leg, byRecency));
          const shown = (leg: LegId) => seats.some((seat) => seat.leg === leg && seat.site === from && !seat.cameraOff);
          expect(new Set(large)).toEqual(new Set(stages.map(({ main }) => main).filter((leg) => leg !== null && shown(leg))));
          expect(new Set(small)).toEqual(new Set(stages.flatMap(({ thumbnails }) => thumbnails).filter(shown)));
        }
      }),
      { numRuns: RUNS },
    ));

  it('with 50 people who all have spoken fills one HD and eight thumbnails from the site of the last nine', () => {
    const view = meeting({ lon: 25, nyc: 25 }, ...Array.from({ length: 10 }, (_, n) => `nyc-${n}`));
    expect(perLink(view)).toEqual({ 'nyc>lon': '1 HD + 7 T', 'lon>nyc': '0 HD + 0 T' });
    const mixed = meeting({ lon: 25, nyc: 25 }, ...Array.from({ length: 8 }, (_, n) => `nyc-${n}`), 'lon-0');
    expect(perLink(mixed)).toEqual({ 'nyc>lon': '1 HD + 8 T', 'lon>nyc': '1 HD + 0 T' });
  });

  it('keeps the place on stage of whoever has their camera off, and sends no picture', () => {
    const world = new World(sha256, 'lon', 'nyc');
    const [ana, bo] = [world.at('lon').join('ana'), world.at('nyc').join('bo')];
    world.at('nyc').handle({ type: 'TakeFloor', leg: bo }).handle({ type: 'camera-off', leg: bo, by: bo });
    world.heal();
    const { view } = world.at('lon');
    expect(stageOf(ana, view.byRecency).main).toBe(bo);
    expect(perLink(view)).toEqual({ 'nyc>lon': '0 HD + 0 T', 'lon>nyc': '1 HD + 0 T' });
  });
});
