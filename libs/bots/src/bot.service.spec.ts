import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bot, startBot, type BotOptions } from './bot.js';
import { eventually } from './eventually.js';
import { personaOf } from './persona.js';
import { SpecMeeting } from './spec-meeting.js';

/** Bots against a real mediasoup: real ICE, DTLS and SRTP on loopback. */
describe('a bot', { timeout: 120_000 }, () => {
  let meeting: SpecMeeting;
  const bots: Bot[] = [];
  const arrive = async (n: number, options: Partial<BotOptions> = {}) => {
    const bot = await startBot({ gatewayUrl: meeting.url, alias: 'spec', persona: personaOf(n), hdKbps: 300, ...options });
    bots.push(bot);
    return bot;
  };
  const allSeeRightly = () => eventually(() => bots.flatMap((bot) => bot.missing()), 30_000);

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
    await eventually(() => (bots[0]!.sees().main?.size?.height === 720 ? [] : ['the main picture is not 720 lines high']), 15_000);
    expect(bots[0]!.sees().thumbnails[0]?.size).toEqual({ width: 320, height: 180 });
  });

  it('receives each thumbnail at under a tenth of the large picture’s bit rate', async () => {
    await allSeeRightly();
    await eventually(
      () =>
        bots.flatMap((bot) => {
          const { main, thumbnails } = bot.sees();
          return thumbnails
            .filter(({ kbps }) => kbps * 10 >= (main?.kbps ?? 0))
            .map(({ leg, kbps }) => `${bot.name} gets ${leg} with ${kbps} kbit/s beside ${main?.kbps ?? 0}`);
        }),
      20_000,
    );
  });

  it('counts all that arrives', async () => {
    await allSeeRightly();
    const before = bots[0]!.received;
    // What a large and two small pictures send in a second, at least; how long it takes is the machine's business.
    await eventually(() => {
      const { packets, octets } = bots[0]!.received;
      return packets - before.packets > 24 + 2 * 12 - 10 && (octets - before.octets) * 8 > 150_000 ? [] : ['too little was counted'];
    }, 20_000);
  });

  it('is heard from its first syllable by everyone else, and by nobody when it is quiet', async () => {
    expect(bots[0]!.hears()).toEqual([]);
    bots[2]!.speak(20_000);
    const listeners = bots.filter((bot) => bot !== bots[2]);
    await eventually(() => listeners.flatMap((bot) => (bot.hears().length > 0 ? [] : [`${bot.name} hears nothing`])), 15_000);
    // The third listener only counts packets and cannot tell voices.
    for (const bot of listeners.slice(0, 2))
      expect(bot.hears()).toMatchObject([{ leg: bots[2]!.leg, persona: bots[2]!.persona.number, firstPart: 0 }]);
    expect(bots[2]!.hears()).toEqual([]);
    bots[2]!.quiet();
    await eventually(() => listeners.flatMap((bot) => (bot.hears().length === 0 ? [] : [`${bot.name} still hears somebody`])), 15_000);
  });

  it('sends a layer only while somebody watches it', async () => {
    await meeting.floor(bots[0]!.leg);
    await meeting.floor(bots[1]!.leg);
    await allSeeRightly();
    const before = bots[3]!.sent;
    await eventually(() => (bots[3]!.sent.small.packets - before.small.packets > 8 ? [] : ['the small layer is not sent']), 20_000);
    expect(bots[3]!.sent.large.packets).toBe(before.large.packets);
  });

  it('records the stages it was told of, in order, and when its pictures agreed', async () => {
    const told = bots[0]!.stages.length;
    await meeting.floor(bots[2]!.leg);
    await allSeeRightly();
    await meeting.floor(bots[3]!.leg);
    await allSeeRightly();
    await eventually(() => (bots[0]!.stages.at(-1)!.shownAt === null ? ['the last stage was never shown'] : []), 15_000);
    const records = bots[0]!.stages.slice(told);
    expect(records.map(({ main }) => main)).toEqual([bots[2]!.leg, bots[3]!.leg]);
    for (const { toldAt, shownAt } of records) expect(shownAt! - toldAt).toBeLessThan(20_000);
  });

  it('keeps its seat when the site’s connection breaks, and its pictures when the node’s does', async () => {
    const { leg } = bots[0]!;
    meeting.cut(leg, 'gateway');
    meeting.cut(leg, 'media');
    await eventually(() => (bots[0]!.missing().some((what) => what.includes('no media')) ? [] : ['the bot did not notice']), 15_000);
    await allSeeRightly();
    expect(bots[0]!.leg).toBe(leg);
  });

  it('says nothing while it is muted, even when told to speak', async () => {
    await bots[2]!.mute();
    await eventually(() => (bots[2]!.me?.muted === 'self' ? [] : ['the meeting does not say that it is muted']), 15_000);
    bots[2]!.speak(15_000);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(bots[0]!.hears()).toEqual([]);
    await bots[2]!.unmute();
    bots[2]!.speak(20_000);
    await eventually(() => (bots[0]!.hears().length === 1 ? [] : [`${bots[0]!.name} hears nobody after the mute was lifted`]), 15_000);
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
      15_000,
    );
    await allSeeRightly();
  });
});
