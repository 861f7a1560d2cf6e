import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { crossings, watched } from './crossings.js';
import { stageOf } from './stage.js';
import type { ConferenceView } from './view.js';
import type { LegId } from './words.js';
import { World } from './world.js';

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
