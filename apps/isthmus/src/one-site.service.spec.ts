import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import { startBrain } from '@isthmus/conference-brain';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { startGatewayRouter } from '@isthmus/gateway-router';
import { Client, estateOf, NYC } from '@isthmus/gateway-router/testing';
import { estateFacts, noPeers, roomsCreated, sampleNode } from '@isthmus/contract/samples';
import type { Fact } from '@isthmus/kernel';
import type { NodeId } from '@isthmus/placement';
import type { Bus } from '@isthmus/ports';
import { TOPICS } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { startTracing, type Tracing } from '@isthmus/telemetry-otel';

/** A site without its media: gateway-router, conference-brain, bus and store are the ones that ship; a node is only reported. */
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

let folder: string;
let bus: Bus;
let store: Awaited<ReturnType<typeof sqliteEventStore>>;
let brain: RunningService;
let gateway: RunningService;
let collector: Server;
let tracing: Tracing;
let clients: Client[];
const exported: { service: string | undefined; name: string; traceId: string; spanId: string; parentSpanId?: string }[] = [];

const roomsToMeetIn = async (): Promise<readonly Fact[]> => {
  const rooms = Object.values((await estateOf()).rooms);
  return estateFacts(roomsCreated(...rooms.map((room) => (room.id === 'full' ? { ...room, seatsMax: 1 } : room))));
};

const reportNode = () => {
  const node = sampleNode(NYC, { node: 'nyc-0' as NodeId, clientUrl: 'ws://127.0.0.1:1/media', rtpCapabilities: { codecs: [] } });
  return bus.publish({ topic: TOPICS.nodes, key: node.node, value: node });
};

/** The smallest collector of traces: OTLP over HTTP, as JSON. */
const collect = (body: string): void => {
  interface Otlp {
    resourceSpans: {
      resource: { attributes: { key: string; value: { stringValue?: string } }[] };
      scopeSpans: { spans: { name: string; traceId: string; spanId: string; parentSpanId?: string }[] }[];
    }[];
  }
  for (const { resource, scopeSpans } of (JSON.parse(body) as Otlp).resourceSpans) {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
    for (const { spans } of scopeSpans) exported.push(...spans.map((span) => ({ ...span, service })));
  }
};

const resumeKey = new Uint8Array(32).fill(7);
const newBrain = () => startBrain({ site: NYC, listen: { host: '127.0.0.1', port: 0 }, bus, store, peers: noPeers, clock, resumeKey });
const newGateway = () => startGatewayRouter({ site: NYC, siteName: 'New York', listen: { host: '127.0.0.1', port: 0 }, bus, graceMs: 300 });

beforeEach(async () => {
  exported.length = 0;
  clients = [];
  collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      collect(body);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
  tracing = startTracing('isthmus', { attributes: { 'isthmus.site': 'nyc' } });
  folder = mkdtempSync(join(tmpdir(), 'isthmus-site-'));
  bus = embeddedBus();
  store = await sqliteEventStore({ file: join(folder, 'store.sqlite') });
  await store.adopt(await roomsToMeetIn());
  brain = await newBrain();
  gateway = await newGateway();
  await reportNode();
  await vi.waitFor(async () => expect((await fetch(`${gateway.url}/healthz/ready`)).status).toBe(200), 5_000);
});

afterEach(async () => {
  for (const client of clients) client.ws.terminate();
  await gateway.close();
  await brain.close();
  await bus.close();
  await store.close();
  await tracing.shutdown();
  vi.unstubAllEnvs();
  await new Promise((resolve) => collector.close(resolve));
  rmSync(folder, { recursive: true });
});

const connect = async (): Promise<Client> => {
  const client = new Client(`${gateway.url.replace('http', 'ws')}/ws`);
  clients.push(client);
  await client.opened;
  return client;
};
const person = (name: string, more: object = {}) => ({ name, client: name.toLowerCase(), ...more });
const joined = async (alias: string, name: string, more: object = {}) => {
  const client = await connect();
  client.join(alias, person(name, more));
  return { client, seat: await client.hears('joined') };
};
const names = (client: Client) =>
  client.heard
    .flatMap((message) =>
      message.type === 'view' || message.type === 'joined'
        ? [
            message.view.roster
              .map(({ name }) => name)
              .toSorted()
              .join(),
          ]
        : [],
    )
    .at(-1);
const sees = (client: Client, expected: string) => vi.waitFor(() => expect(names(client)).toBe(expected), 3_000);

describe('a site', () => {
  it('brings people into one meeting by PIN, each seeing the other, hosts and guests told apart', async () => {
    const ana = await joined('board', 'Ana', { pin: '471100' });
    const ben = await joined('board', 'Ben', { pin: '0815' });
    expect([ana.seat.role, ben.seat.role]).toEqual(['host', 'guest']);
    await sees(ana.client, 'Ana,Ben');
    expect(ben.seat.view.stage.main).toBe(ana.seat.leg);
  });

  it('lets a guest wait until a host is there, and a host admit or turn away who waits at a locked door', async () => {
    const host = await joined('board', 'Ana', { pin: '471100' });
    expect(await host.client.answer(host.client.say({ type: 'act', act: { type: 'lock' } }))).toMatchObject({ type: 'ok' });
    const guest = await connect();
    guest.join('board', person('Ben', { pin: '0815' }));
    expect(await guest.hears('waiting')).toMatchObject({ reason: 'lock' });
    const door = await host.client.hears('view', ({ view }) => view.waiting.length === 1);
    const leg = door.view.waiting[0]?.leg;
    expect(await host.client.answer(host.client.say({ type: 'act', act: { type: 'admit', leg } }))).toMatchObject({ type: 'ok' });
    expect(await guest.hears('joined')).toMatchObject({ leg, role: 'guest' });

    const other = await connect();
    other.join('board', person('Eve', { pin: '0815' }));
    await other.hears('waiting');
    const again = await host.client.hears('view', ({ view }) => view.waiting.some(({ name }) => name === 'Eve'));
    host.client.say({ type: 'act', act: { type: 'reject', leg: again.view.waiting[0]?.leg } });
    expect(await other.hears('refused')).toMatchObject({ code: 'conference.rejected' });
  });

  it('refuses in plain words: a full room, an act of somebody who is no host, a removed person', async () => {
    const ana = await joined('full', 'Ana');
    const late = await connect();
    late.join('full', person('Ben'));
    expect(await late.hears('refused')).toMatchObject({ code: 'conference.full', message: 'All seats of this meeting are taken.' });
    const host = await joined('board', 'Ana', { pin: '471100' });
    const guest = await joined('board', 'Ben', { pin: '0815' });
    expect(await guest.client.answer(guest.client.say({ type: 'act', act: { type: 'lock' } }))).toMatchObject({
      code: 'conference.host-only',
    });
    host.client.say({ type: 'act', act: { type: 'remove', leg: guest.seat.leg } });
    expect(await guest.client.hears('ended')).toMatchObject({ reason: 'removed' });
    expect(ana.client.ws.readyState).toBe(1);
  });

  it('keeps the seat of a broken connection, and gives it away later', async () => {
    const ana = await joined('open', 'Ana');
    const ben = await joined('open', 'Ben');
    ben.client.ws.terminate();
    const back = await joined('open', 'Ben', { connect: 2, resume: ben.seat.resume });
    expect(back.seat.leg).toBe(ben.seat.leg);
    back.client.ws.terminate();
    await sees(ana.client, 'Ana');
  });

  it('gives people their seats back, without a PIN, after all of it was started anew', async () => {
    const ana = await joined('board', 'Ana', { pin: '471100' });
    const ben = await joined('board', 'Ben', { pin: '0815' });
    expect(await ana.client.answer(ana.client.say({ type: 'act', act: { type: 'lock' } }))).toMatchObject({ type: 'ok' });
    for (const client of clients.splice(0)) client.ws.terminate();
    // The brain first: it does not hear from the gateway-router that anybody has gone.
    await brain.close();
    await gateway.close();
    brain = await newBrain();
    gateway = await newGateway();
    await reportNode();
    const back = await joined('board', 'Ben', { connect: 2, resume: ben.seat.resume });
    expect(back.seat).toMatchObject({ leg: ben.seat.leg, role: 'guest' });
    expect((await joined('board', 'Ana', { connect: 2, resume: ana.seat.resume })).seat).toMatchObject({
      leg: ana.seat.leg,
      role: 'host',
      view: { locked: true },
    });
    const other = await connect();
    other.join('board', person('Eve', { connect: 3, resume: ana.seat.resume }));
    await other.hears('pin-needed');
  });

  it('keeps everybody in while its brain alone is started anew', async () => {
    const ana = await joined('board', 'Ana', { pin: '471100' });
    const ben = await joined('board', 'Ben', { pin: '0815' });
    await brain.close();
    brain = await newBrain();
    await reportNode();
    expect((await ben.client.hears('media')).media.token).not.toBe(ben.seat.media.token);
    ana.client.say({ type: 'act', act: { type: 'remove', leg: ben.seat.leg } });
    expect(await ben.client.hears('ended')).toMatchObject({ reason: 'removed' });
    expect(ana.client.heard.some(({ type }) => type === 'ended')).toBe(false);
  });

  it('lets the newer of two connections of one person stay', async () => {
    const older = await joined('open', 'Ana');
    await joined('open', 'Ana', { connect: 2 });
    expect(await older.client.hears('ended')).toMatchObject({ reason: 'replaced' });
  });

  it('ends a meeting for everybody', async () => {
    const host = await joined('board', 'Ana', { pin: '471100' });
    const guest = await joined('board', 'Ben', { pin: '0815' });
    host.client.say({ type: 'act', act: { type: 'end-for-all' } });
    expect(await guest.client.hears('ended')).toMatchObject({ reason: 'ended' });
    expect(await host.client.hears('ended')).toMatchObject({ reason: 'ended' });
  });

  it('makes one trace of a join, from the click to the first picture, without an orphan', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const ana = await joined('open', 'Ana', { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    const now = Date.now();
    await ana.client.answer(
      ana.client.say({ type: 'first-frame', clickedAt: now - 120, shownAt: now, marks: { joined: now - 90, attached: now - 40 } }),
    );
    await tracing.shutdown();
    const spans = exported.filter((span) => span.traceId === traceId);
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const roots = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
    expect(roots.map(({ name, spanId }) => [name, spanId])).toEqual([['meet.join', 'b7ad6b7169203331']]);
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['meet', 'gateway-router', 'conference-brain']));
    expect(spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'gateway.join',
        'meet.until joined',
        'meet.until attached',
        'meet.until first-frame',
        `process ${TOPICS.commands}`,
      ]),
    );
  });
});
