import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Fact, SiteId } from '@isthmus/kernel';
import type { PeerHandlers } from '@isthmus/ports';
import { chain, peersContract, streamOf } from '@isthmus/contract';
import { createAuthority, issue, type Authority, type Credentials } from './certificates.js';
import { httpPeers, type HttpPeers } from './http-peers.js';
import { dial } from './secure-dialler.js';
import type { SecureLink } from './secure-link.js';
import { secureServer } from './secure-server.js';
import { testProxy, type TestProxy } from './test-proxy.js';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

let authority: Authority;
beforeAll(async () => void (authority = await createAuthority()));

peersContract('the link over mutual TLS', async () => {
  const ends = new Map<SiteId, HttpPeers>();
  const cables = new Map<string, TestProxy>();
  const cableBetween = (one: SiteId, other: SiteId) => [`${one} ${other}`, `${other} ${one}`].flatMap((key) => cables.get(key) ?? []);
  return {
    peersOf: async (site) => {
      const credentials = await issue(authority, { identity: { kind: 'site', site } });
      const peers = httpPeers({
        site,
        // The same address again after a restart, as in life.
        listen: { host: '127.0.0.1', port: ends.get(site)?.port ?? 0 },
        credentials: () => credentials,
        clock,
        report: () => undefined,
      });
      ends.set(site, peers);
      return peers;
    },
    urlFrom: async (from, to) => {
      const key = `${from} ${to}`;
      const cable = cables.get(key) ?? (await testProxy({ host: '127.0.0.1', port: ends.get(to)!.port }));
      cables.set(key, cable);
      return `wss://127.0.0.1:${cable.port}`;
    },
    cut: (one, other) => cableBetween(one, other).forEach((cable) => cable.cut()),
    heal: (one, other) => cableBetween(one, other).forEach((cable) => cable.heal()),
    dispose: async () => {
      await Promise.all([...cables.values()].map((cable) => cable.close()));
    },
  };
});

describe('httpPeers towards whoever is not a proper peer', () => {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  });
  const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 8_000, interval: 10 });
  const nyc = 'nyc' as SiteId;
  const lon = 'lon' as SiteId;
  const credentialsOf = (site: string, by = authority, days = 365) => issue(by, { identity: { kind: 'site', site: site as SiteId }, days });

  /** nyc, as the product runs it, with `lon` as its peer at `url`. */
  const startNyc = async (url: string) => {
    const received: Fact[] = [];
    const reports: string[] = [];
    const messages: unknown[] = [];
    const credentials = await credentialsOf('nyc');
    const peers = httpPeers({
      site: nyc,
      listen: { host: '127.0.0.1', port: 0 },
      credentials: () => credentials,
      clock,
      report: ({ message }) => reports.push(message),
    });
    const own = chain(streamOf('7f3a', 'nyc'), 3_000);
    await peers.start({
      facts: async function* (_peer, after) {
        for (const fact of own.slice(after === undefined ? 0 : Number(after) + 1)) yield { position: String(fact.seq), fact };
        await new Promise<never>(() => undefined);
      },
      received: async (_peer, facts) => void received.push(...facts),
      resumeAfter: async () => undefined,
      message: async (_peer, body) => void messages.push(body),
      changed: () => undefined,
    });
    peers.setPeers([{ site: lon, url }]);
    endings.push(() => peers.close());
    return { peers, received, reports, messages, reason: () => peers.states()[0]!.reason, url: `wss://127.0.0.1:${peers.port}` };
  };
  const nobody = 'wss://127.0.0.1:1';

  /** A lon of our own making, that says what it likes to whoever dials it. */
  const fakeLon = async (say: (link: SecureLink) => void, credentials?: Credentials) => {
    const using = credentials ?? (await credentialsOf('lon'));
    const server = await secureServer({
      host: '127.0.0.1',
      port: 0,
      credentials: () => using,
      accept: () => undefined,
      onLink: say,
      onTurnedAway: () => undefined,
      limits: { messageBytes: 8 * 1024 * 1024 },
    });
    endings.push(() => server.close());
    return `wss://127.0.0.1:${server.port}`;
  };
  /** Somebody who dials nyc, says things, and notes the answers and why it was cut off. */
  const caller = async (url: string, credentials: Credentials, ...says: unknown[]) => {
    const heard: unknown[] = [];
    const downs: string[] = [];
    const dialled = dial({
      url,
      credentials: () => credentials,
      expect: () => true,
      limits: { messageBytes: 8 * 1024 * 1024 },
      onLink: (link) => {
        link.onMessage((message) => void heard.push(message));
        for (const say of says) link.send(say);
      },
      onDown: (reason) => downs.push(reason),
    });
    endings.push(() => dialled.close());
    return { heard, downs, dialled };
  };
  const hello = { type: 'hello', version: 1, site: 'lon', to: 'nyc' };

  test('an address that leads to another site is no link, and the reason says whose it is', async () => {
    const { reason, reports } = await startNyc(await fakeLon(() => undefined, await credentialsOf('cpt')));
    await until(() => expect(reason()).toBe('certificate of somebody else: isthmus:site:cpt'));
    expect(reports).toContain('link down: certificate of somebody else: isthmus:site:cpt');
  });

  test('a peer certified by another authority, or whose certificate has expired, is no link', async () => {
    const other = await createAuthority();
    const foreign = await startNyc(
      await fakeLon(() => undefined, { ...(await credentialsOf('lon', other)), authority: authority.certificate }),
    );
    await until(() => expect(foreign.reason()).toBe('certificate of another authority'));
    const expired = await startNyc(await fakeLon(() => undefined, await credentialsOf('lon', authority, -0.01)));
    await until(() => expect(expired.reason()).toBe('certificate expired'));
  });

  test('who is no peer, is a media node, or calls itself by our own name is turned away with the reason', async () => {
    const { url, reports } = await startNyc(nobody);
    const node = await issue(authority, { identity: { kind: 'node', site: lon, node: 'lon-1' } });
    const cases = [
      [await credentialsOf('cpt'), 'cpt is no peer of nyc'],
      [node, 'only sites are linked here'],
      [await credentialsOf('nyc'), 'somebody else calls itself nyc'],
    ] as const;
    for (const [credentials, reason] of cases) {
      const { downs } = await caller(url, credentials, hello);
      await until(() => expect(downs[0]).toBe(`refused by the other end: ${reason}`));
      expect(reports.some((line) => line.includes(reason))).toBe(true);
    }
  });

  test('a forged site name, a wrong addressee and another version are refused in words', async () => {
    const { url, reports } = await startNyc(nobody);
    const cases = [
      [{ ...hello, site: 'cpt' }, 'refused: its certificate is lon’s, its hello says cpt'],
      [{ ...hello, to: 'cpt' }, 'refused: it looks for cpt, this is nyc'],
      [{ ...hello, version: 9 }, 'refused: it speaks version 9 of this link, we speak 1'],
    ] as const;
    for (const [say, reason] of cases) {
      const { downs, dialled } = await caller(url, await credentialsOf('lon'), say);
      await until(() => expect(downs[0]).toBe(reason));
      dialled.close();
      expect(reports).toContain(reason.replace('refused', 'connection ended'));
    }
  });

  test('malformed, oversized, unasked-for and out-of-order messages end their own connection only', async () => {
    const facts: unknown[] = [];
    const { url, received } = await startNyc(
      await fakeLon((link) => {
        link.onMessage((message) => {
          if ((message as { type: string }).type === 'hello') link.send({ type: 'welcome', version: 1 });
          else facts.push(message);
        });
      }),
    );
    await until(() => expect(facts).toHaveLength(1));
    const follow = { type: 'follow', batches: 1 };
    const cases: (readonly [string | RegExp, ...unknown[]])[] = [
      ['refused: follow before hello', follow],
      ['refused: hello for the second time', hello, hello],
      ['refused: follow for the second time', hello, follow, follow],
      ['refused: it asks for more than it may', hello, { type: 'more' }],
      [
        'refused: it asks for more than it may',
        hello,
        { type: 'follow', batches: 8 },
        ...Array.from({ length: 30 }, () => ({ type: 'more' })),
      ],
      ['refused: a message that this link does not know', hello, { type: 'follow', batches: 1_000_000 }],
      ['refused: a message that this link does not know', { type: '__proto__' }],
      ['refused: a message that this link does not know', null],
      ['refused: a message that this link does not know', [[[[]]]]],
      ['message too large', hello, { type: 'message', body: 'x'.repeat(3 * 1024 * 1024) }],
    ];
    for (const [reason, ...says] of cases) {
      const { downs, dialled } = await caller(url, await credentialsOf('lon'), ...says);
      await until(() => expect(downs[0]).toMatch(reason));
      dialled.close();
    }
    expect(facts).toHaveLength(1);
    expect(received).toEqual([]);
  });

  test('who connects and says nothing is shown out', async () => {
    const { url } = await startNyc(nobody);
    const { downs } = await caller(url, await credentialsOf('lon'));
    await until(() => expect(downs[0]).toBe('no hello within 3 s'));
  });

  test('a peer that follows gets one batch for each that it asks for, and not one more', async () => {
    const { url } = await startNyc(nobody);
    const { heard } = await caller(url, await credentialsOf('lon'), hello, { type: 'follow', after: '99', batches: 2 }, { type: 'more' });
    await until(() => expect(heard).toHaveLength(4));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const batches = heard.slice(1) as { facts: Fact[]; position: string }[];
    expect(batches).toHaveLength(3);
    expect(batches.flatMap(({ facts }) => facts.map(({ seq }) => seq))).toEqual(Array.from({ length: 600 }, (_, n) => n + 100));
    expect(batches.at(-1)!.position).toBe('699');
  });

  test('of a batch the sound facts are taken; forged, foreign and malformed ones are left out and reported', async () => {
    const own = chain(streamOf('7f3a', 'lon'), 4);
    const foreign = chain(streamOf('7f3a', 'cpt'), 1)[0]!;
    const tampered = { ...own[2]!, body: { say: 'something else' } };
    const batch = [own[0], foreign, { junk: true }, own[1], tampered, null, { ...own[3], seq: -1 }, own[3]];
    let asked = 0;
    const url = await fakeLon((link) => {
      link.onMessage((message) => {
        const { type } = message as { type: string };
        if (type === 'hello') link.send({ type: 'welcome', version: 1 });
        if (type === 'follow') link.send({ type: 'facts', facts: batch, position: 'p1' });
        if (type === 'more') asked++;
      });
    });
    const { received, reports } = await startNyc(url);
    await until(() => expect(asked).toBe(1));
    expect(received).toEqual([own[0], own[1], own[3]]);
    expect(reports).toContain('5 of 8 facts refused, the first: fact 0 of conference-7f3a@cpt.1, which is not its own');
  });

  test('a peer that sends rubbish instead of facts costs its connection, and is dialled again', async () => {
    let calls = 0;
    const url = await fakeLon((link) => {
      calls++;
      link.onMessage((message) => {
        if ((message as { type: string }).type !== 'hello') return;
        if (calls === 1) link.send({ type: 'facts', facts: [1], position: 'x' });
        else if (calls === 2) link.send({ type: 'facts', facts: 'all of them' });
        else link.send({ type: 'welcome', version: 1 });
      });
    });
    const { reports, reason } = await startNyc(url);
    await until(() => expect(reason()).toBe('it does not reach us yet'));
    expect(reports).toContain('connection ended: facts before welcome');
    expect(reports).toContain('connection ended: a message that this link does not know');
  });

  test('a taken port is said plainly', async () => {
    const { peers } = await startNyc(nobody);
    const credentials = await credentialsOf('lon');
    const second = httpPeers({ site: lon, listen: { host: '127.0.0.1', port: peers.port }, credentials: () => credentials, clock });
    await expect(second.start({} as PeerHandlers)).rejects.toMatchObject({ kind: 'fault', code: 'link.port-taken' });
    await second.close();
  });
});
