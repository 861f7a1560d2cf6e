import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TOPICS, type Status } from '@isthmus/protocol';
import { settledAdministrator, startTestManagement, type SignedIn, type TestManagement } from './testing.js';

const snapshot = (at: number): Status => ({
  at,
  configurationVersion: 1,
  sites: [
    {
      site: 'lon' as never,
      name: 'London',
      up: true,
      lastHeardAt: at,
      configurationVersion: 1,
      nodes: [{ node: 'lon-1' as never, up: true, cpu: 0.1, legs: 2, capacity: 50, draining: false, drained: false }],
      alarms: [],
    },
  ],
  conferences: [],
  links: [],
  components: [],
  alarms: [],
});

describe('the status of the running estate', () => {
  let management: TestManagement;
  let session: SignedIn;
  const tell = (value: unknown) => management.bus.publish({ topic: TOPICS.statuses, key: 'status', value });

  beforeEach(async () => {
    management = await startTestManagement();
    session = await settledAdministrator(management);
  });
  afterEach(() => management.close());

  /** What a browser's EventSource gets, as it comes. */
  const listen = () => {
    const got = { text: '', status: 0, ended: false };
    const asking = request(`${management.provisioning.url}/v1/status/stream`, { headers: { cookie: session.cookie } }, (response) => {
      got.status = response.statusCode ?? 0;
      response.on('data', (chunk: Buffer) => (got.text += chunk.toString()));
      response.on('end', () => (got.ended = true));
      response.on('error', () => (got.ended = true));
    });
    asking.on('error', () => (got.ended = true));
    asking.end();
    const snapshots = () => [...got.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => (JSON.parse(json ?? '') as Status).at);
    return { got, snapshots, stop: () => asking.destroy() };
  };

  it('is what telemetry last said, and honestly nothing while it is silent', async () => {
    expect(await management.as(session, 'GET', '/v1/status')).toMatchObject({ status: 503, body: { code: 'status.unavailable' } });
    await tell(snapshot(1));
    await vi.waitFor(async () => expect((await management.as(session, 'GET', '/v1/status')).body).toEqual(snapshot(1)));
    expect((await management.as(session, 'GET', '/v1/nodes')).body).toEqual({
      items: [{ site: 'lon', node: 'lon-1', up: true, cpu: 0.1, legs: 2, capacity: 50, draining: false, drained: false }],
    });
    await tell({ nonsense: true });
    await sleep(50);
    expect((await management.as(session, 'GET', '/v1/status')).status).toBe(200);
  });

  it('streams whole snapshots, the newest, at most one a second', async () => {
    await tell(snapshot(1));
    await sleep(50);
    const stream = listen();
    await vi.waitFor(() => expect(stream.snapshots()).toEqual([1]));
    for (let at = 2; at <= 20; at++) {
      await tell(snapshot(at));
      await sleep(100);
    }
    await vi.waitFor(() => expect(stream.snapshots().at(-1)).toBe(20), 3_000);
    expect(stream.snapshots().length).toBeLessThanOrEqual(5);
    stream.stop();
  });

  it('stops streaming to somebody who has signed out', async () => {
    await tell(snapshot(1));
    const stream = listen();
    await vi.waitFor(() => expect(stream.got.status).toBe(200));
    await management.as(session, 'DELETE', '/v1/sessions/current');
    await vi.waitFor(() => expect(stream.got.ended).toBe(true), 3_000);
  });

  it('does not keep management from closing while somebody looks', async () => {
    const stream = listen();
    await vi.waitFor(() => expect(stream.got.status).toBe(200));
    const began = performance.now();
    await management.provisioning.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    await vi.waitFor(() => expect(stream.got.ended).toBe(true));
  });
});
