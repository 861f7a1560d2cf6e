import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, fakeCameraFile, fakeMicrophoneFile, personaOf, scriptOf, startBot, type Bot, type Persona } from '@isthmus/bots';
import { stageOf } from '@isthmus/conference';
import { Attendee, startBrowser, type TileSeen } from '../testing/attendee.js';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/**
 * The product as a newcomer meets it: one command, then the same link in real browsers at three sites. Who is in a picture is
 * read from its decoded pixels, not from what the page or a server says.
 */
let demo: DemoUnderTest;
let folder: string;

/** Everybody says one thing in turn, again and again; with enough silence between for three browsers' clocks. */
const PEOPLE = [personaOf(0), personaOf(1), personaOf(2)] as const;
const SITES = ['nyc', 'lon', 'cpt'] as const;
const TURN_MS = 6_000;
const SPEECH_MS = 3_500;
const ROUND = scriptOf(PEOPLE.map(({ name }, at) => ({ who: name, atMs: at * TURN_MS, forMs: SPEECH_MS })));
/**
 * A turn comes around within a round; the rest is for a machine that has other things to do: starved for 1.5 s, sites lose sight
 * of each other, and come together again.
 */
const SOON_MS = 60_000;
const NEXT_TURN_MS = 3 * TURN_MS + SOON_MS;
/** Of the longest story below; it takes half a minute on a machine that is free. */
const STORY_MS = 4 * NEXT_TURN_MS;

/**
 * The widest that a browser's small layer is, from a camera of 640 x 360: a quarter. Its large layer is the whole, or half as wide
 * while its encoder is short of processor time.
 */
const SMALL_WIDTH = 160;
/** What bots send. */
const BOT_LARGE = { width: 1_280 };
const BOT_SMALL = { width: 320 };

const linkAt = (site: string): string => `${demo.plan.sites.find(({ id }) => id === site)!.meetUrl}/r/demo`;

const devicesOf = async (person: Persona) => ({
  camera: await fakeCameraFile(person),
  microphone: await fakeMicrophoneFile(person, ROUND, join(folder, `${person.number}.wav`), { tailMs: TURN_MS - SPEECH_MS }),
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'three-browsers-'));
  demo = await startDemoUnderTest({ port: 21_000 });
});
afterAll(async () => {
  await demo?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

describe('three browsers at three sites', { timeout: STORY_MS }, () => {
  const browsers: Browser[] = [];
  const attendees: Attendee[] = [];
  const [ana, ben, chen] = PEOPLE;

  beforeAll(async () => {
    for (const [at, person] of PEOPLE.entries()) {
      const browser = await startBrowser(await devicesOf(person));
      browsers.push(browser);
      const circumstances = { asksForDevices: true, viewport: { width: 800, height: 500 } };
      attendees.push(await Attendee.at(browser, linkAt(SITES[at]!), circumstances));
    }
    // Their scripts begin when the microphones open: together.
    await Promise.all(attendees.map((attendee) => attendee.allowDevices()));
    await Promise.all(attendees.map((attendee, at) => attendee.enter(PEOPLE[at]!.name)));
  });
  afterAll(() => Promise.all(browsers.map((browser) => browser.close())));

  const screens = () => Promise.all(attendees.map((attendee) => attendee.sees()));
  const personaIn = (tiles: readonly TileSeen[], role: string) => tiles.filter((tile) => tile.role === role).map(({ persona }) => persona);
  const nameOf = (number: number | null | undefined) => PEOPLE.find((person) => person.number === number)?.name ?? 'nobody';

  /** Who is large for Ana, for Ben and for Chen, by pixels, until it is as told; sentences otherwise. */
  const larges = async (
    forAna: Persona,
    forBen: Persona,
    forChen: Persona,
    deadlineMs: number,
    onLook?: (seen: readonly TileSeen[][]) => void,
  ) => {
    await eventually(async () => {
      const seen = (await screens()).map((tiles) => [...tiles]);
      onLook?.(seen);
      return [forAna, forBen, forChen].flatMap(({ number, name }, at) => {
        const [large] = personaIn(seen[at]!, 'main');
        return large === number ? [] : [`${PEOPLE[at]!.name} sees ${nameOf(large)} large where ${name} should be`];
      });
    }, deadlineMs);
  };

  it('shows everybody the others, one large and one small, live', async () => {
    const before = await screens();
    await eventually(async () => {
      const seen = await screens();
      return seen.flatMap((tiles, at) => {
        const viewer = PEOPLE[at]!;
        const others = PEOPLE.filter((person) => person !== viewer);
        const framesBefore = (leg: string) => before[at]!.find((tile) => tile.leg === leg)?.frames ?? 0;
        const [large] = tiles.filter(({ role }) => role === 'main');
        return [
          ...others
            .filter(({ number }) => tiles.filter(({ persona }) => persona === number).length !== 1)
            .map(({ name }) => `${viewer.name} does not see ${name}`),
          ...(tiles.length === 2 ? [] : [`${viewer.name} sees ${tiles.length} pictures`]),
          ...((large?.width ?? 0) > SMALL_WIDTH ? [] : [`${viewer.name}'s large picture is ${large?.width ?? 0} px wide`]),
          ...tiles
            .filter(({ leg, frames }) => frames < framesBefore(leg) + 20)
            .map(({ name }) => `${viewer.name}'s picture of ${name} does not move`),
        ];
      });
    }, SOON_MS);
    // What the page writes under a picture is who is in it.
    for (const tiles of await screens()) {
      for (const { name, persona } of tiles) if (persona !== null) expect(nameOf(persona)).toBe(name);
    }
  });

  it('follows the voice at all three, and shows the speaker the one before', async () => {
    await larges(chen, ana, ana, NEXT_TURN_MS);
    await larges(ben, ana, ben, NEXT_TURN_MS);
    await larges(chen, chen, ben, NEXT_TURN_MS);
  });

  it('gives the floor to nobody who is muted', async () => {
    await attendees[1]!.page.keyboard.press('m');
    // Ben's last turn may be under way; after Ana's next one he is behind both others.
    await larges(chen, ana, ana, NEXT_TURN_MS);
    const benWasLarge: string[] = [];
    // Chen's turn comes after Ben's. Had Ben had the floor in between, Chen would see him now, and not Ana.
    await larges(chen, chen, ana, NEXT_TURN_MS, (seen) =>
      seen.forEach((tiles, at) => personaIn(tiles, 'main').includes(ben.number) && benWasLarge.push(PEOPLE[at]!.name)),
    );
    expect(benWasLarge).toEqual([]);
    await attendees[1]!.page.keyboard.press('m');
    await larges(ben, ana, ben, NEXT_TURN_MS);
  });

  it('has somebody back who loads the page again', async () => {
    const again = attendees[1]!;
    await again.page.reload();
    await again.allowDevices();
    await again.part('join').click();
    await again.part('meeting').waitFor();
    await again.page.keyboard.press('m');
    await eventually(async () => {
      const [forAna, forBen, forChen] = await screens();
      return [
        ...[forAna, forChen].flatMap((tiles, at) =>
          tiles!.filter(({ persona }) => persona === ben.number).length === 1 && tiles!.length === 2
            ? []
            : [`${[ana, chen][at]!.name} does not see Ben exactly once`],
        ),
        ...[ana, chen]
          .filter(({ number }) => !forBen!.some(({ persona }) => persona === number))
          .map(({ name }) => `Ben does not see ${name}`),
      ];
    }, SOON_MS);
  });

  it('takes somebody who leaves from the screens of the others', async () => {
    await attendees[2]!.page.keyboard.press('l');
    await attendees[2]!.part('confirm-leave').click();
    await attendees[2]!.part('ended').waitFor();
    await eventually(async () => {
      const [forAna, forBen] = await screens();
      return [
        ...(forAna!.length === 1 && personaIn(forAna!, 'main')[0] === ben.number ? [] : ['Ana does not see Ben alone']),
        ...(forBen!.length === 1 && personaIn(forBen!, 'main')[0] === ana.number ? [] : ['Ben does not see Ana alone']),
      ];
    }, SOON_MS);
  });
});

describe('one browser at New York among nine bots at London and Cape Town', { timeout: STORY_MS }, () => {
  const you = personaOf(0);
  const cast = Array.from({ length: 9 }, (_, n) => personaOf(n + 1));
  let browser: Browser;
  let viewer: Attendee;
  const bots: Bot[] = [];

  beforeAll(async () => {
    browser = await startBrowser({
      camera: await fakeCameraFile(you),
      microphone: await fakeMicrophoneFile(you, ROUND, join(folder, 'silence.wav'), { as: 'nobody' }),
    });
    viewer = await Attendee.at(browser, linkAt('nyc'));
    await viewer.enter(you.name);
    // One after the other: who has not spoken yet is shown in the order of joining.
    for (const [at, persona] of cast.entries())
      bots.push(
        await startBot({ gatewayUrl: demo.gateway(at % 2 === 0 ? 'lon' : 'cpt'), alias: 'demo', persona, hdKbps: 300, receive: 'count' }),
      );
  });
  afterAll(async () => {
    await Promise.all(bots.map((bot) => bot.leave()));
    await browser?.close();
  });

  /** Whoever has spoken, most recent first, then in order of joining. */
  let byRecency: Bot[] = [];
  const speaks = async (bot: Bot) => {
    bot.speak(3_000);
    await eventually(
      () => bots.filter(({ view }) => view.floor !== bot.leg).map(({ name }) => `${name} has not heard that ${bot.name} speaks`),
      SOON_MS,
    );
    bot.quiet();
    byRecency = [bot, ...byRecency.filter((other) => other !== bot)];
  };
  const showsTheStage = () => {
    const own = bots[0]!.view.roster.find(({ name }) => name === you.name)!.leg;
    const { main, thumbnails } = stageOf(
      own,
      byRecency.map(({ leg }) => leg),
    );
    const wanted = [main, ...thumbnails].map((leg) => bots.find((bot) => bot.leg === leg)!);
    return eventually(async () => {
      const tiles = await viewer.sees();
      return [
        ...(tiles.length === wanted.length ? [] : [`${tiles.length} pictures are there instead of ${wanted.length}`]),
        ...wanted.flatMap(({ name, persona }, position) => {
          const tile = tiles[position];
          const size = position === 0 ? BOT_LARGE : BOT_SMALL;
          if (tile?.position !== position || tile.persona !== persona.number)
            return [
              `at place ${position} there is ${cast.find(({ number }) => number === tile?.persona)?.name ?? 'nobody'} instead of ${name}`,
            ];
          return tile.width === size.width ? [] : [`${name} comes ${tile.width} px wide instead of ${size.width}`];
        }),
      ];
    }, SOON_MS);
  };

  it('shows the speaker large and seven others small, in order of speech and then of joining, and the ninth not', async () => {
    byRecency = [...bots];
    for (const at of [3, 6, 8]) await speaks(bots[at]!);
    await showsTheStage();
    const tiles = await viewer.sees();
    expect(tiles.map(({ role }) => role)).toEqual(['main', ...Array.from({ length: 7 }, () => 'thumbnail')]);
    expect(tiles.map(({ persona }) => persona)).not.toContain(bots[7]!.persona.number);
  });

  it('makes room for the ninth when they speak', async () => {
    await speaks(bots[7]!);
    await showsTheStage();
    expect((await viewer.sees()).map(({ persona }) => persona)).not.toContain(bots[5]!.persona.number);
  });
});
