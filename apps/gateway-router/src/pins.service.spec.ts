import fs from 'node:fs';
import { hash } from '@node-rs/argon2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { gatewayWorld, roomOf, type World } from './testing/world.js';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** Asks for a room with a PIN on a connection of its own; the bytes of the answer, and how long it took in processor time, which a busy machine does not stretch. */
const guess = async (alias: string, pin: string | undefined) => {
  if (!world) throw new Error('no world');
  const client = await world.client();
  await client.hears('welcome');
  const before = process.cpuUsage();
  const id = client.join(alias, pin === undefined ? {} : { pin });
  await client.answer(id);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1_000;
  client.ws.close();
  return { bytes: client.raw.at(-1), ms };
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** By how much a wrong PIN for a room that exists takes longer or shorter than for one that does not; asked in turns. */
const largestDifference = async (): Promise<{ readonly ms: number; readonly allowed: number }> => {
  const rounds: { readonly board: number; readonly townHall: number; readonly nobody: number }[] = [];
  for (let round = 0; round < 8; round++) {
    const nobody = (await guess('nobody', '999999')).ms;
    const board = (await guess('board', '999999')).ms;
    const townHall = (await guess('town-hall', '999999')).ms;
    if (round > 0) rounds.push({ board, townHall, nobody });
  }
  const apart = [
    median(rounds.map(({ board, nobody }) => board - nobody)),
    median(rounds.map(({ townHall, nobody }) => townHall - nobody)),
  ];
  return { ms: Math.max(...apart.map(Math.abs)), allowed: Math.max(5, median(rounds.map(({ nobody }) => nobody)) * 0.2) };
};

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
    // Whatever else the machine does is noise, but a check that was left out would show in every attempt.
    let difference = { ms: Infinity, allowed: 0 };
    for (let attempt = 0; attempt < 4 && difference.ms > difference.allowed; attempt++) difference = await largestDifference();
    expect(difference.ms).toBeLessThanOrEqual(difference.allowed);
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

describe('a PIN', () => {
  it('is never written down, whatever becomes of it', async () => {
    vi.stubEnv('ISTHMUS_LOG_LEVEL', 'trace');
    const write = vi.spyOn(fs, 'writeSync');
    const messages: unknown[] = [];
    world = await gatewayWorld();
    await world.bus.subscribe('isthmus.conference.commands', { group: 'ear' }, async ({ value }) => void messages.push(value));
    const client = await world.client();
    for (const pin of ['736251', '471100']) await client.answer(client.join('board', { pin }));
    world.brain.fails = new TypeError('the brain broke');
    const other = await world.client();
    await other.answer(other.join('board', { pin: '471100', client: 'ben' }));
    other.ws.send('{"v":1,"id":9,"type":"join","alias":"board","pin":"471100","name":7}');
    other.ws.send('{"v":1,"id":10,"type":"join","pin":"471100"');
    await other.hears('refused', ({ re }) => re === 0);
    const written =
      write.mock.calls.map(([, text]) => String(text)).join('') + JSON.stringify(messages) + client.raw.join('') + other.raw.join('');
    expect(written).toContain('a request could not be served');
    expect(written).not.toMatch(/736251|471100/);
  });
});
