import { setTimeout as sleep } from 'node:timers/promises';
import { personaOf, startBot } from '@isthmus/bots';
import { startBareSfu } from './bare/bare-sfu.mjs';
import { startBrowser } from './lib/browser.mjs';
import { prepareClips } from './lib/clips.mjs';
import { startDemo } from './lib/demo.mjs';
import { clickToFrame, enterMeeting } from './lib/meeting-page.mjs';
import { percentile } from './lib/statistics.mjs';

/**
 * From the click on Join until the browser hands the first frame of somebody else to its compositor, in a real Chromium with the
 * meeting client, at a site where one bot is in the room. Compared with the least page that can be, on a bare mediasoup with the
 * same bot, by the same browser: the two take turns, so that both get the same machine. Each join is a new browser context; the
 * door (connection to the site, camera) is open before the click, as it is for people.
 */
export const title = 'Join click to first frame';
export const seconds = 110;

const GOAL_P95_MS = 250;
const GOAL_TIMES_BARE = 2;

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./figures.mjs').Benchmark['run']} */
export const run = async (context) => {
  const joins = context.quick ? 5 : 20;
  await prepareClips(context, 1);
  const sfu = await startBareSfu(context);
  const demo = await startDemo(context, { sites: 1 });
  const [site] = demo.sites;
  if (!site) throw new Error('The demo has no site.');
  const browser = await startBrowser(context);
  const persona = personaOf(0);
  const bots = [
    await startBot({ gatewayUrl: site.gatewayUrl, alias: demo.alias, persona, receive: 'count' }),
    await startBot({ gatewayUrl: sfu.url, alias: 'bare', persona, receive: 'count' }),
  ];
  context.atEnd(() => Promise.all(bots.map((bot) => bot.leave())));
  // A camera that sends both of its layers all the time, as bare mediasoup has it.
  const leg = String(bots[1]?.leg);
  sfu.looks([
    { viewer: 'page', leg, layer: 'large' },
    { viewer: 'page', leg, layer: 'small' },
  ]);

  const ways = {
    ours: { url: `${site.meetUrl}/r/${demo.alias}`, enter: enterMeeting },
    bare: { url: sfu.url, enter: enterBare },
  };
  /** The meeting client's own marks on the way, ms since the click. @type {Record<string, number>[]} */
  const steps = [];
  const samples = { ours: /** @type {number[]} */ ([]), bare: /** @type {number[]} */ ([]) };
  for (let join = -1; join < joins; join++) {
    for (const way of /** @type {const} */ (['bare', 'ours'])) {
      context.note(join < 0 ? 'warming up' : `join ${join + 1} of ${joins}, ${way}`);
      const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
      try {
        await page.goto(ways[way].url);
        await ways[way].enter(page, join);
        const marks = await clickToFrame(page);
        if (join < 0) continue;
        samples[way].push(marks['first-frame'] ?? NaN);
        if (way === 'ours') steps.push(marks);
      } finally {
        await page.context().close();
      }
      // Whoever left is out of the meeting before the next one comes.
      await sleep(300);
    }
  }
  const [sample] = steps;
  if (!sample) throw new Error('Nobody joined.');
  const way = Object.keys(sample).map(
    (step) =>
      `${step} ${Math.round(
        percentile(
          steps.flatMap((each) => each[step] ?? []),
          0.5,
        ),
      )}`,
  );
  const at = (/** @type {number} */ share) => ({ ours: percentile(samples.ours, share), bare: percentile(samples.bare, share) });
  const [p50, p95] = [at(0.5), at(0.95)];
  const name = 'join click to first frame';
  return [
    {
      name: `${name}, p50`,
      value: p50.ours,
      unit: 'ms',
      anchor: { name: 'bare mediasoup', value: p50.bare },
      note: `${joins} joins each; medians ${way.join(', ')}`,
    },
    {
      name: `${name}, p95`,
      value: p95.ours,
      unit: 'ms',
      goal: { atMost: GOAL_P95_MS },
      anchor: { name: 'bare mediasoup', value: p95.bare },
    },
    { name: `${name}, p50 in bare mediasoup’s`, value: p50.ours / p50.bare, unit: '×', goal: { atMost: GOAL_TIMES_BARE } },
    { name: `${name}, p95 in bare mediasoup’s`, value: p95.ours / p95.bare, unit: '×', goal: { atMost: GOAL_TIMES_BARE } },
  ];
};

/** @param {Page} page */
const enterBare = async (page) => {
  await page.locator('body[data-state=ready]').waitFor();
  await page.locator('button').click();
};
