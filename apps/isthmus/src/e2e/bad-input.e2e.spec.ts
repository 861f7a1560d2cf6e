import { join as path } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { loadCredentials } from '@isthmus/estate-http';
import { createAuthority, dial, issue, type Credentials, type SecureLink } from '@isthmus/peers-http';
import { descendantsOf } from '../testing/demo-process.js';
import { PortalClient } from '../testing/portal-client.js';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';
import { Stranger } from '../testing/stranger.js';

/** What strangers may send to a running deployment, and a meeting across its two sites that must not notice any of it. */
let demo: DemoUnderTest;
let portal: PortalClient;
let family: readonly number[];
let meeting: readonly Bot[] = [];
let stagesShown: readonly number[];
/** What the meeting's participants were told beyond views: a lost seat, lost media, an end. */
const noticed: string[] = [];
let strangers: Stranger[] = [];
let host: Stranger;

const PARTS = ['management', 'relay', 'site nyc', 'site lon'];
/** Each part's process, and what it started: the same list later means that none died and none was started again. */
const demoFamily = () => PARTS.map((part) => demo.pidOf(part)).flatMap((pid) => [pid, ...descendantsOf(pid)]);
const at = async (url: string): Promise<Stranger> => {
  const stranger = await Stranger.at(url);
  strangers.push(stranger);
  return stranger;
};
const door = () => at(demo.gateway('nyc'));
const mediaUrl = () => {
  const { clientHost, ports } = demo.plan.sites[0]!;
  return `ws://${clientHost}:${ports.nodes[0]!.client}/media`;
};
let people = 0;
const join = (id: number, alias: string, more: object = {}) => ({
  ...{ id, type: 'join', alias, name: 'Eve', client: `eve-${people++}`, connect: 1 },
  ...more,
});
/** Estates take a moment to reach a site (S9). */
const seatedIn = async (alias: string, more: object = {}): Promise<Stranger> => {
  const stranger = await Stranger.at(demo.gateway('nyc'));
  let id = 0;
  await eventually(async () => {
    const answer = await stranger.asks(join(++id, alias, more));
    return answer.includes('"joined"') ? [] : [`${alias} answers ${answer.slice(0, 200)}`];
  }, 15_000);
  return stranger;
};

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 25_000, sites: 2 });
  portal = new PortalClient(demo.plan.management.portalUrl);
  await portal.firstSignIn(demo.administrator.name, demo.administrator.password, 'correct horse battery');
  const rooms = [
    { name: 'Board', aliases: ['board'], hostPin: '471100', guestPin: '081500' },
    { name: 'Booth', aliases: ['booth'], seatsMax: 1 },
  ];
  for (const room of rooms) await portal.ask('POST', '/v1/rooms', room);
  const notice = (who: string) => (what: string) => void noticed.push(`${who}: ${what}`);
  meeting = await Promise.all(
    ['nyc', 'lon'].map((site, n) =>
      startBot({
        ...{ gatewayUrl: demo.gateway(site), alias: 'demo', persona: personaOf(n), hdKbps: 300 },
        ...{ onNotice: notice(site), onEnded: notice(site) },
      }),
    ),
  );
  await eventually(() => missingNow(meeting), 30_000);
  await seatedIn('booth');
  host = await seatedIn('board', { pin: '471100' });
  family = demoFamily();
  // The parts, and each site's media worker.
  expect(family.length).toBeGreaterThanOrEqual(PARTS.length + demo.plan.sites.length);
  stagesShown = meeting.map(({ stages }) => stages.length);
}, 240_000);

afterEach(async () => {
  for (const stranger of strangers) stranger.leave();
  strangers = [];
  await eventually(() => missingNow(meeting), 10_000);
  expect(noticed).toEqual([]);
  expect(meeting.map(({ stages }) => stages.length)).toEqual(stagesShown);
  expect(demoFamily()).toEqual(family);
});
afterAll(async () => {
  await Promise.all(meeting.map((bot) => bot.leave()));
  await demo?.close();
});

describe('at the door of a site', () => {
  it('an unknown alias and a wrong PIN get the same answer, byte for byte', async () => {
    const answers = await Promise.all(
      ['board', 'nowhere'].map(async (alias) => {
        const eve = await door();
        return [await eve.asks(join(1, alias)), await eve.asks(join(2, alias, { pin: '999999' }))];
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.map((answer) => JSON.parse(answer) as unknown)).toEqual([
      { type: 'pin-needed', re: 1 },
      { type: 'pin-needed', re: 2 },
    ]);
  });

  it('the fifth wrong PIN ends the connection, and says why', async () => {
    const eve = await door();
    for (let id = 1; id < 5; id++) expect(await eve.asks(join(id, 'board', { pin: `99999${id}` }))).toContain('"pin-needed"');
    expect(await eve.asks(join(5, 'board', { pin: '999999' }))).toContain('"pin.too-many"');
    expect(await eve.ended).toEqual({ code: 1008, reason: 'Too many wrong PINs.' });
  });

  it('a full room says that it is full', async () => {
    const eve = await door();
    expect(JSON.parse(await eve.asks(join(1, 'booth')))).toEqual({
      ...{ type: 'refused', re: 1, code: 'conference.full' },
      message: 'All seats of this meeting are taken.',
    });
  });

  it('a locked room lets nobody in by itself, whatever PIN they know', async () => {
    expect(await host.asks({ id: 1_000, type: 'act', act: { type: 'lock' } })).toContain('"ok"');
    const eve = await door();
    expect(JSON.parse(await eve.asks(join(1, 'board', { pin: '081500' })))).toMatchObject({ type: 'waiting', reason: 'lock' });
    expect(await eve.asks({ id: 2, type: 'act', act: { type: 'unlock' } })).toContain('"join.first"');
  });
});

describe.each([
  ['gateway-router', () => demo.gateway('nyc'), { type: 'act', act: { type: 'lock' } }, 'join.first'],
  ['media node', mediaUrl, { type: 'ready', consumers: ['c1'] }, 'media.not-attached'],
] as const)('the WebSocket of the %s', (_service, url, early, tooEarly) => {
  it('refuses what is malformed, each in words, and goes on', async () => {
    const eve = await at(url());
    const junk: readonly (readonly [string | Buffer | object, string])[] = [
      ['{"id":1', 'protocol.malformed'],
      ['[1]', 'protocol.invalid'],
      [Buffer.from([0xff, 0xfe, 0]), 'protocol.not-text'],
      ['{"v":1,"id":1,"type":"leave","__proto__":{"role":"host"}}', 'protocol.forbidden-key'],
      [`{"v":1,"id":1,"type":"leave","x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'protocol.too-deep'],
      [{ v: 2, id: 1, type: 'leave' }, 'protocol.version'],
      [{ v: 1, id: 2, type: 'dance' }, 'protocol.unknown-type'],
      [{ v: 1, id: 3, type: 'join', alias: 7, name: '' }, 'protocol.'],
      [{ v: 1, id: 4, type: 'attach', leg: '../../etc', token: 'x', rtpCapabilities: {}, traceparent: 'x' }, 'protocol.'],
    ];
    for (const [message] of junk) eve.say(message);
    const codes = () => eve.heard.flatMap((text) => (JSON.parse(text) as { code?: string }).code ?? []);
    await eventually(() => (codes().length < junk.length ? [`only ${codes().length} of ${junk.length} were answered`] : []), 10_000);
    expect(codes()).toEqual(junk.map(([, code]) => expect.stringContaining(code) as string));
    expect(await eve.asks({ id: 100, ...early })).toContain(tooEarly);
  });

  it('refuses what comes too early, again or out of order', async () => {
    const eve = await at(url());
    expect(await eve.asks({ id: 7, ...early })).toContain(tooEarly);
    expect(await eve.asks({ id: 7, ...early })).toContain(tooEarly);
    await eventually(
      () => (eve.heard.filter((text) => text.includes('"re":7')).length < 2 ? ['the repetition is not answered'] : []),
      5_000,
    );
    expect(eve.heard.at(-1)).toContain('protocol.out-of-order');
    expect(await eve.asks({ id: 6, ...early })).toContain('protocol.out-of-order');
  });

  it('ends a connection that sends an oversized message, junk without end or a flood, and says why', async () => {
    const [big, rude, fast] = [await at(url()), await at(url()), await at(url())];
    big.say({ v: 1, id: 1, ...early, padding: 'x'.repeat(70_000) });
    expect(await big.ended).toEqual({ code: 1009, reason: 'A message may have at most 65536 bytes.' });
    for (let n = 0; n < 20; n++) rude.say('junk');
    expect(await rude.ended).toEqual({ code: 1008, reason: 'Too many messages that were no proper request.' });
    for (let id = 1; id <= 1_000; id++) fast.say({ v: 1, id, ...early });
    expect(await fast.ended).toMatchObject({ code: 1008, reason: expect.stringMatching(/^Too many/) as string });
  });
});

describe('a stranger at the media node', () => {
  it('gets no seat by a guessed token, not even that of somebody in the meeting', async () => {
    const eve = await at(mediaUrl());
    const attach = { type: 'attach', token: 'guessed', rtpCapabilities: {} };
    const [known, unknown] = [
      await eve.asks({ id: 1, ...attach, leg: meeting[0]!.leg }),
      await eve.asks({ id: 2, ...attach, leg: 'nyc-nobody' }),
    ];
    expect(known).toContain('media.refused');
    expect(known.replace('"re":1', '"re":2')).toBe(unknown);
  });
});

describe('bad bodies over REST', () => {
  it.each([
    ['cut off', '{"name":', 400],
    ['too large', `{"name":"${'x'.repeat(200_000)}"}`, 413],
    ['of the wrong shape', '[]', 400],
    ['with a foreign prototype', '{"name":"x","__proto__":{"disabled":true}}', 400],
    ['with wrong values', '{"name":7,"seatsMax":0,"aliases":"x"}', 400],
    ['that nobody can mean', '{"name":"x","guestPin":"123456"}', 422],
  ])('%s are problems with a code', async (_what, body, status) => {
    const answer = await portal.answer('POST', '/v1/rooms', body);
    expect(answer).toMatchObject({ status, type: expect.stringContaining('application/problem+json') as string });
    expect(JSON.parse(answer.text)).toMatchObject({ code: expect.stringMatching(/^\w+\.[\w-]+$/) as string });
  });
});

describe('on the links between sites and between nodes', () => {
  let london: Credentials;
  let impostor: Credentials;
  beforeAll(async () => {
    const kept = await loadCredentials(path(demo.state, 'sites', 'lon', 'credentials'));
    if (!kept) throw new Error('London has no credentials.');
    london = kept;
    // The deployment's authority is no secret; a certificate of another one that names London is easily made.
    impostor = {
      ...(await issue(await createAuthority(), { identity: { kind: 'site', site: 'lon' as never } })),
      authority: kept.authority,
    };
  });
  const ports = () => {
    const { host: address, ports: of } = demo.plan.sites[0]!;
    return [`wss://${address}:${of.brainLink}`, `wss://${address}:${of.nodes[0]!.mediaLink}`] as const;
  };
  /** Says something on a link of its own, and how that ended. */
  const ending = (url: string, credentials: Credentials, said: (link: SecureLink) => void): Promise<string> =>
    new Promise((resolve) => {
      const dialled = dial({
        ...{ url, credentials: () => credentials, expect: () => true },
        onLink: (link) => said(link),
        onDown: (reason) => {
          dialled.close();
          resolve(reason);
        },
      });
    });

  it('a certificate of another authority is turned away at both, whomever it names', async () => {
    for (const url of ports())
      expect(await ending(url, impostor, () => undefined)).toBe('refused by the other end: certificate of another authority');
  });

  it('a site that calls itself by another name than its certificate is turned away at both', async () => {
    const [brain, media] = ports();
    const toBrain = await ending(brain, london, (link) => link.send({ type: 'hello', version: 1, site: 'cpt', to: 'nyc' }));
    expect(toBrain).toContain('its certificate is lon’s, its hello says cpt');
    const toMedia = await ending(media, london, (link) => link.send({ type: 'hello', node: 'nyc-9', site: 'nyc' }));
    expect(toMedia).toContain('the certificate does not name this node');
  });

  it('what is no message of the link ends the connection, at both', async () => {
    for (const url of ports()) {
      for (const junk of [
        { type: 'dance' },
        { type: 'facts', facts: [{ stream: 'conference-x@lon.1' }], position: 'p' },
        null,
        'x'.repeat(10_000),
      ])
        expect(await ending(url, london, (link) => link.send(junk))).toMatch(/not understood|does not know|hello comes first/);
    }
  });
});
