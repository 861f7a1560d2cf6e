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
const say = async (draining: boolean): Promise<void> => {
  const estate = await estateOf();
  const nyc = { ...estate.sites['nyc']!, draining };
  const lon = { id: 'lon', name: 'London', meetUrl: 'https://meet.lon.example/', linkUrl: 'wss://lon.example:7101' };
  const value = { ...estate, revision: (revision += 1), sites: { nyc, lon } };
  await world.bus.publish({ topic: TOPICS.estate, key: 'estate', value });
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
