import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import { busContract, busContractTopics, closing } from '@isthmus/contract';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue, type Authority, type Credentials } from '@isthmus/peers-http';
import type { Bus } from '@isthmus/ports';
import { openBusDoor, type BusDoor, type BusRights } from './bus-door.js';
import { linkedBus } from './linked-bus.js';

const NYC = 'nyc' as SiteId;
const { events, questions, quiet } = busContractTopics;
const every = new Set<string>([events, questions, quiet]);
const EVERYTHING: BusRights = { publish: every, request: every, subscribe: every };
const host = '127.0.0.1';
const log = { warn: () => undefined, info: () => undefined };
const patience = { timeout: 10_000, interval: 20 };

let authority: Authority;
let site: Credentials;
beforeAll(async () => {
  authority = await createAuthority();
  site = await issue(authority, { identity: { kind: 'site', site: NYC } });
});

const keep = closing();

const left: string[] = [];
const doorOf = (bus: Bus, port = 0, rights = EVERYTHING): Promise<BusDoor> =>
  openBusDoor({
    bus,
    host,
    port,
    credentials: () => site,
    admit: ({ identity }) => (identity.kind === 'site' && identity.site !== NYC ? 'another site' : rights),
    left: (name) => left.push(name),
    log,
  });
const memberOf = (url: string, credentials = site, name = 'nyc-1'): Bus =>
  linkedBus({ url, name, credentials: () => credentials, expect: (identity) => identity.kind === 'site' && identity.site === NYC, log });

// Each bus has a site of its own behind it, which ends with it.
busContract('a bus that is linked to', async () => {
  const hub = embeddedBus({ report: () => undefined });
  const door = await doorOf(hub);
  const member = memberOf(door.url);
  const close = async () => {
    await member.close();
    await door.close();
    await hub.close();
  };
  let closing: Promise<void> | undefined;
  return { ...member, close: () => (closing ??= close()) };
});

describe('the bus of a site, seen from a process beside it', () => {
  let hub: Bus;
  let door: BusDoor;
  beforeEach(async () => {
    left.length = 0;
    hub = keep(embeddedBus({ report: () => undefined }));
    door = keep(await doorOf(hub));
  });

  test('is one bus for members and for the process that holds it', async () => {
    const [one, two] = [keep(memberOf(door.url)), keep(memberOf(door.url, site, 'nyc-2'))];
    const heard: string[] = [];
    for (const [who, bus] of [
      ['one', one],
      ['two', two],
      ['hub', hub],
    ] as const) {
      await bus.subscribe(events, { group: who }, async ({ value }) => void heard.push(`${who} ${String(value)}`));
    }
    await one.publish({ topic: events, key: 'k', value: 1 });
    await hub.publish({ topic: events, key: 'k', value: 2 });
    await vi.waitFor(() => expect(heard.toSorted()).toEqual(['hub 1', 'hub 2', 'one 1', 'one 2', 'two 1', 'two 2']), patience);
    await hub.subscribe(questions, { group: 'answerers' }, async (message) => ({ ...message, value: 'from the hub' }));
    expect((await two.request({ topic: questions, key: 'k', value: '?' }, 5_000)).value).toBe('from the hub');
  });

  test('gives members the rights they have and no others', async () => {
    const small = keep(await doorOf(hub, 0, { publish: new Set([events]), request: new Set(), subscribe: new Set([quiet]) }));
    const member = keep(memberOf(small.url));
    await member.publish({ topic: events, key: 'k', value: 1 });
    await member.subscribe(quiet, { group: 'g' }, async () => undefined);
    const forbidden = { kind: 'refusal', code: 'bus.forbidden' };
    await expect(member.publish({ topic: quiet, key: 'k', value: 1 })).rejects.toMatchObject(forbidden);
    await expect(member.subscribe(events, { group: 'g' }, async () => undefined)).rejects.toMatchObject(forbidden);
    await expect(member.request({ topic: questions, key: 'k', value: 1 }, 5_000)).rejects.toMatchObject(forbidden);
  });

  test('is closed to another site, to another authority, and to whoever dials the wrong one', async () => {
    const strangers = [
      await issue(authority, { identity: { kind: 'site', site: 'lon' as SiteId } }),
      await issue(await createAuthority(), { identity: { kind: 'site', site: NYC } }),
      await issue(authority, { identity: { kind: 'management' } }),
    ];
    const heard: unknown[] = [];
    await hub.subscribe(events, { group: 'spec' }, async ({ value }) => void heard.push(value));
    const asking = strangers.map((credentials) =>
      keep(memberOf(door.url, credentials)).request({ topic: questions, key: 'k', value: 1 }, 700),
    );
    for (const asked of asking) await expect(asked).rejects.toMatchObject({ code: 'bus.no-answer' });
    expect(heard).toEqual([]);
  });

  test('loses nothing when a link breaks: what was said meanwhile on either side arrives, in order', async () => {
    const cable = keep(await cableTo(door.url));
    const member = keep(memberOf(cable.url));
    const [here, there]: [number[], number[]] = [[], []];
    await member.subscribe(events, { group: 'member' }, async ({ value }) => void here.push(value as number));
    await hub.subscribe(quiet, { group: 'hub' }, async ({ value }) => void there.push(value as number));
    const saying: Promise<void>[] = [];
    for (let n = 0; n < 60; n++) {
      if (n % 20 === 10) cable.cut();
      saying.push(hub.publish({ topic: events, key: 'k', value: n }), member.publish({ topic: quiet, key: 'k', value: n }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(saying);
    const all = Array.from({ length: 60 }, (_, n) => n);
    // At least once: the first of each is in order.
    await vi.waitFor(() => expect([[...new Set(here)], [...new Set(there)]]).toEqual([all, all]), patience);
    expect(left).toEqual([]);
  });

  test('is the same bus again after the process that holds it was started anew', async () => {
    const member = keep(memberOf(door.url));
    const heard: unknown[] = [];
    await member.subscribe(events, { group: 'member' }, async ({ value }) => void heard.push(value));
    await door.close();
    await hub.close();
    const waiting = member.publish({ topic: quiet, key: 'k', value: 'said while it was away' });
    const again = keep(embeddedBus());
    const late: unknown[] = [];
    await again.subscribe(quiet, { group: 'hub' }, async ({ value }) => void late.push(value));
    keep(await doorOf(again, Number(new URL(door.url).port)));
    await waiting;
    await vi.waitFor(() => expect(late).toEqual(['said while it was away']), patience);
    await vi.waitFor(async () => {
      await again.publish({ topic: events, key: 'k', value: 'news' });
      expect(heard).toContain('news');
    }, patience);
  });

  test('says who has left: at once on a goodbye, and soon when a link stays away', async () => {
    const [polite, lost] = [memberOf(door.url, site, 'polite'), keep(await cableTo(door.url))];
    const gone = keep(memberOf(lost.url, site, 'gone'));
    await polite.publish({ topic: events, key: 'k', value: 1 });
    await gone.publish({ topic: events, key: 'k', value: 1 });
    await polite.close();
    await vi.waitFor(() => expect(left).toEqual(['polite']), patience);
    await lost.close();
    await vi.waitFor(() => expect(left).toEqual(['polite', 'gone']), patience);
  });

  test('is over for a member that is dismissed, until it is let in again', async () => {
    const reasons: string[] = [];
    const member = keep(
      linkedBus({
        ...{ url: door.url, name: 'nyc-1', credentials: () => site, expect: () => true },
        log: { warn: ({ reason }: { reason?: string }) => void reasons.push(String(reason)), info: () => undefined },
      }),
    );
    await member.publish({ topic: events, key: 'k', value: 1 });
    door.dismiss('nyc-1', 'it is not wanted here');
    expect(left).toEqual(['nyc-1']);
    await vi.waitFor(() => expect(reasons.join()).toContain('it is not wanted here'), patience);
    await member.publish({ topic: events, key: 'k', value: 2 });
  });

  test('takes a process that was started anew under its name for a new one', async () => {
    const cable = keep(await cableTo(door.url));
    await keep(memberOf(cable.url)).publish({ topic: events, key: 'k', value: 1 });
    await keep(memberOf(door.url)).publish({ topic: events, key: 'k', value: 2 });
    expect(left).toEqual(['nyc-1']);
  });
});

/** A way to the door that can be cut. */
const cableTo = async (url: string): Promise<{ readonly url: string; cut(): void; close(): Promise<void> }> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(new URL(url).port), host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  server.listen(0, host);
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: `wss://${host}:${(server.address() as { port: number }).port}`,
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
