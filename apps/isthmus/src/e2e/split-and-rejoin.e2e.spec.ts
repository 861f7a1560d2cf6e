import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attendee, startBrowser } from '../testing/attendee.js';
import { GUEST_PIN, ROOM, SplitStory } from '../testing/split-story.js';
import { WorldOfSites } from '../testing/world-of-sites.js';

/**
 * S25, S26: three sites on machines of their own, with real media and a real browser at one of them. The wire between them is
 * cut in the middle of a meeting, for long enough that people come, go and speak on both sides, and is whole again.
 */
const SITES = ['nyc', 'lon', 'cpt'] as const;
const APART_MS = 6_000;
const FLAPS = 20;
let world: WorldOfSites;
let story: SplitStory;
let browser: Browser;
let ana: Attendee;

beforeAll(async () => {
  world = await WorldOfSites.start(SITES);
  story = new SplitStory(world);
  await story.begin(2);
  browser = await startBrowser(undefined, world.browserAt('nyc'));
  ana = await Attendee.at(browser, `${world.site('nyc').gatewayUrl}/r/${ROOM}`, { viewport: { width: 640, height: 400 } });
  await ana.knock('Ana');
  await ana.pin(GUEST_PIN);
  await ana.part('meeting').waitFor();
  story.add('nyc', 'Ana');
  await story.isOne();
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** Whom the browser shows in moving pictures. */
const inPictures = async (): Promise<string> => {
  const before = await ana.sees();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const moving = (await ana.sees()).filter(({ leg, frames }) => frames > (before.find((tile) => tile.leg === leg)?.frames ?? 0));
  return moving
    .map(({ name }) => name)
    .toSorted()
    .join();
};
const everybodyElse = () =>
  story.all
    .filter((name) => name !== 'Ana')
    .toSorted()
    .join();
const soon = { timeout: 90_000, interval: 250 };

describe('a meeting at three sites', () => {
  it.each([[['nyc']], [['nyc', 'cpt']], [['cpt']]])(
    'goes on at both sides when %j cannot reach the others, and is one again by itself',
    async (some) => {
      const figures = await story.splitAndRejoin(some, APART_MS);
      process.stdout.write(`${JSON.stringify(figures)}\n`);
      await expect.poll(inPictures, soon).toBe(everybodyElse());
      await story.isEqualEverywhere();
      expect(await story.nobodyWasDisconnected()).toEqual([]);
      // A second is promised, on a machine that has nothing else to do; a decoder waits no longer for a picture than this.
      expect(figures.localGapMs - figures.stallMs).toBeLessThan(4_000);
    },
    300_000,
  );

  it(`has neither ghosts nor doubles after the wire has come and gone ${FLAPS} times`, async () => {
    for (let n = 0; n < FLAPS; n += 1) {
      // From a blink that nobody notices to a loss that everybody sees.
      const [some, others] = n % 2 === 0 ? [['nyc'], ['lon', 'cpt']] : [['lon'], ['nyc', 'cpt']];
      await world.wire.cut(some, others);
      await new Promise((resolve) => setTimeout(resolve, 200 + (n % 5) * 500));
      await world.wire.heal();
      await new Promise((resolve) => setTimeout(resolve, 300 + (n % 3) * 300));
    }
    await story.isOne();
    await story.isEqualEverywhere();
    await expect.poll(inPictures, soon).toBe(everybodyElse());
    expect(await story.nobodyWasDisconnected()).toEqual([]);
  }, 300_000);
});
