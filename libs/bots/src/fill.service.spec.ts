import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { fillRoom, type FilledRoom } from './fill.js';
import { scriptOf } from './script.js';
import { SpecMeeting } from './spec-meeting.js';

describe('a filled room', { timeout: 60_000 }, () => {
  let meeting: SpecMeeting;
  let room: FilledRoom;
  const progress: string[] = [];

  beforeAll(async () => {
    meeting = await SpecMeeting.open();
    room = await fillRoom({
      sites: [
        { name: 'New York', gatewayUrl: meeting.url, count: 1 },
        { name: 'London', gatewayUrl: meeting.url },
      ],
      alias: 'spec',
      perSite: 2,
      hdKbps: 300,
      script: scriptOf([
        { who: '0', atMs: 0, forMs: 1_000 },
        { who: 'Ben Okafor', atMs: 1_000, forMs: 1_000 },
      ]),
      onProgress: (line) => progress.push(line),
    });
  }, 120_000);
  afterAll(async () => {
    await room?.leave();
    meeting.close();
  });

  it('seats people in turn at each site and says so', () => {
    expect(room.bots.map(({ name }) => name)).toEqual(['Ana Moreno', 'Ben Okafor', 'Chen Wei']);
    expect(progress).toEqual(
      expect.arrayContaining(['Ana Moreno sits in New York', 'Ben Okafor sits in London', 'Chen Wei sits in London']),
    );
  });

  it('shows everybody everybody else', () => eventually(() => room.missing(), 8_000));

  it('talks by its script, again and again', async () => {
    const heard = new Set<number | null>();
    await eventually(() => {
      for (const { persona } of room.bots[2]!.hears()) heard.add(persona);
      return [1, 2].filter((persona) => !heard.has(persona)).map((persona) => `the voice of persona ${persona} was not heard`);
    }, 6_000);
    heard.clear();
    await eventually(() => {
      for (const { persona } of room.bots[2]!.hears()) heard.add(persona);
      return heard.has(1) && heard.has(2) ? [] : ['the script was not repeated'];
    }, 6_000);
  });

  it('turns nobody away half: when one cannot join, those who could leave again', async () => {
    const before = room.bots[0]!.view.roster.length;
    await expect(
      fillRoom({
        sites: [
          { name: 'Here', gatewayUrl: meeting.url },
          { name: 'Nowhere', gatewayUrl: 'http://127.0.0.1:9' },
        ],
        alias: 'spec',
        perSite: 1,
        hdKbps: 300,
      }),
    ).rejects.toMatchObject({ code: 'bot.no-line' });
    await eventually(() => (room.bots[0]!.view.roster.length === before ? [] : ['somebody stayed behind']), 3_000);
  });
});
