import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SplitStory, type SplitFigures } from '../testing/split-story.js';
import { WorldOfSites } from '../testing/world-of-sites.js';

/** S25, S26 as often and as long as it takes to say how fast: at least twenty cuts, a minute apart each. */
const SITES = ['nyc', 'lon', 'cpt'] as const;
const CUTS = 21;
const APART_MS = 60_000;
const HALVES = [['nyc'], ['lon'], ['cpt']] as const;
let world: WorldOfSites;
let story: SplitStory;

beforeAll(async () => {
  world = await WorldOfSites.start(SITES);
  story = new SplitStory(world);
  await story.begin(2);
}, 180_000);
afterAll(() => world?.close());

/** Nearest rank: always one that was measured. */
const percentile = (samples: readonly number[], share: number): number =>
  samples.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * samples.length) - 1)]!;

describe('a meeting at three sites', () => {
  it(`is one again after each of ${CUTS} splits of a minute`, async () => {
    const figures: SplitFigures[] = [];
    for (let n = 0; n < CUTS; n += 1) {
      figures.push(await story.splitAndRejoin(HALVES[n % HALVES.length]!, APART_MS));
      await story.isEqualEverywhere();
      expect(await story.nobodyWasDisconnected()).toEqual([]);
    }
    for (const [what, of] of [
      ['split noticed', (each: SplitFigures) => each.noticedMs],
      ['unreachable people off stage', (each: SplitFigures) => each.offStageMs],
      ['one meeting again with pictures', (each: SplitFigures) => each.againMs],
      ['longest local gap, less own stalls', (each: SplitFigures) => each.localGapMs - each.stallMs],
    ] as const) {
      const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => Math.round(percentile(figures.map(of), share)));
      process.stdout.write(`${what}: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms (${figures.length} cuts)\n`);
    }
  });
});
