import { connect as connectTcp, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue, type Authority, type Credentials } from './certificates.js';
import type { Identity } from './identity.js';
import { dial, type DialOptions } from './secure-dialler.js';
import type { LinkLimits, SecureLink } from './secure-link.js';
import { secureServer, type SecureServerOptions } from './secure-server.js';
import { testProxy } from './test-proxy.js';

const site = (name: string): Identity => ({ kind: 'site', site: name as SiteId });
const node: Identity = { kind: 'node', site: 'lon' as SiteId, node: 'lon-1' };

let authority: Authority;
let nyc: Credentials;
let lon: Credentials;
beforeAll(async () => {
  authority = await createAuthority();
  nyc = await issue(authority, { identity: site('nyc') });
  lon = await issue(authority, { identity: node });
});

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const serve = async (options: Partial<SecureServerOptions> = {}) => {
  const links: SecureLink[] = [];
  const turnedAway: string[] = [];
  const server = await secureServer({
    host: '127.0.0.1',
    port: 0,
    credentials: () => lon,
    accept: () => undefined,
    onLink: (link) => links.push(link),
    onTurnedAway: ({ reason }) => turnedAway.push(reason),
    ...options,
  });
  endings.push(() => server.close());
  return { server, links, turnedAway, url: `wss://127.0.0.1:${server.port}` };
};
const call = (options: Pick<DialOptions, 'url'> & Partial<DialOptions>) => {
  const links: SecureLink[] = [];
  const downs: string[] = [];
  const dialled = dial({
    credentials: () => nyc,
    expect: ({ kind }) => kind === 'node',
    onLink: (link) => links.push(link),
    onDown: (reason) => downs.push(reason),
    ...options,
  });
  endings.push(() => dialled.close());
  return { dialled, links, downs };
};
const UPGRADE =
  'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const until = (assertion: () => void, timeout = 5_000) => vi.waitFor(assertion, { timeout, interval: 10 });
const linked = async (limits: LinkLimits = {}, dialling: Partial<DialOptions> = {}) => {
  const { links: there, url, server, turnedAway } = await serve({ limits });
  const { links: here, dialled, downs } = call({ url, limits, ...dialling });
  await until(() => expect([here.length, there.length]).toEqual([1, 1]));
  return { here: here[0]!, there: there[0]!, allHere: here, allThere: there, dialled, downs, server, turnedAway };
};

describe('a secure link', () => {
  test('each end knows the other by its certificate, and messages pass both ways in order', async () => {
    const { here, there } = await linked();
    expect(here.identity).toEqual(node);
    expect(there.identity).toEqual(site('nyc'));
    const got: unknown[] = [];
    here.onMessage((message) => void got.push(message));
    for (let n = 0; n < 500; n++) there.send({ n });
    await until(() => expect(got).toHaveLength(500));
    expect(got).toEqual(Array.from({ length: 500 }, (_, n) => ({ n })));
    there.onMessage((message) => void there.send({ echo: message }));
    here.send('ünïcode 👩‍👩‍👧');
    await until(() => expect(got.at(-1)).toEqual({ echo: 'ünïcode 👩‍👩‍👧' }));
    await until(() => expect(here.rttMs).toBeGreaterThan(0));
  });

  test('a slow handler gets messages one at a time and holds up the sender, not the process', async () => {
    const { here, there } = await linked();
    let running = 0;
    let handled = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    here.onMessage(async () => {
      expect(++running).toBe(1);
      await gate;
      running--;
      handled++;
    });
    const blob = 'x'.repeat(100_000);
    let sent = 0;
    while (there.bufferedAmount < 2_000_000 && sent < 1_000) {
      there.send(blob);
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(1_000);
    // Longer than silence is borne: the link lives, since the silence is our own doing.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect([here.open, there.open]).toEqual([true, true]);
    release();
    await until(() => expect(handled).toBe(sent));
  });

  test('whoever lets too much pile up is cut, and the sender is told by send', async () => {
    const { here, there } = await linked({ bufferedBytes: 1_000_000 });
    let reason = '';
    there.onClose((why) => (reason = why));
    here.onMessage(() => new Promise(() => undefined));
    await until(() => {
      while (there.send('x'.repeat(200_000)));
      expect(there.open).toBe(false);
    });
    await until(() => expect(reason).toBe('the other end does not read'));
    expect(there.send('more')).toBe(false);
  });

  test('a message longer than the limit is a defect of the sender, and cuts nobody', async () => {
    const { here, there } = await linked({ messageBytes: 1_000 });
    expect(() => here.send('x'.repeat(1_000))).toThrow(expect.objectContaining({ kind: 'defect', code: 'link.too-large' }));
    const got: unknown[] = [];
    there.onMessage((message) => void got.push(message));
    here.send('fine');
    await until(() => expect(got).toEqual(['fine']));
  });

  test('a handler that throws ends its link with a reason, and no other', async () => {
    const { allHere, allThere } = await linked();
    const second = call({ url: `wss://127.0.0.1:${(await serve()).server.port}` });
    await until(() => expect(second.links).toHaveLength(1));
    let reason = '';
    allHere[0]!.onClose((why) => (reason = why));
    allThere[0]!.onMessage(() => {
      throw new Error('planted');
    });
    allHere[0]!.send('boom');
    await until(() => expect(reason).toBe('the receiver failed: planted'));
    expect(second.links[0]!.open).toBe(true);
  });

  test('a frozen connection is noticed after the deadline at both ends, and dialled again when it thaws', async () => {
    const { server, links: there } = await serve();
    const proxy = await testProxy({ host: '127.0.0.1', port: server.port });
    endings.push(() => proxy.close());
    const { links: here, downs } = call({ url: `wss://127.0.0.1:${proxy.port}` });
    await until(() => expect(there).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 600));
    const reasons: string[] = [];
    there[0]!.onClose((why) => reasons.push(why));
    const frozenAt = performance.now();
    proxy.freeze();
    await until(() => expect(downs[0]).toBe('no answer for 1.5 s'));
    expect(performance.now() - frozenAt).toBeLessThan(3_500);
    await until(() => expect(reasons).toEqual(['no answer for 1.5 s']));
    proxy.heal();
    await until(() => expect(here).toHaveLength(2), 8_000);
    expect(here[1]!.open).toBe(true);
  });

  test('a cut connection comes back by itself, through the address that it is translated to', async () => {
    const { server } = await serve();
    const proxy = await testProxy({ host: '127.0.0.1', port: server.port });
    endings.push(() => proxy.close());
    const asked: string[] = [];
    const translate = (host: string) => (asked.push(host), '127.0.0.1');
    const { links, downs } = call({ url: `wss://10.255.0.1:${proxy.port}`, translate });
    await until(() => expect(links).toHaveLength(1));
    proxy.cut();
    await until(() => expect(downs.length).toBeGreaterThan(2), 8_000);
    proxy.heal();
    await until(() => expect(links).toHaveLength(2), 8_000);
    expect(new Set(asked)).toEqual(new Set(['10.255.0.1']));
  });

  test('who is silent is called again while the first call is still waiting', async () => {
    const { server } = await serve();
    const swallowed: unknown[] = [];
    const door = createTcpServer((caller) => {
      caller.on('error', () => undefined);
      if (swallowed.length === 0) return void swallowed.push(caller);
      const callee = connectTcp(server.port, '127.0.0.1').on('error', () => undefined);
      caller.pipe(callee).pipe(caller);
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    endings.push(() => door.close());
    const events: string[] = [];
    const { links } = call({
      url: `wss://127.0.0.1:${(door.address() as AddressInfo).port}`,
      translate: (host) => (events.push('called'), host),
      onDown: (reason) => events.push(reason),
    });
    await until(() => expect(links).toHaveLength(1), 30_000);
    expect(swallowed).toHaveLength(1);
    expect(events.slice(0, 2)).toEqual(['called', 'called']);
    const calls = events.length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([events.length, links.length, links[0]!.open]).toEqual([calls, 1, true]);
  });

  test('no call waits for ever: over a cut link not even the first word of TLS comes back', async () => {
    let callers = 0;
    const door = createTcpServer((caller) => {
      callers += 1;
      caller.on('error', () => undefined).on('close', () => (callers -= 1));
      caller.resume();
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    endings.push(() => door.close());
    const { dialled, downs } = call({ url: `wss://127.0.0.1:${(door.address() as AddressInfo).port}` });
    await until(() => expect(downs.slice(0, 2)).toEqual(['no answer for 3 s', 'no answer for 3 s']), 30_000);
    dialled.close();
    await until(() => expect(callers).toBe(0));
  });

  test('closing twice is quiet, ends the other side with the reason, and nothing dials again', async () => {
    const { here, there, dialled, allThere } = await linked();
    let reason = '';
    there.onClose((why) => (reason = why));
    dialled.close();
    dialled.close();
    await until(() => expect(reason).toBe('closed'));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(allThere).toHaveLength(1);
    expect(here.send('x')).toBe(false);
  });

  test('new credentials count from the next connection on, without a restart', async () => {
    let serving = lon;
    const { url, turnedAway } = await serve({ credentials: () => serving });
    const other = await createAuthority();
    const both = `${authority.certificate}\n${other.certificate}`;
    const renewed = await issue(other, { identity: site('nyc') });
    const early = call({ url, credentials: () => ({ ...renewed, authority: both }) });
    await until(() => expect(turnedAway).toContain('certificate of another authority'));
    serving = { ...lon, authority: both };
    await until(() => expect(early.links).toHaveLength(1), 8_000);
  });
});

describe('the door of a secure link', () => {
  const refusedWith = async (credentials: Credentials, expectation: { here: string; there: string }) => {
    const { url, turnedAway, links: there } = await serve();
    const { downs, links } = call({ url, credentials: () => credentials });
    await until(() => expect(turnedAway).toContain(expectation.there));
    await until(() => expect(downs[0]).toBe(expectation.here));
    expect([links, there]).toEqual([[], []]);
  };

  test('a certificate of another authority is turned away', async () => {
    const forged = await issue(await createAuthority(), { identity: site('nyc') });
    await refusedWith(
      { ...forged, authority: authority.certificate },
      { here: 'refused by the other end: certificate of another authority', there: 'certificate of another authority' },
    );
  });

  test('an expired certificate is turned away', async () => {
    const expired = await issue(authority, { identity: site('nyc'), days: -0.01 });
    await refusedWith(expired, { here: 'refused by the other end: certificate expired', there: 'certificate expired' });
  });

  test('a certificate that names nobody is turned away', async () => {
    const nameless = await issue(authority, { dns: ['nyc.example'] });
    await refusedWith(nameless, { here: 'refused by the other end: certificate names nobody', there: 'certificate names nobody' });
  });

  test('who is not expected at the door is told why', async () => {
    const { url, turnedAway } = await serve({ accept: () => 'no node of this deployment' });
    const { downs } = call({ url });
    await until(() => expect(downs[0]).toBe('refused by the other end: no node of this deployment'));
    expect(turnedAway[0]).toBe('no node of this deployment (isthmus:site:nyc)');
  });

  test('the dialler refuses whoever answers in the place of the one it meant', async () => {
    const { url, links } = await serve();
    const { downs } = call({ url, expect: (identity) => identity.kind === 'management' });
    await until(() => expect(downs[0]).toBe('certificate of somebody else: isthmus:node:lon:lon-1'));
    expect(links).toEqual([]);
  });

  test('the dialler refuses a server of another authority, or an expired one', async () => {
    const foreign = await issue(await createAuthority(), { identity: node });
    const expired = await issue(authority, { identity: node, days: -0.01 });
    for (const [credentials, reason] of [
      [foreign, 'certificate of another authority'],
      [expired, 'certificate expired'],
    ] as const) {
      const { url } = await serve({ credentials: () => ({ ...credentials, authority: authority.certificate }) });
      const { downs } = call({ url });
      await until(() => expect(downs[0]).toBe(reason));
    }
  });

  test('nothing but TLS 1.3 with a certificate comes in', async () => {
    const { server, turnedAway, links } = await serve();
    const knock = (options: ConnectionOptions) =>
      new Promise<string>((resolve) => {
        const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false, ...options });
        socket.on('error', (error: Error) => resolve(error.message));
        socket.on('close', () => resolve('closed'));
        socket.on('secureConnect', () => socket.write(UPGRADE));
        socket.resume();
      });
    await knock({ cert: nyc.certificate, key: nyc.key, maxVersion: 'TLSv1.2' });
    await knock({});
    await until(() => expect(turnedAway).toHaveLength(2));
    expect(turnedAway[0]).toMatch(/^no TLS 1.3 handshake/);
    expect(turnedAway[1]).toBe('no certificate');
    expect(links).toEqual([]);
  });

  test('who shows a certificate and then says nothing is shown out', async () => {
    const { server } = await serve();
    const since = performance.now();
    await new Promise<void>((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false, cert: nyc.certificate, key: nyc.key });
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.resume();
    });
    expect(performance.now() - since).toBeLessThan(7_000);
  });

  test('whoever knocks again and again for one reason is reported once', async () => {
    const { url, turnedAway } = await serve({ accept: () => 'not today' });
    const { downs } = call({ url });
    await until(() => expect(downs.length).toBeGreaterThan(3));
    expect(turnedAway).toEqual(['not today (isthmus:site:nyc)']);
  });

  test('noise, half handshakes and 200 connections dropped at once harm nobody', async () => {
    const { here, there, server } = await linked();
    for (let n = 0; n < 200; n++)
      connectTcp(server.port, '127.0.0.1')
        .on('error', () => undefined)
        .end(n % 2 ? 'GET / HTTP/1.1\r\n\r\n' : Buffer.from([0x16, 3, 1, 255, 255, 1]));
    const got: unknown[] = [];
    here.onMessage((message) => void got.push(message));
    there.send('still here');
    await until(() => expect(got).toEqual(['still here']));
  });

  test('malformed, binary and oversized messages end the connection they came on, with the reason', async () => {
    const { server, links } = await serve({ limits: { messageBytes: 10_000 } });
    const bystander = call({ url: `wss://127.0.0.1:${server.port}` });
    await until(() => expect(links).toHaveLength(1));
    for (const [data, code, reason] of [
      ['{"half":', 4_000, 'malformed message: not JSON'],
      [Buffer.from([1, 2, 3]), 4_000, 'binary message: only JSON text is spoken here'],
      ['"'.padEnd(20_000, 'x') + '"', 1_009, ''],
    ] as const) {
      const raw = new WebSocket(`wss://127.0.0.1:${server.port}`, { cert: nyc.certificate, key: nyc.key, rejectUnauthorized: false });
      const closed = new Promise<[number, string]>((resolve) => raw.on('close', (by, why) => resolve([by, why.toString()])));
      raw.on('open', () => raw.send(data));
      expect(await closed).toEqual([code, reason]);
    }
    expect(bystander.links[0]!.open).toBe(true);
    expect(bystander.downs).toEqual([]);
  });

  test('a taken port is said plainly', async () => {
    const { server } = await serve();
    await expect(serve({ port: server.port })).rejects.toMatchObject({
      kind: 'fault',
      code: 'link.port-taken',
      details: { port: server.port },
    });
  });

  test('an address that is no address is a reason, not a crash', async () => {
    for (const url of ['ws://127.0.0.1:1', 'nonsense', 'wss://127.0.0.1:1']) {
      const { downs } = call({ url });
      await until(() => expect(downs.length).toBeGreaterThan(0));
    }
  });
});
