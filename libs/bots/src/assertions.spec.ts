import { describe, expect, it } from 'vitest';
import type { LegId, Stage } from '@isthmus/conference';
import { floorsOf, missingStages, stagesOf, type Watcher } from './assertions.js';
import { roundOf } from './script.js';
import { differences, sightOf } from './sight.js';
import { markOf } from './mark.js';
import type { Measured } from './reception.js';

const [ana, ben, chen] = ['Ana', 'Ben', 'Chen'].map((name) => ({ name, leg: name.toLowerCase() as LegId }));
const present = [ana!, ben!, chen!];
const nameOf = (leg: LegId) => present.find((one) => one.leg === leg)?.name ?? leg;

describe('what a script means for everybody’s screen', () => {
  it('the speaker is large for the others and sees whoever spoke before', () => {
    const floors = floorsOf(roundOf(['Ben', 'Chen']), present);
    expect(floors).toEqual([
      [ben!.leg, ana!.leg, chen!.leg],
      [chen!.leg, ben!.leg, ana!.leg],
    ]);
    expect(stagesOf(chen!.leg, floors)).toEqual([{ main: ben!.leg, thumbnails: [ana!.leg] }]);
    expect(stagesOf(ana!.leg, floors)).toEqual([
      { main: ben!.leg, thumbnails: [chen!.leg] },
      { main: chen!.leg, thumbnails: [ben!.leg] },
    ]);
  });

  it('goes on unchanged when the same person speaks again', () => {
    expect(floorsOf(roundOf(['Ben', 'Ben', 'Ben']), present)).toHaveLength(1);
  });
});

describe('the sequence that somebody was shown', () => {
  const expected: Stage[] = [
    { main: ben!.leg, thumbnails: [chen!.leg] },
    { main: chen!.leg, thumbnails: [ben!.leg] },
  ];
  const watcher = (...stages: (Stage & { shownAt?: number | null })[]): Watcher => ({
    name: 'Ana',
    nameOf,
    stages: stages.map((stage) => ({ toldAt: 1, shownAt: 2, ...stage })),
  });

  it('is right when it is the expected one, whatever stood before', () => {
    expect(missingStages(watcher({ main: null, thumbnails: [] }, ...expected), expected)).toEqual([]);
    expect(missingStages(watcher(...expected), expected, 1)).toEqual([]);
  });

  it.each([
    ['one is missing', [expected[0]!], 'Ana was not told (yet) to show Chen large, Ben small'],
    ['it never began', [{ main: null, thumbnails: [] }], 'Ana was never told to show Ben large, Chen small'],
    [
      'the order is another',
      [expected[0]!, { main: ben!.leg, thumbnails: [] }],
      'Ana should show Chen large, Ben small, but was told to show Ben large',
    ],
    [
      'pictures never came',
      [expected[0]!, { ...expected[1]!, shownAt: null }],
      'Ana was told to show Chen large, Ben small, but those pictures did not arrive',
    ],
    ['it went on', [...expected, { main: null, thumbnails: [] }], 'Ana was told to show nobody large after the script had ended'],
  ])('is told apart when %s', (_, stages, sentence) => {
    expect(missingStages(watcher(...stages), expected)).toEqual([sentence]);
  });
});

describe('what arrives against what should', () => {
  const stage: Stage = { main: ben!.leg, thumbnails: [chen!.leg] };
  const stream = (leg: LegId, more: Partial<Measured> = {}) => ({
    leg,
    measured: {
      mark: markOf(leg),
      layer: 'small',
      size: null,
      framesPerSecond: 12,
      kbps: 20,
      packetsLost: 0,
      lastMs: 0,
      ...more,
    } satisfies Measured,
  });
  const wrong = (...streams: ReturnType<typeof stream>[]) =>
    differences(stage, sightOf(stage, streams), { nameOf, dark: () => false, othersAreWrong: true });

  it('is right when everybody arrives in their layer, or unmarked from a browser', () => {
    expect(wrong(stream(ben!.leg, { layer: 'large' }), stream(chen!.leg))).toEqual([]);
    expect(wrong(stream(ben!.leg, { layer: null, mark: null }), stream(chen!.leg))).toEqual([]);
  });

  it('says what is wrong', () => {
    expect(wrong(stream(ben!.leg))).toEqual([
      'Ben should be large, but arrives small',
      'Chen should be as a thumbnail, but no moving picture arrives',
    ]);
    expect(
      wrong(stream(ben!.leg, { layer: 'large', mark: markOf('ana') }), stream(chen!.leg, { framesPerSecond: 0 }), stream(ana!.leg)),
    ).toEqual([
      "Ben should be large, but the pictures are somebody else's",
      'Chen should be as a thumbnail, but no moving picture arrives',
      'Ana is not on the stage, but arrives',
    ]);
  });

  it('expects no picture of a camera that is off', () => {
    expect(differences(stage, sightOf(stage, []), { nameOf, dark: () => true, othersAreWrong: true })).toEqual([]);
  });
});
