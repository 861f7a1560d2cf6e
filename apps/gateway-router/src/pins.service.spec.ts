import { hash } from '@node-rs/argon2';
import { afterEach, describe, expect, it } from 'vitest';
import { gatewayWorld, roomOf, type World } from './testing/world.js';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** Asks for a room with a PIN on a connection of its own; the bytes of the answer, and how long it took. */
const guess = async (alias: string, pin: string | undefined) => {
  if (!world) throw new Error('no world');
  const client = await world.client();
  await client.hears('welcome');
  const before = performance.now();
  const id = client.join(alias, pin === undefined ? {} : { pin });
  await client.answer(id);
  const ms = performance.now() - before;
  client.ws.close();
  return { bytes: client.raw.at(-1), ms };
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

describe('finding out which rooms exist', () => {
  it('is impossible from what is answered: unknown, disabled and wrong are the same bytes', async () => {
    world = await gatewayWorld();
    const asked = await Promise.all([guess('board', undefined), guess('nobody', undefined), guess('closed', undefined)]);
    expect(new Set(asked.map(({ bytes }) => bytes)).size).toBe(1);
    const wrong = await Promise.all([
      guess('board', '999999'),
      guess('town-hall', '999999'),
      guess('nobody', '999999'),
      guess('closed', '999999'),
    ]);
    expect(new Set(wrong.map(({ bytes }) => bytes)).size).toBe(1);
    expect(wrong[0]?.bytes).toBe(asked[0]?.bytes);
  });

  it('is impossible from how long it takes, with hashes as dear as in earnest', async () => {
    const [host, guest] = [await hash('471100'), await hash('081500')];
    world = await gatewayWorld(
      {},
      { rooms: [roomOf('board', { hostPinHash: host, guestPinHash: guest }), roomOf('town-hall', { hostPinHash: host })] },
    );
    const times: Record<string, number[]> = { board: [], 'town-hall': [], nobody: [] };
    // In turns, so that whatever else the machine does falls on all alike; the first round warms up.
    for (let round = 0; round <= 13; round++) {
      for (const alias of Object.keys(times)) {
        const { ms } = await guess(alias, '999999');
        if (round > 0) times[alias]?.push(ms);
      }
    }
    const [board = 0, townHall = 0, nobody = 0] = Object.values(times).map(median);
    // A check that was left out would halve it or more.
    for (const known of [board, townHall]) expect(Math.abs(known - nobody)).toBeLessThan(Math.max(5, nobody * 0.3));
  });

  it('ends after five wrong PINs on one connection, known room or not', async () => {
    world = await gatewayWorld();
    const ends = [];
    for (const alias of ['board', 'nobody']) {
      const client = await world.client();
      await client.hears('welcome');
      for (let i = 0; i < 4; i++)
        expect(await client.answer(client.join(alias, { pin: `99999${i}` }))).toMatchObject({ type: 'pin-needed' });
      expect(await client.answer(client.join(alias, { pin: '999999' }))).toMatchObject({ type: 'refused', code: 'pin.too-many' });
      ends.push({ ...(await client.ended), raw: client.raw.join('\n') });
    }
    expect(ends[0]).toEqual(ends[1]);
    expect(ends[0]).toMatchObject({ code: 1008, reason: 'Too many wrong PINs.' });
  });

  it('does not count a prompt that was answered with nothing', async () => {
    world = await gatewayWorld();
    const client = await world.client();
    for (let i = 0; i < 8; i++) expect(await client.answer(client.join('board', { pin: '' }))).toMatchObject({ type: 'pin-needed' });
    expect(await client.answer(client.join('board', { pin: '471100' }))).toMatchObject({ type: 'joined' });
  });
});

describe('guessing the PIN of a room', () => {
  it('blocks the room for a while; the right PIN looks wrong then, people inside notice nothing, other rooms neither', async () => {
    let now = 0;
    world = await gatewayWorld({ clock: { now: () => 0, monotonic: () => now } });
    const ana = await world.client();
    ana.join('board', { pin: '471100' });
    const { resume } = await ana.hears('joined');
    for (let i = 0; i < 21; i++) await guess('board', `1000${i}`);
    expect((await guess('board', '471100')).bytes).toBe(JSON.stringify({ type: 'pin-needed', re: 1 }));
    expect((await guess('town-hall', '471100')).bytes).toContain('"joined"');
    expect(await ana.answer(ana.say({ type: 'act', act: { type: 'lock' } }))).toMatchObject({ type: 'ok' });
    const again = await world.client();
    again.join('board', { connect: 2, resume });
    await again.hears('joined');
    now += 10 * 60_000;
    await world.brain.reportNode();
    expect((await guess('board', '471100')).bytes).toContain('"joined"');
  });

  it('gets nobody in who tries 200 at once', async () => {
    world = await gatewayWorld();
    const clients = await Promise.all(Array.from({ length: 50 }, () => world!.client()));
    await Promise.all(clients.map((client) => client.hears('welcome')));
    await Promise.all(
      clients.flatMap((client, at) =>
        Array.from({ length: 4 }, (_, i) => client.answer(client.join('board', { pin: at === 49 && i === 3 ? '471100' : `2${at}${i}00` }))),
      ),
    );
    expect(clients.flatMap(({ heard }) => heard).filter(({ type }) => type === 'joined')).toEqual([]);
    expect(world.brain.asked).toEqual([]);
    expect((await fetch(`${world.gateway.url}/healthz/ready`)).status).toBe(200);
  });
});
