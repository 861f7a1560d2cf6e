import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bot, startBot, type BotOptions } from './bot.js';
import { eventually } from './eventually.js';
import { personaOf } from './persona.js';
import { SpecMeeting } from './spec-meeting.js';

/** Bots against a real mediasoup: real ICE, DTLS and SRTP on loopback. */
describe('a bot', { timeout: 60_000 }, () => {
  let meeting: SpecMeeting;
  const bots: Bot[] = [];
  const arrive = async (n: number, options: Partial<BotOptions> = {}) => {
    const bot = await startBot({ gatewayUrl: meeting.url, alias: 'spec', persona: personaOf(n), hdKbps: 300, ...options });
    bots.push(bot);
    return bot;
  };
  const allSeeRightly = (deadlineMs = 8_000) => eventually(() => bots.flatMap((bot) => bot.missing()), deadlineMs);

  beforeAll(async () => {
    meeting = await SpecMeeting.open();
    for (let n = 0; n < 3; n++) await arrive(n);
    await arrive(3, { receive: 'count' });
  }, 120_000);
  afterAll(async () => {
    await Promise.all(bots.map((bot) => bot.leave()));
    meeting.close();
  });

  it('sees the speaker large and the others small, told by the pictures themselves', async () => {
    await meeting.floor(bots[1]!.leg);
    await allSeeRightly();
    for (const bot of bots) {
      const { main, thumbnails, others } = bot.sees();
      expect(main?.leg).toBe(bot === bots[1] ? bots[0]!.leg : bots[1]!.leg);
      expect(main).toMatchObject({ confirmed: true, layer: 'large' });
      expect(thumbnails).toHaveLength(2);
      expect(thumbnails.map(({ layer, confirmed }) => [layer, confirmed])).toEqual([
        ['small', true],
        ['small', true],
      ]);
      expect(others).toEqual([]);
    }
    await eventually(() => (bots[0]!.sees().main?.size?.height === 720 ? [] : ['the main picture is not 720 lines high']), 2_000);
    expect(bots[0]!.sees().thumbnails[0]?.size).toEqual({ width: 320, height: 180 });
  });

  it('receives each thumbnail at under a tenth of the large picture’s bit rate', async () => {
    await allSeeRightly();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (const bot of bots) {
      const { main, thumbnails } = bot.sees();
      for (const { kbps } of thumbnails) expect(kbps).toBeLessThan(main!.kbps / 10);
    }
  });

  it('counts all that arrives', async () => {
    await allSeeRightly();
    const before = bots[0]!.received;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { packets, octets } = bots[0]!.received;
    const { main, thumbnails } = bots[0]!.sees();
    const kbps = [main!, ...thumbnails].reduce((sum, seen) => sum + seen.kbps, 0);
    expect(packets - before.packets).toBeGreaterThan(24 + 2 * 12 - 10);
    expect(((octets - before.octets) * 8) / 1_000).toBeGreaterThan(kbps / 2);
  });

  it('is heard from its first syllable by everyone else, and by nobody when it is quiet', async () => {
    expect(bots[0]!.hears()).toEqual([]);
    bots[2]!.speak(5_000);
    const listeners = bots.filter((bot) => bot !== bots[2]);
    await eventually(() => listeners.flatMap((bot) => (bot.hears().length > 0 ? [] : [`${bot.name} hears nothing`])), 3_000);
    // The third listener only counts packets and cannot tell voices.
    for (const bot of listeners.slice(0, 2))
      expect(bot.hears()).toMatchObject([{ leg: bots[2]!.leg, persona: bots[2]!.persona.number, firstPart: 0 }]);
    expect(bots[2]!.hears()).toEqual([]);
    bots[2]!.quiet();
    await eventually(() => listeners.flatMap((bot) => (bot.hears().length === 0 ? [] : [`${bot.name} still hears somebody`])), 3_000);
  });

  it('sends a layer only while somebody watches it', async () => {
    await meeting.floor(bots[0]!.leg);
    await meeting.floor(bots[1]!.leg);
    await allSeeRightly();
    const before = bots[3]!.sent;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const after = bots[3]!.sent;
    expect(after.large.packets).toBe(before.large.packets);
    expect(after.small.packets - before.small.packets).toBeGreaterThan(8);
  });

  it('records the stages it was told of, in order, and when its pictures agreed', async () => {
    const told = bots[0]!.stages.length;
    await meeting.floor(bots[2]!.leg);
    await allSeeRightly();
    await meeting.floor(bots[3]!.leg);
    await allSeeRightly();
    await eventually(() => (bots[0]!.stages.at(-1)!.shownAt === null ? ['the last stage was never shown'] : []), 2_000);
    const records = bots[0]!.stages.slice(told);
    expect(records.map(({ main }) => main)).toEqual([bots[2]!.leg, bots[3]!.leg]);
    for (const { toldAt, shownAt } of records) expect(shownAt! - toldAt).toBeLessThan(5_000);
  });

  it('keeps its seat when the site’s connection breaks, and its pictures when the node’s does', async () => {
    const { leg } = bots[0]!;
    meeting.cut(leg, 'gateway');
    meeting.cut(leg, 'media');
    await eventually(() => (bots[0]!.missing().some((what) => what.includes('no media')) ? [] : ['the bot did not notice']), 3_000);
    await allSeeRightly(10_000);
    expect(bots[0]!.leg).toBe(leg);
  });

  it('says nothing while it is muted, even when told to speak', async () => {
    await bots[2]!.mute();
    await eventually(() => (bots[2]!.me?.muted === 'self' ? [] : ['the meeting does not say that it is muted']), 3_000);
    bots[2]!.speak(1_500);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(bots[0]!.hears()).toEqual([]);
    await bots[2]!.unmute();
    bots[2]!.speak(2_000);
    await eventually(() => (bots[0]!.hears().length === 1 ? [] : [`${bots[0]!.name} hears nobody after the mute was lifted`]), 3_000);
    bots[2]!.quiet();
  });

  it('is turned away with the gateway’s words', async () => {
    await expect(startBot({ gatewayUrl: meeting.url, alias: 'nowhere', hdKbps: 300 })).rejects.toMatchObject({
      code: 'room.unknown',
      message: 'No such room.',
    });
  });

  it('is gone from every stage after it left', async () => {
    const leaver = bots.pop()!;
    await leaver.leave();
    await leaver.leave();
    await eventually(
      () =>
        bots
          .filter(({ view }) => view.roster.some(({ leg }) => leg === leaver.leg))
          .map(({ name }) => `${name} still lists ${leaver.name}`),
      3_000,
    );
    await allSeeRightly();
  });
});
