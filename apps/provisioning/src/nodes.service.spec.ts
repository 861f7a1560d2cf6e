import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { TOPICS, type Status } from '@isthmus/protocol';
import { settledAdministrator, startTestManagement, type SignedIn, type TestManagement } from './testing.js';

type NodeNow = Status['sites'][number]['nodes'][number];
const soon = { timeout: 10_000, interval: 20 };

describe('media nodes and sites that are to end, by REST', () => {
  let management: TestManagement;
  let session: SignedIn;
  let snapshots = 0;

  /** Telemetry says how lon-1 is, and by which configuration its site goes. */
  const tell = async (configurationVersion: number, more: Partial<NodeNow> = {}): Promise<void> => {
    const at = (snapshots += 1);
    const node = { node: 'lon-1' as never, up: true, cpu: 0.1, legs: 2, capacity: 50, draining: false, drained: false, ...more };
    const site = { site: 'lon' as SiteId, name: 'London', up: true, lastHeardAt: at, configurationVersion, nodes: [node], alarms: [] };
    const value: Status = { at, configurationVersion, sites: [site], conferences: [meeting()], links: [], components: [], alarms: [] };
    await management.bus.publish({ topic: TOPICS.statuses, key: 'status', value });
    await vi.waitFor(async () => expect((await ask('GET', '/v1/status')).body).toMatchObject({ at }), soon);
  };
  /** London's people in one meeting. */
  let inMeetings = 0;
  const meeting = (): Status['conferences'][number] => {
    const seats = Array.from({ length: inMeetings }, (_, n) => ({
      leg: `lon-${n}` as never,
      name: 'Ana',
      site: 'lon' as SiteId,
      node: null,
      muted: false,
    }));
    const savings = { mcuSite: null, mcuUnits: 0, isthmusUnits: 0, percent: null, nothing: 'not-yet', mcuKbps: 0, isthmusKbps: 0 } as const;
    return { id: 'c' as never, room: 'r', name: 'R', startedAt: 1, seats, floor: null, locked: false, sides: [], links: [], savings };
  };
  const ask = (method: string, path: string, body?: unknown) => management.as(session, method, path, body);
  const revision = async (): Promise<number> => Number((await ask('GET', '/v1/sites')).body['configurationVersion']);

  beforeEach(async () => {
    inMeetings = 0;
    management = await startTestManagement();
    session = await settledAdministrator(management);
    const london = { id: 'lon' as SiteId, name: 'London', meetUrl: 'https://lon.example', linkUrl: 'wss://lon.example:1' };
    await management.provisioning.ensureSite(london);
    await tell(1);
  });
  afterEach(() => management.close());

  it('are drained and used again, and are drained only once their site knows', async () => {
    expect(await ask('PATCH', '/v1/nodes/lon-1', { draining: true })).toMatchObject({
      status: 200,
      body: { node: 'lon-1', site: 'lon', legs: 2, draining: true, drained: false },
    });
    // Of an earlier time at which it was drained: its site has not heard of this one.
    await tell(1, { legs: 0, draining: true, drained: true });
    expect((await ask('GET', '/v1/nodes/lon-1')).body).toMatchObject({ draining: true, drained: false });
    await tell(await revision(), { legs: 0, draining: true, drained: true });
    expect((await ask('GET', '/v1/nodes/lon-1')).body).toMatchObject({ draining: true, drained: true });
    await tell(await revision());
    expect((await ask('PATCH', '/v1/nodes/lon-1', { draining: false })).body).toMatchObject({ draining: false, drained: false });
  });

  it('are removed when they are drained, or at once', async () => {
    expect(await ask('DELETE', '/v1/nodes/lon-1')).toMatchObject({ status: 409, body: { code: 'node.not-drained' } });
    expect((await ask('DELETE', '/v1/nodes/lon-1?now=true')).status).toBe(204);
    expect(await ask('PATCH', '/v1/nodes/lon-1', { draining: true })).toMatchObject({ status: 409, body: { code: 'node.removed' } });
    await ask('PATCH', '/v1/nodes/lon-1', { draining: true });
    expect(await ask('DELETE', '/v1/nodes/lon-1?now=perhaps')).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  });

  it('that are drained go without more words, and one that has fallen silent is written off', async () => {
    await ask('PATCH', '/v1/nodes/lon-1', { draining: true });
    await tell(await revision(), { legs: 0, draining: true, drained: true });
    expect((await ask('DELETE', '/v1/nodes/lon-1')).status).toBe(204);
    expect(await ask('DELETE', '/v1/nodes/lon-7')).toMatchObject({ status: 404, body: { code: 'node.unknown' } });
    expect((await ask('DELETE', '/v1/nodes/lon-7?now=true')).status).toBe(204);
    expect(await ask('DELETE', '/v1/nodes/par-1?now=true')).toMatchObject({ status: 404, body: { code: 'node.unknown' } });
  });

  it('are not taken from somebody who is not signed in, and an unknown one is no node', async () => {
    expect((await management.ask('PATCH', '/v1/nodes/lon-1', { draining: true })).status).toBe(401);
    expect(await ask('PATCH', '/v1/nodes/lon-2', { draining: true })).toMatchObject({ status: 404, body: { code: 'node.unknown' } });
    expect(await ask('PATCH', '/v1/nodes/lon-1', { draining: 'yes' })).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  });

  it('and a site is drained when it knows that it is to end, and nobody is in a meeting there', async () => {
    expect(await ask('PATCH', '/v1/sites/lon', { draining: true })).toMatchObject({ status: 409, body: { code: 'site.last' } });
    const paris = { id: 'par' as SiteId, name: 'Paris', meetUrl: 'https://par.example', linkUrl: 'wss://par.example:1' };
    await management.provisioning.ensureSite(paris);
    expect((await ask('PATCH', '/v1/sites/lon', { draining: true })).body).toMatchObject({ draining: true, drained: false });
    await tell((await revision()) - 1);
    expect((await ask('GET', '/v1/sites/lon')).body).toMatchObject({ drained: false, participants: 0 });
    inMeetings = 2;
    await tell(await revision());
    expect((await ask('GET', '/v1/sites/lon')).body).toMatchObject({ drained: false, participants: 2 });
    inMeetings = 0;
    await tell(await revision());
    expect((await ask('GET', '/v1/sites/lon')).body).toMatchObject({ draining: true, drained: true, participants: 0 });
    expect((await ask('PATCH', '/v1/sites/lon', { draining: false })).body).toMatchObject({ draining: false, drained: false });
  });
});
