import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue, type Authority, type Credentials } from '@isthmus/peers-http';
import type { Bus } from '@isthmus/ports';
import { status, telemetryBatch, TOPICS, type Status } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { startTelemetry } from './start.js';

const LISTEN = { host: '127.0.0.1', port: 0 };
const LON = 'lon' as SiteId;
const PATIENCE = { timeout: 10_000, interval: 50 };

const siteReport = (legs: number) => ({
  site: 'lon',
  estateRevision: 3,
  links: [{ site: 'nyc', up: true, rttMs: 81.5 }],
  conferences: [
    {
      conference: 'r1_1',
      room: 'r1',
      seats: [{ leg: 'lon-bo', name: 'Bo', node: 'lon-1', muted: false }].slice(0, legs),
      floor: null,
      locked: false,
      crossings: [],
    },
  ],
  at: Date.now(),
});

const nodeReport = (videoBytes: number) => ({
  node: 'lon-1',
  site: 'lon',
  clientUrl: 'ws://x',
  linkUrl: 'wss://x',
  rtpCapabilities: { codecs: ['…'] },
  capacity: 50,
  legs: 1,
  cpu: 0.1,
  draining: false,
  pipes: [
    {
      conference: 'r1_1',
      toSite: 'nyc',
      toNode: 'nyc-1',
      sent: { videoBytes, audioBytes: 10, rtcpBytes: 5 },
      received: { videoBytes: 0, audioBytes: 0, rtcpBytes: 0 },
      large: 1,
      small: 0,
      voices: 1,
    },
  ],
  at: Date.now(),
});

/** Management's door as a site's telemetry meets it: checks the certificate, brings reports to the bus. */
const doorOf = async (authority: Authority, bus: Bus, port = 0): Promise<Server> => {
  const own = await issue(authority, { identity: { kind: 'management' } });
  const door = createServer(
    { cert: own.certificate, key: own.key, ca: own.authority, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const batch = telemetryBatch.parse(JSON.parse(Buffer.concat(chunks).toString()));
        void bus.publish({ topic: TOPICS.batches, key: batch.site, value: batch }).then(() => response.writeHead(204).end());
      });
    },
  );
  await new Promise<void>((resolve) => door.listen(port, '127.0.0.1', resolve));
  return door;
};

describe('telemetry from a site to management', () => {
  let buses: { site: Bus; management: Bus };
  let authority: Authority;
  let credentials: Credentials;
  let door: Server;
  let atManagement: RunningService;
  let atSite: RunningService;
  const statuses: Status[] = [];
  const doorUrl = () => `https://127.0.0.1:${(door.address() as AddressInfo).port}`;
  const tell = async (videoBytes = 0): Promise<void> => {
    await buses.site.publish({ topic: TOPICS.sites, key: 'lon', value: siteReport(1) });
    await buses.site.publish({ topic: TOPICS.nodes, key: 'lon-1', value: nodeReport(videoBytes) });
  };
  const latest = () => statuses.at(-1);
  const shutDoor = () =>
    new Promise<void>((resolve) => {
      door.close(() => resolve());
      door.closeAllConnections();
    });

  beforeEach(async () => {
    statuses.length = 0;
    buses = { site: embeddedBus(), management: embeddedBus() };
    authority = await createAuthority();
    credentials = await issue(authority, { identity: { kind: 'site', site: LON } });
    door = await doorOf(authority, buses.management);
    const estate = { revision: 3, rooms: { r1: { name: 'Board room' } }, sites: { lon: { name: 'London' } } };
    await buses.management.subscribe(TOPICS.estateRequests, { group: 'spec' }, async ({ topic, key }) => ({ topic, key, value: estate }));
    await buses.management.subscribe(TOPICS.statuses, { group: 'spec' }, async ({ value }) => void statuses.push(status.parse(value)));
    atManagement = await startTelemetry({ role: 'management', listen: LISTEN, bus: buses.management });
    atSite = await startTelemetry({
      role: 'site',
      site: LON,
      listen: LISTEN,
      bus: buses.site,
      management: { url: doorUrl(), credentials },
    });
  });
  afterEach(async () => {
    await atSite.close();
    await atManagement.close();
    await shutDoor();
    await buses.site.close();
    await buses.management.close();
  });

  it('shows within seconds what runs there, by the names people know', async () => {
    await tell();
    await vi.waitFor(() => expect(latest()?.conferences[0]?.name).toBe('Board room'), PATIENCE);
    expect(latest()?.sites[0]).toMatchObject({
      site: 'lon',
      name: 'London',
      up: true,
      configurationVersion: 3,
      nodes: [{ node: 'lon-1', capacity: 50 }],
    });
    expect(latest()?.links[0]).toMatchObject({ from: 'lon', to: 'nyc', up: true, rttMs: 81.5 });
    expect(latest()?.conferences[0]?.seats).toEqual([{ leg: 'lon-bo', name: 'Bo', site: 'lon', node: 'lon-1', muted: false }]);
    const asked = await buses.management.request({ topic: TOPICS.statusRequests, key: 'spec', value: {} }, 1_000);
    expect(status.parse(asked.value).conferences).toHaveLength(1);
  });

  it('goes on when management was away', async () => {
    await tell();
    await vi.waitFor(() => expect(latest()?.conferences).toHaveLength(1), PATIENCE);
    const { port } = door.address() as AddressInfo;
    await shutDoor();
    await vi.waitFor(() => expect(latest()?.sites[0]?.up).toBe(false), PATIENCE);
    expect(latest()?.alarms.map(({ id }) => id)).toContain('site_silent:lon');
    door = await doorOf(authority, buses.management, port);
    await tell();
    await vi.waitFor(() => expect(latest()?.sites[0]?.up).toBe(true), PATIENCE);
    await vi.waitFor(() => expect(latest()?.alarms.map(({ id }) => id)).not.toContain('site_silent:lon'), PATIENCE);
  });

  it('leaves out what does not fit, and hears what comes after it', async () => {
    for (const value of [null, 7, 'x', { site: 'lon' }, { ...nodeReport(0), cpu: 'much' }]) {
      await buses.site.publish({ topic: TOPICS.sites, key: 'lon', value });
      await buses.site.publish({ topic: TOPICS.nodes, key: 'lon-1', value });
      await buses.site.publish({ topic: TOPICS.facts, key: 'c', value });
      await buses.management.publish({ topic: TOPICS.batches, key: 'lon', value });
      await buses.management.publish({ topic: TOPICS.estate, key: 'estate', value });
    }
    await tell();
    await vi.waitFor(() => expect(latest()?.conferences[0]?.name).toBe('Board room'), PATIENCE);
  });

  it('gives Prometheus the bytes on each link by kind, in counters that only grow', async () => {
    const scrape = async (service: RunningService) => (await fetch(`${service.url}/metrics`)).text();
    await tell(1_000);
    await buses.site.publish({
      topic: TOPICS.facts,
      key: 'c',
      value: { type: 'FloorTaken', stream: 's', seq: 0, at: 0, by: 'x', body: {} },
    });
    await vi.waitFor(
      async () => expect(await scrape(atSite)).toContain('isthmus_link_sent_bytes_total{site="lon",to="nyc",kind="video"} 1000'),
      PATIENCE,
    );
    await tell(400); // the pipe began anew
    await vi.waitFor(async () => expect(await scrape(atSite)).toContain('kind="video"} 1400'), PATIENCE);
    const text = await scrape(atSite);
    expect(text).toContain('isthmus_facts_total{site="lon",type="FloorTaken"} 1');
    expect(text).toContain('isthmus_link_rtt_seconds{site="lon",to="nyc"} 0.0815');
    expect(
      text.split('\n').every((line) => line === '' || line.startsWith('# ') || /^isthmus_[a-z_]+(\{[^}]*\})? [\d.e+-]+$/.test(line)),
    ).toBe(true);
    await vi.waitFor(async () => expect(await scrape(atManagement)).toContain('isthmus_participants 1'), PATIENCE);
  });

  it('does not speak to a management that is not its own', async () => {
    await atSite.close();
    const stranger = await createAuthority();
    const { port } = door.address() as AddressInfo;
    await shutDoor();
    door = await doorOf(stranger, buses.management, port);
    statuses.length = 0;
    atSite = await startTelemetry({
      role: 'site',
      site: LON,
      listen: LISTEN,
      bus: buses.site,
      management: { url: doorUrl(), credentials },
    });
    await tell();
    await sleep(2_500);
    expect(latest()?.conferences).toEqual([]);
  });

  it('closes quietly twice, with management away', async () => {
    await shutDoor();
    await sleep(1_200);
    await atSite.close();
    await atSite.close();
  });
});
