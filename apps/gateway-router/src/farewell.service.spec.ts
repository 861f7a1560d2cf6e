import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TOPICS } from '@isthmus/protocol';
import { estateOf, gatewayWorld, type World } from './testing/world.js';

let world: World;
beforeEach(async () => {
  world = await gatewayWorld({ graceMs: 10_000 });
});
afterEach(() => world.close());

let revision = 100;
/** An administrator says that New York is to be emptied, or is to go on. */
const say = async (draining: boolean, more: object = {}): Promise<void> => {
  const estate = await estateOf();
  const nyc = { ...estate.sites['nyc']!, draining };
  const lon = { id: 'lon', name: 'London', meetUrl: 'https://meet.lon.example/', linkUrl: 'wss://lon.example:7101' };
  const cpt = { ...lon, id: 'cpt', name: 'Cape Town', meetUrl: 'https://meet.cpt.example:7100' };
  const sin = { ...lon, id: 'sin', name: 'Singapore', meetUrl: 'https://meet.sin.example' };
  const value = { ...estate, revision: (revision += 1), sites: { nyc, lon, cpt, sin }, ...more };
  await world.bus.publish({ topic: TOPICS.estate, key: 'estate', value });
};
/** How New York hears the others. */
const hear = async (): Promise<void> => {
  const links = [
    { site: 'sin', up: false },
    { site: 'cpt', up: true, rttMs: 160 },
    { site: 'lon', up: true, rttMs: 70 },
  ];
  const value = { site: 'nyc', estateRevision: 1, links, conferences: [], at: 0 };
  await world.bus.publish({ topic: TOPICS.sites, key: 'nyc', value });
};
const enter = async (alias: string, more: object = {}) => {
  const client = await world.client();
  return { client, answer: await client.answer(client.join(alias, more)) };
};
const soon = { timeout: 10_000, interval: 20 };

describe('a site that is to end', () => {
  it('tells who is in, once, where the same meeting is to be found, and keeps them', async () => {
    const { client, answer } = await enter('open');
    expect(answer).toMatchObject({ type: 'joined' });
    const notices = () => client.heard.filter(({ type }) => type === 'notice');
    await say(true);
    await say(true);
    await expect.poll(notices, soon).toHaveLength(1);
    expect(notices()[0]).toMatchObject({ code: 'join.site-draining' });
    expect(JSON.stringify(notices())).toContain('London: https://meet.lon.example/r/open');
    expect(client.heard.filter(({ type }) => type === 'ended')).toEqual([]);
  });

  it('lets nobody new in, says where else, and does not tell whether there is such a room', async () => {
    await say(true);
    const words = async (alias: string) => (await enter(alias, { client: `c-${alias}` })).answer;
    expect(await words('open')).toMatchObject({ type: 'refused', code: 'join.site-draining' });
    expect(JSON.stringify(await words('open'))).toContain('London: https://meet.lon.example/r/open');
    expect(JSON.stringify(await words('nowhere'))).toContain('London: https://meet.lon.example/r/nowhere');
    await say(false);
    expect(await words('open')).toMatchObject({ type: 'joined' });
  });

  it('tells their clients how to get to the sites that it hears, the nearest first, one client after the other', async () => {
    await hear();
    const people = [];
    for (const client of ['ana', 'ben', 'cy']) people.push(await enter('board', { client, pin: '0815' }));
    await say(true);
    const moves = await Promise.all(people.map(async ({ client }) => (await client.hears('notice')).move));
    expect(moves[0]).toMatchObject({
      v: 1,
      ways: [
        { site: 'lon', name: 'London', url: 'https://meet.lon.example/' },
        { site: 'cpt', name: 'Cape Town', url: 'https://meet.cpt.example:7100' },
      ],
    });
    const after = moves.map((move) => move?.afterMs ?? NaN);
    expect(after).toEqual(after.toSorted((one, other) => one - other));
    expect(new Set(after).size).toBe(3);
    expect(JSON.stringify(people.flatMap(({ client }) => client.heard))).not.toContain('0815');
  });

  it('tells whoever came in by a PIN that was changed since in words only: it opens no door elsewhere', async () => {
    await hear();
    const { client } = await enter('board', { pin: '0815' });
    await say(true, { pins: { board: { host: 0, guest: 1 } } });
    const notice = await client.hears('notice');
    expect(notice.message).toContain('London: https://meet.lon.example/r/board');
    expect(notice).not.toHaveProperty('move');
  });

  it("lets pages of the deployment's own sites connect, for as long as they are its sites, and no others", async () => {
    const tried = (origin: string) =>
      world.client({ origin }).then(
        () => 'in',
        (error: unknown) => String(error),
      );
    expect(await tried('https://meet.cpt.example:7100')).toContain('403');
    await say(false);
    expect(await tried('https://meet.cpt.example:7100')).toBe('in');
    for (const origin of ['https://meet.cpt.example', 'http://meet.cpt.example:7100', 'https://cpt.example:7100', 'null'])
      expect(await tried(origin)).toContain('403');
    const { sites } = await estateOf();
    await say(false, { sites });
    expect(await tried('https://meet.cpt.example:7100')).toContain('403');
  });

  it('tells the brain from which leg somebody comes', async () => {
    await enter('open', { from: 'lon-1', connect: 2 });
    expect(world.brain.asked.find(({ type }) => type === 'Join')).toMatchObject({ person: 'ana', connect: 2, from: 'lon-1' });
  });

  it('gives somebody whose connection broke their seat back, and tells them again', async () => {
    const { client, answer } = await enter('open');
    if (answer.type !== 'joined') throw new Error(answer.type);
    await say(true);
    client.ws.terminate();
    const back = await enter('open', { connect: 2, resume: answer.resume });
    expect(back.answer).toMatchObject({ type: 'joined', leg: answer.leg });
    expect(await back.client.hears('notice')).toMatchObject({ code: 'join.site-draining' });
  });
});
