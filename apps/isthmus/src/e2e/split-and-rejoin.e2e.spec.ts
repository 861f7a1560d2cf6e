import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attendee, startBrowser } from '../testing/attendee.js';
import { brokersUnderTest } from '../testing/brokers-under-test.js';
import { GUEST_PIN, ROOM, SplitStory } from '../testing/split-story.js';
import { WorldOfSites } from '../testing/world-of-sites.js';

/**
 * S25, S26: three sites on machines of their own, with real media. The wire between them is cut in the middle of a meeting, for
 * long enough that people come, go and speak on both sides, and is whole again. Where a site is one process, somebody at one of
 * them is there by a real browser; where its services are apart (suite `apart`), a bot has that seat.
 */
const SITES = ['nyc', 'lon', 'cpt'] as const;
const APART_MS = 6_000;
const isApart = brokersUnderTest(SITES.length) !== undefined;
/** Between services apart it is the same link that flaps; what is between them and their broker is on no wire. */
const FLAPS = isApart ? 8 : 20;
let world: WorldOfSites;
let story: SplitStory;
let browser: Browser | undefined;
let ana: Attendee | undefined;

beforeAll(async () => {
  world = await WorldOfSites.start(SITES);
  story = new SplitStory(world);
  await story.begin(2);
  if (isApart) await story.join('nyc');
  else await anaComes();
  await story.isOne();
}, 180_000);
const anaComes = async (): Promise<void> => {
  browser = await startBrowser(undefined, world.browserAt('nyc'));
  ana = await Attendee.at(browser, `${world.site('nyc').gatewayUrl}/r/${ROOM}`, { viewport: { width: 640, height: 400 } });
  await ana.knock('Ana');
  await ana.pin(GUEST_PIN);
  await ana.part('meeting').waitFor();
  story.add('nyc', 'Ana');
};
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** Whom a browser shows in moving pictures. */
const inPictures = async (attendee: Attendee): Promise<string> => {
  const before = await attendee.sees();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const moving = (await attendee.sees()).filter(({ leg, frames }) => frames > (before.find((tile) => tile.leg === leg)?.frames ?? 0));
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
/** What every bot sees, the story asks by itself. */
const anaSeesEverybody = async (): Promise<void> => {
  const attendee = ana;
  if (attendee !== undefined) await expect.poll(() => inPictures(attendee), soon).toBe(everybodyElse());
};

describe('a meeting at three sites', () => {
  it.each([[['nyc']], [['nyc', 'cpt']], [['cpt']]])(
    'goes on at both sides when %j cannot reach the others, and is one again by itself',
    async (some) => {
      const figures = await story.splitAndRejoin(some, APART_MS);
      process.stdout.write(`${JSON.stringify(figures)}\n`);
      await anaSeesEverybody();
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
    await anaSeesEverybody();
    expect(await story.nobodyWasDisconnected()).toEqual([]);
  }, 300_000);
});
