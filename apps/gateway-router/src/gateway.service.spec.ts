import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault } from '@isthmus/kernel';
import { gatewayWorld, type Client, type World } from './testing/world.js';

let world: World;
beforeEach(async () => {
  world = await gatewayWorld({ graceMs: 200 });
});
afterEach(() => world.close());

const joined = async (alias = 'open', more: object = {}) => {
  const client = await world.client();
  client.join(alias, more);
  return { client, seat: await client.hears('joined') };
};
const ben = { name: 'Ben', client: 'ben' };
const left = () => world.brain.asked.filter(({ type }) => type === 'Leave');

describe('coming in', () => {
  it('welcomes a client with what its site can do, before anyone clicks', async () => {
    const client = await world.client();
    expect(await client.hears('welcome')).toEqual({
      type: 'welcome',
      v: 1,
      site: 'nyc',
      siteName: 'New York',
      sites: { nyc: 'New York' },
      rtpCapabilities: { codecs: [] },
      media: 'ws://127.0.0.1:1/media',
    });
  });

  it('seats whoever comes to a room without PINs, as host, and says where the media are', async () => {
    const { seat } = await joined('https://meet.example/r/open');
    expect(seat).toMatchObject({ re: 1, role: 'host', room: 'Room open', media: { url: 'ws://127.0.0.1:1/media' } });
    expect(seat.view.roster).toMatchObject([{ name: 'Ana', you: true }]);
    expect(world.brain.asked).toMatchObject([{ type: 'Join', room: 'open', person: 'ana', role: 'host', connect: 1 }]);
  });

  it.each([
    ['board', '471100', 'host'],
    ['board', ' 4711-00# ', 'host'],
    ['board', '0815', 'guest'],
    ['town-hall', '471100', 'host'],
    ['town-hall', '', 'guest'],
  ])('lets somebody into %s with the PIN “%s” as %s, and no PIN leaves the gateway-router', async (alias, pin, role) => {
    const { client, seat } = await joined(alias, { pin });
    expect(seat.role).toBe(role);
    expect(JSON.stringify(world.brain.asked)).not.toMatch(/pin|4711|0815/i);
    expect(client.raw.join()).not.toMatch(/4711|0815/);
  });

  it('asks for the PIN first, and takes an empty answer for “none”', async () => {
    const client = await world.client();
    expect(await client.answer(client.join('town-hall'))).toEqual({ type: 'pin-needed', re: 1 });
    expect(await client.answer(client.join('town-hall'))).toMatchObject({ type: 'joined', role: 'guest' });
  });

  it.each([
    ['locked', 'conference.locked', /locked/],
    ['full', 'conference.full', /seats/],
  ])('says so in plain words when the meeting is %s, and the next attempt is open', async (alias, code, words) => {
    const client = await world.client();
    expect(await client.answer(client.join(alias))).toMatchObject({
      type: 'refused',
      code,
      message: expect.stringMatching(words) as string,
    });
    expect(await client.answer(client.join('open'))).toMatchObject({ type: 'joined' });
  });

  it('takes back a joining that failed, for it may have happened all the same, and insists until the brain has heard', async () => {
    world.brain.fails = new Fault('store.outcome-unknown', 'What was asked may have happened already.');
    const client = await world.client();
    expect(await client.answer(client.join('open'))).toMatchObject({ type: 'refused', code: 'site.unavailable' });
    await vi.waitFor(() => expect(left().length).toBeGreaterThan(1), { timeout: 10_000 });
    const [join] = world.brain.asked;
    expect(left()[0]).toEqual({ type: 'Leave', room: 'open', leg: (join as { leg?: string }).leg });
    world.brain.fails = undefined;
    const before = left().length;
    await vi.waitFor(() => expect(left().length).toBe(before + 1), { timeout: 10_000 });
  });

  it('leaves nobody seated who went away before the seat was given', async () => {
    let seatNow = (): void => undefined;
    world.brain.slow = new Promise((resolve) => (seatNow = resolve));
    const client = await world.client();
    client.join('open');
    await vi.waitFor(() => expect(world.brain.asked).toHaveLength(1));
    client.ws.terminate();
    await client.ended;
    await new Promise((resolve) => setTimeout(resolve, 200));
    seatNow();
    await vi.waitFor(() => expect(left()).toHaveLength(1), { timeout: 10_000 });
  });

  it('says plainly that the site cannot take calls when the brain fails', async () => {
    world.brain.fails = new Fault('store.unavailable', 'SQLITE_IOERR at 0x1f');
    const client = await world.client();
    const answer = await client.answer(client.join('open'));
    expect(answer).toEqual({
      type: 'refused',
      re: 1,
      code: 'site.unavailable',
      message: 'This site cannot take calls right now. Trying again in a moment may help.',
    });
    world.brain.fails = undefined;
    expect(await client.answer(client.join('open'))).toMatchObject({ type: 'joined' });
  });

  it('gives up on a silent brain after six seconds of asking again', async () => {
    world.brain.silent = true;
    const client = await world.client();
    const before = performance.now();
    expect(await client.answer(client.join('open'))).toMatchObject({ type: 'refused', code: 'site.unavailable' });
    expect(performance.now() - before).toBeGreaterThan(5_500);
    // Each time as the same: whoever was asked and did not answer may have let them in.
    expect(new Set(world.brain.asked.map((asked) => asked.type === 'Join' && asked.leg)).size).toBe(1);
  });

  it('slows down who joins and leaves in a loop', async () => {
    const client = await world.client();
    for (let i = 1; i < 25; i++) {
      client.join('open', { connect: i });
      await client.answer(client.say({ type: 'leave' }));
    }
    expect(await client.answer(client.join('open', { connect: 25 }))).toMatchObject({ type: 'refused', code: 'join.too-often' });
    expect(world.brain.asked.filter(({ type }) => type === 'Join').length).toBeLessThan(25);
  });

  it('refuses a second join on the same connection', async () => {
    const { client } = await joined();
    expect(await client.answer(client.join('open'))).toMatchObject({ type: 'refused', code: 'join.already' });
  });
});

describe('waiting at the door', () => {
  const waiting = async () => {
    const client = await world.client();
    const re = client.join('lobby');
    expect(await client.answer(re)).toEqual({ type: 'waiting', re, reason: 'host' });
    const [{ leg } = { leg: undefined }] = world.brain.view('lobby').waiting;
    if (!leg) throw new Error('nobody waits');
    return { client, leg };
  };

  it('ends with a seat when a host lets them in', async () => {
    const { client, leg } = await waiting();
    await world.brain.letIn('lobby', leg);
    expect(await client.hears('joined')).toMatchObject({ re: 1, leg, role: 'guest', media: { token: `token-of-${leg}` } });
  });

  it('tells them when they wait for something else than before', async () => {
    const { client, leg } = await waiting();
    const [person] = world.brain.view('lobby').waiting;
    if (person) await world.brain.change('lobby', { waiting: [{ ...person, leg, reason: 'lock' }] });
    await client.hears('waiting', ({ reason }) => reason === 'lock');
  });

  it('ends with a refusal when a host turns them away, and they may ask again', async () => {
    const { client, leg } = await waiting();
    await world.brain.change('lobby', { waiting: [] }, { ended: [{ leg, reason: 'rejected' }] });
    expect(await client.hears('refused')).toMatchObject({ re: 1, code: 'conference.rejected' });
    expect(await client.answer(client.join('open'))).toMatchObject({ type: 'joined' });
  });

  it('is over at once when they go', async () => {
    const { client, leg } = await waiting();
    client.ws.close();
    await vi.waitFor(() => expect(left()).toEqual([{ type: 'Leave', room: 'lobby', leg }]));
  });

  it('loses nothing when the view is faster than the answer', async () => {
    // The brain publishes the admission before its answer to Join has got here.
    const { brain, bus } = world;
    await bus.subscribe('isthmus.conference.views', { group: 'fast-host' }, async ({ value }) => {
      const [person] = (value as { view: { waiting: { leg: never }[] } }).view.waiting;
      if (person) await brain.letIn('lobby', person.leg);
    });
    const client = await world.client();
    client.join('lobby');
    await client.hears('joined');
  });
});

describe('being in', () => {
  it('shows each participant the meeting from where they sit', async () => {
    const ana = await joined();
    const other = await joined('open', ben);
    const { view } = await ana.client.hears('view', ({ view }) => view.roster.length === 2);
    expect(view.roster.map(({ name, you }) => [name, you])).toEqual([
      ['Ana', true],
      ['Ben', false],
    ]);
    expect(view.stage).toEqual({ main: other.seat.leg, thumbnails: [] });
    expect(other.seat.view.stage).toEqual({ main: ana.seat.leg, thumbnails: [] });
  });

  it('sends no more views than a person can see, and always the last one', async () => {
    const { client, seat } = await joined();
    for (let i = 1; i <= 100; i++)
      await world.brain.change('open', { seats: world.brain.view('open').seats.map((other) => ({ ...other, name: `Ana ${i}` })) });
    await client.hears('view', ({ view }) => view.roster[0]?.name === 'Ana 100');
    expect(client.heard.filter(({ type }) => type === 'view').length).toBeLessThan(20);
    expect(seat.leg).toBeDefined();
  });

  it('ignores a view that is older than the last', async () => {
    const { client } = await joined();
    await world.brain.change('open', { locked: true });
    await client.hears('view', ({ view }) => view.locked);
    world.brain.revision -= 3;
    await world.brain.change('open', { locked: false });
    world.brain.revision += 10;
    await world.brain.change('open', { locked: true, started: true, byRecency: [] });
    await client.hears('view', ({ view }) => view.stage.main === null && view.locked);
    expect(client.heard.some((message) => message.type === 'view' && !message.view.locked)).toBe(false);
  });

  it('passes on what they do, in their own name, and answers what the brain says', async () => {
    const { client, seat } = await joined();
    expect(await client.answer(client.say({ type: 'act', act: { type: 'lock' } }))).toEqual({ type: 'ok', re: 2 });
    expect(world.brain.asked.at(-1)).toEqual({ type: 'Act', room: 'open', leg: seat.leg, act: { type: 'lock' } });
    const stranger = await world.client();
    expect(await stranger.answer(stranger.say({ type: 'act', act: { type: 'lock' } }))).toMatchObject({
      type: 'refused',
      code: 'join.first',
    });
  });

  it('tells of another media node, and of what should be said once', async () => {
    const { client, seat } = await joined();
    await world.brain.change(
      'open',
      {},
      {
        attach: [{ leg: seat.leg, media: { url: 'ws://127.0.0.1:9/media', token: 'new' } }],
        notices: [{ leg: seat.leg, code: 'conference.unlock-voided', message: 'Your unlock did not hold.' }],
      },
    );
    expect((await client.hears('media')).media).toEqual({ url: 'ws://127.0.0.1:9/media', token: 'new' });
    expect(await client.hears('notice')).toMatchObject({ message: 'Your unlock did not hold.' });
  });

  it.each(['removed', 'ended', 'replaced', 'room-disabled'] as const)(
    'ends with a word and a closed connection when %s',
    async (reason) => {
      const { client, seat } = await joined();
      await world.brain.change('open', { seats: [] }, { ended: [{ leg: seat.leg, reason }] });
      expect(await client.hears('ended')).toMatchObject({ reason, message: expect.stringMatching(/\.$/) as string });
      expect(await client.ended).toEqual({ code: 1000, reason });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(left()).toEqual([]);
    },
  );
});

describe('a brain that was started anew', () => {
  it('has those whom it does not know any more come in again', async () => {
    const { client } = await joined();
    const other = await joined('board', { ...ben, pin: '0815' });
    await world.brain.change('open', { seats: [] });
    expect(await client.hears('ended')).toMatchObject({ reason: 'node-lost' });
    await client.ended;
    expect((await joined('open', { connect: 2 })).seat.view.roster).toHaveLength(1);
    expect(other.client.ws.readyState).toBe(1);
  });
});

describe('going, and coming back', () => {
  it('leaves at once when they say so, and keeps the connection for another join', async () => {
    const { client, seat } = await joined();
    expect(await client.answer(client.say({ type: 'leave' }))).toEqual({ type: 'ok', re: 2 });
    await vi.waitFor(() => expect(left()).toEqual([{ type: 'Leave', room: 'open', leg: seat.leg }]));
    expect(await client.answer(client.join('open', { connect: 2 }))).toMatchObject({ type: 'joined' });
  });

  it('keeps the seat of a broken connection, so that the same person comes back to the same leg without a PIN', async () => {
    const { client, seat } = await joined('board', { pin: '0815' });
    client.ws.terminate();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const again = await joined('board', { connect: 2, resume: seat.resume });
    expect(again.seat.leg).toBe(seat.leg);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(left()).toEqual([]);
  });

  it('gives the seat away after a while', async () => {
    const { client, seat } = await joined();
    const other = await joined('open', ben);
    client.ws.terminate();
    await other.client.hears('view', ({ view }) => view.roster.length === 1 && view.roster[0]?.name === 'Ben');
    expect(left()).toEqual([{ type: 'Leave', room: 'open', leg: seat.leg }]);
  });

  it('tells the brain again until it has heard that somebody left', async () => {
    const { client } = await joined();
    world.brain.fails = new Fault('store.unavailable', 'away');
    client.say({ type: 'leave' });
    await vi.waitFor(() => expect(left().length).toBeGreaterThan(0));
    world.brain.fails = undefined;
    await vi.waitFor(() => expect(world.brain.view('open').seats).toEqual([]), 3_000);
  });

  it('lets a newer connection of the same seat replace the older one, and not the other way round', async () => {
    const { client, seat } = await joined('open', { connect: 5 });
    const newer = await joined('open', { connect: 6, resume: seat.resume });
    expect(newer.seat.leg).toBe(seat.leg);
    expect(await client.hears('ended')).toMatchObject({ reason: 'replaced' });
    const late = await world.client();
    expect(await late.answer(late.join('open', { connect: 5, resume: seat.resume }))).toMatchObject({
      type: 'refused',
      code: 'conference.elsewhere',
    });
    expect(newer.client.ws.readyState).toBe(1);
  });

  it('does not take a resume word from somebody else', async () => {
    const { seat } = await joined('board', { pin: '471100' });
    const thief = await world.client();
    expect(await thief.answer(thief.join('board', { client: 'eve', connect: 9, resume: seat.resume }))).toMatchObject({
      type: 'pin-needed',
    });
  });
});

describe('a meeting beside bad input', () => {
  const attacks: readonly [string, (client: Client) => void][] = [
    ['an oversized message', (client) => client.ws.send(JSON.stringify({ v: 1, id: 1, type: 'join', alias: 'x'.repeat(100_000) }))],
    ['10 MB', (client) => client.ws.send('x'.repeat(10_000_000))],
    ['malformed JSON', (client) => client.ws.send('{"v":1,')],
    [
      'deep nesting',
      (client) => client.ws.send(`{"v":1,"id":1,"type":"first-frame","marks":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`),
    ],
    ['__proto__', (client) => client.ws.send('{"v":1,"id":1,"type":"act","act":{"type":"lock","__proto__":{"role":"host"}}}')],
    [
      'a key twice',
      (client) => client.ws.send('{"v":1,"id":1,"type":"join","alias":"open","alias":"board","name":"x","client":"x","connect":1}'),
    ],
    ['an unknown type', (client) => client.say({ type: 'become-host' })],
    ['an act that does not exist', (client) => client.say({ type: 'act', act: { type: 'explode' } })],
    ['a name with control characters', (client) => client.join('open', { name: 'A\u0000\u202eB' })],
    ['a name of markup', (client) => client.join('nobody', { name: '<img src=x onerror=alert(1)>' })],
    ['huge numbers', (client) => client.ws.send('{"v":1,"id":1e308,"type":"leave"}')],
    ['times from nowhere', (client) => client.say({ type: 'first-frame', clickedAt: -1e300, shownAt: 1e300, marks: { a: 0 } })],
    [
      '100,000 marks',
      (client) =>
        client.ws.send(
          `{"v":1,"id":1,"type":"first-frame","clickedAt":1,"shownAt":2,"marks":{${Array.from({ length: 4_000 }, (_, at) => `"m${at}":1`).join(',')}}}`,
        ),
    ],
    [
      'a replayed join',
      (client) => [1, 2].forEach(() => client.ws.send('{"v":1,"id":1,"type":"join","alias":"nobody","name":"x","client":"x","connect":1}')),
    ],
    ['binary noise', (client) => client.ws.send(Buffer.from([0, 255, 1, 254]))],
    ['500 joins at once', (client) => Array.from({ length: 500 }).forEach(() => client.join('open'))],
  ];

  it.each(attacks)('does not notice %s', async (_what, attack) => {
    const ana = await joined();
    const eve = await world.client();
    eve.ws.on('error', () => undefined);
    attack(eve);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const other = await joined('open', ben);
    await ana.client.hears('view', ({ view }) => view.roster.some(({ name }) => name === 'Ben'));
    expect(other.client.ws.readyState).toBe(1);
    expect((await fetch(`${world.gateway.url}/healthz/ready`)).status).toBe(200);
    expect(eve.raw.join()).not.toMatch(/TypeError|RangeError| at /);
  });

  it('does not let pages of other origins in', async () => {
    await expect(world.client({ origin: 'https://evil.example' })).rejects.toThrow('403');
  });
});
