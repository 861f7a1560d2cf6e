import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { embeddedBus } from '@isthmus/bus-embedded';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue } from '@isthmus/peers-http';
import type { NodeId } from '@isthmus/placement';
import { TOPICS, type MediaEvent, type NodeReport } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { startMediaNode } from './start.js';
import { startTestBrowser, type TestBrowser, type TestPage } from './testing/browser.js';
import { CONFERENCE, legDesire, nodeDesire, tokenOf } from './testing/desires.js';

const NODE = 'nyc-0';
const bus = embeddedBus();
const reports: NodeReport[] = [];
const events: MediaEvent[] = [];
let service: RunningService;
let browser: TestBrowser;
let ana: TestPage;
let ben: TestPage;

const desire = (...legs: Parameters<typeof nodeDesire>[1]) =>
  bus.publish({ topic: TOPICS.desires, key: NODE, value: nodeDesire(NODE, legs) });
const attach = (leg: string, publish = true) =>
  browser.attach({
    url: reports[0]?.clientUrl ?? '',
    leg,
    token: tokenOf(leg),
    capabilities: reports[0]?.rtpCapabilities,
    publish,
  });
const widthOf = async (page: TestPage, leg: string) => (await page.sees()).find((sight) => sight.leg === leg)?.width;

beforeAll(async () => {
  await bus.subscribe(TOPICS.nodes, { group: 'spec' }, async ({ value }) => void reports.push(value as NodeReport));
  await bus.subscribe(TOPICS.mediaEvents, { group: 'spec' }, async ({ value }) => void events.push(value as MediaEvent));
  const credentials = await issue(await createAuthority(), { identity: { kind: 'site', site: 'nyc' as SiteId } });
  service = await startMediaNode({
    site: 'nyc' as SiteId,
    node: NODE as NodeId,
    listen: { host: '127.0.0.1', port: 0 },
    link: { host: '127.0.0.1', port: 0 },
    credentials: () => credentials,
    webRtc: { ip: '127.0.0.1', port: 31_710 },
    plain: { ip: '127.0.0.1', portMin: 31_740, portMax: 31_760 },
    capacity: 50,
    bus,
  });
  await vi.waitFor(() => expect(reports.length).toBeGreaterThan(0), 15_000);
  browser = await startTestBrowser();
});

afterAll(async () => {
  await browser?.close();
  await service?.close();
  await bus.close();
});

describe('a meeting on one node', () => {
  it('shows the one on the stage large, to a client that came before its seat was known', async () => {
    const attaching = attach('nyc-ben', false);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await desire(legDesire('nyc-ana', 'nyc-ben'), legDesire('nyc-ben', 'nyc-ana'));
    ben = await attaching;
    ana = await attach('nyc-ana');
    await vi.waitFor(async () => expect(await widthOf(ben, 'nyc-ana')).toBe(1280), 30_000);
    expect(events).toContainEqual({ type: 'Attached', conference: CONFERENCE, leg: 'nyc-ana', node: NODE });
  });

  it('says who is audible', async () => {
    await vi.waitFor(async () => expect(await ben.speaking()).toContain('nyc-ana'), 30_000);
  });

  it('shows a thumbnail small, and large again', async () => {
    await desire(legDesire('nyc-ana', null), legDesire('nyc-ben', null, ['nyc-ana']));
    await vi.waitFor(async () => expect(await widthOf(ben, 'nyc-ana')).toBe(320), 30_000);
    await desire(legDesire('nyc-ana', null), legDesire('nyc-ben', 'nyc-ana'));
    await vi.waitFor(async () => expect(await widthOf(ben, 'nyc-ana')).toBe(1280), 30_000);
  });

  it('tells a publisher to stop the layer that nobody watches, and to begin again', async () => {
    await ana.ask({ type: 'pause', source: 'microphone' }); // A voice would have the large layer ready.
    const unwatched = { watched: { large: false, small: true } };
    await desire(legDesire('nyc-ana', null, [], unwatched), legDesire('nyc-ben', null, ['nyc-ana']));
    await vi.waitFor(async () => expect(await ana.layers()).toMatchObject({ large: false, small: true }), 30_000);
    await desire(legDesire('nyc-ana', null), legDesire('nyc-ben', 'nyc-ana'));
    await vi.waitFor(async () => expect(await ana.layers()).toMatchObject({ large: true }), 30_000);
    await ana.ask({ type: 'resume', source: 'microphone' });
  });

  it('lets nothing through of who may not show', async () => {
    await desire(legDesire('nyc-ana', null, [], { may: { speak: false, show: false } }), legDesire('nyc-ben', 'nyc-ana'));
    const frames = async () => (await ben.sees()).find(({ leg }) => leg === 'nyc-ana')?.frames ?? 0;
    const still = async () => {
      const before = await frames();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await frames()).toBe(before);
    };
    // What was on its way still comes.
    await vi.waitFor(still, 30_000);
    await still();
    const before = await frames();
    await desire(legDesire('nyc-ana', null), legDesire('nyc-ben', 'nyc-ana'));
    await vi.waitFor(async () => expect(await frames()).toBeGreaterThan(before), 30_000);
  });

  it.each<[string, object, string]>([
    [
      'a transport without fingerprints',
      { type: 'connect', transport: 'send', dtlsParameters: { role: 'auto', fingerprints: [] } },
      'media.bad-parameters',
    ],
    [
      'a fingerprint that is none',
      { type: 'connect', transport: 'send', dtlsParameters: { fingerprints: [{ algorithm: 'sha-256', value: 'x'.repeat(10_000) }] } },
      'media.bad-parameters',
    ],
    [
      'a camera without codecs',
      { type: 'produce', source: 'camera', kind: 'video', rtpParameters: { codecs: [], encodings: [{}] } },
      'media.bad-parameters',
    ],
    [
      'a camera of an unknown codec',
      {
        type: 'produce',
        source: 'camera',
        kind: 'video',
        rtpParameters: { codecs: [{ mimeType: 'video/none', payloadType: 101, clockRate: 90_000 }], encodings: [{ ssrc: 1 }] },
      },
      'media.bad-parameters',
    ],
    [
      'encodings without an SSRC or an RID',
      {
        type: 'produce',
        source: 'camera',
        kind: 'video',
        rtpParameters: { codecs: [{ mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000 }], encodings: [{}, {}] },
      },
      'media.bad-parameters',
    ],
    ['a microphone that sends pictures', { type: 'produce', source: 'microphone', kind: 'video', rtpParameters: {} }, 'media.wrong-kind'],
    ['a second seat on one connection', { type: 'attach', leg: 'nyc-ben', token: 'x', rtpCapabilities: {} }, 'media.attached'],
    ['a request of no known type', { type: 'explode' }, 'protocol.unknown-type'],
  ])('refuses %s, and the meeting goes on', async (_what, message, code) => {
    expect(await ben.ask(message)).toBe(code);
    expect(service.url).toBeTruthy();
  });

  it('refuses a wrong token and an unknown leg in the same words', async () => {
    const url = reports[0]?.clientUrl ?? '';
    await desire(legDesire('nyc-ana', null), legDesire('nyc-ben', 'nyc-ana'), legDesire('nyc-cia', null));
    await expect(
      browser.attach({ url, leg: 'nyc-cia', token: 'wrong', capabilities: reports[0]?.rtpCapabilities, publish: false }),
    ).rejects.toThrow('media.refused');
    await expect(
      browser.attach({ url, leg: 'nyc-nobody', token: 'wrong', capabilities: reports[0]?.rtpCapabilities, publish: false }),
    ).rejects.toThrow('media.refused');
  });

  it('hears pages of other machines, too: what opens a seat is its token', async () => {
    const page = new WebSocket(reports[0]?.clientUrl ?? '', { headers: { origin: 'https://meet.example' } });
    await once(page, 'open');
    page.send(JSON.stringify({ v: 1, id: 1, type: 'attach', leg: 'nyc-ana', token: 'guessed', rtpCapabilities: { codecs: [] } }));
    const [answer] = (await once(page, 'message')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({ type: 'refused', re: 1 });
    page.terminate();
  });

  it('still shows everyone after all that', async () => {
    const frames = async () => (await ben.sees()).find(({ leg }) => leg === 'nyc-ana')?.frames ?? 0;
    const before = await frames();
    await vi.waitFor(async () => expect(await frames()).toBeGreaterThan(before + 5), 30_000);
  });

  it('lets the newer of two connections of one leg have the seat', async () => {
    const again = await attach('nyc-ben', false);
    await vi.waitFor(async () => expect(await ben.ended()).toBe('replaced'), 15_000);
    await vi.waitFor(async () => expect(await widthOf(again, 'nyc-ana')).toBe(1280), 30_000);
    ben = again;
  });

  it('builds everything up again when its worker dies, and tells clients to come back', async () => {
    const workers = async () => (await readdir('/proc')).filter((pid) => /^\d+$/.test(pid) && isWorkerOfOurs(pid));
    const [pid] = await workers();
    process.kill(Number(pid), 'SIGKILL');
    await vi.waitFor(async () => expect(await ben.ended()).toBe('node-lost'), 15_000);
    expect(events).toContainEqual(expect.objectContaining({ type: 'Trouble', conference: CONFERENCE, code: 'media.engine-lost' }));
    ana = await attach('nyc-ana');
    ben = await attach('nyc-ben', false);
    await vi.waitFor(async () => expect(await widthOf(ben, 'nyc-ana')).toBe(1280), 30_000);
  });

  it('lets go of everyone when the conference is over', async () => {
    await desire();
    await vi.waitFor(async () => expect([await ana.ended(), await ben.ended()]).toEqual(['ended', 'ended']), 15_000);
  });
});

const isWorkerOfOurs = (pid: string): boolean => {
  try {
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    return rest.split(' ')[1] === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('mediasoup-worker');
  } catch {
    return false; // It ended while we looked.
  }
};
