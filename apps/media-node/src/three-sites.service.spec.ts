import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Bot, eventually, personaOf, startBot } from '@isthmus/bots';
import { TestMeeting } from './testing/meeting.js';

const HD_KBPS = 300;
let meeting: TestMeeting;
const bots: Bot[] = [];
const arrive = async (site: string) => {
  const bot = await startBot({ gatewayUrl: meeting.gatewayUrl(site), alias: 'standup', persona: personaOf(bots.length), hdKbps: HD_KBPS });
  bots.push(bot);
  return bot;
};
const allSeeRightly = () => eventually(() => bots.flatMap((bot) => bot.missing()), 40_000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Video that one node sent another in some seconds, in units of what a bot sent of its large layer meanwhile. */
const unitsOver = async (from: string, to: string, speaker: Bot, seconds: number) => {
  const read = () => ({ pipe: meeting.pipe(from, to)?.sent.videoBytes ?? 0, large: speaker.sent.large.octets });
  const before = read();
  await pause(seconds * 1_000);
  const after = read();
  return (after.pipe - before.pipe) / (after.large - before.large);
};

beforeAll(async () => {
  meeting = await TestMeeting.start({ nyc: 2, lon: 1, cpt: 1 });
  for (const site of ['nyc', 'nyc', 'nyc', 'lon', 'lon', 'cpt']) await arrive(site);
}, 120_000);
afterAll(async () => {
  await Promise.all(bots.map((bot) => bot.leave()));
  await meeting?.close();
});

describe('a meeting over four nodes in three sites', () => {
  it('shows everyone the same stage, told by the pictures themselves', async () => {
    meeting.followVoices = false;
    await meeting.floor(bots[3]!.leg);
    await meeting.floor(bots[0]!.leg);
    await allSeeRightly();
  });

  it('carries each layer once between sites, however many look at it there', async () => {
    await pause(8_000); // Until every layer has been shown once, and those that nobody looks at have ceased.
    // Ana in New York speaks, Dina in London spoke before: London sees Ana large and two thumbnails.
    await vi.waitFor(() => {
      expect(meeting.pipe('nyc-0', 'lon-0')).toMatchObject({ large: 1, small: 2 });
      expect(meeting.pipe('lon-0', 'nyc-0')).toMatchObject({ large: 1, small: 2 });
      expect(meeting.pipe('lon-0', 'cpt-0')).toMatchObject({ large: 0, small: 2 });
    }, 30_000);
    // One large and two small, seen through reports that are up to a second old; any layer twice would be far more.
    const units = await unitsOver('nyc-0', 'lon-0', bots[0]!, 10);
    expect(units).toBeGreaterThan(0.9);
    expect(units).toBeLessThan(1.5);
  });

  it('follows the voice to every site, and nobody misses its first syllable', async () => {
    meeting.followVoices = true;
    for (const n of [4, 1, 5, 0, 4]) {
      const speaker = bots[n]!;
      const others = bots.filter((bot) => bot !== speaker);
      const [see, hear] = [new Set<Bot>(), new Set<Bot>()];
      speaker.speak(20_000);
      const look = (bot: Bot) => {
        const { main } = bot.sees();
        if (main?.leg === speaker.leg && main.layer === 'large') see.add(bot);
        if (bot.hears().some(({ leg, firstPart }) => leg === speaker.leg && firstPart === 0)) hear.add(bot);
      };
      const missing = (bot: Bot) => [
        ...(see.has(bot) ? [] : [`${bot.name} does not see ${speaker.name} large`]),
        ...(hear.has(bot) ? [] : [`${bot.name} missed the first syllable of ${speaker.name}`]),
      ];
      await eventually(() => {
        others.forEach(look);
        return others.flatMap(missing);
      }, 20_000);
      speaker.quiet();
      await pause(1_500);
    }
  }, 180_000);

  it('joins its pipes again when a node comes back after a crash, and shows everyone the same stage', async () => {
    await meeting.restartNode('lon-0');
    await allSeeRightly();
  });
});
