import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import type { ConferenceId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue } from '@isthmus/peers-http';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import { TOPICS, type NodeReport } from '@isthmus/protocol';
import type { RunningService } from '@isthmus/service-kit';
import { startMediaNode } from './start.js';
import { legDesire, nodeDesire } from './testing/desires.js';

/** Invariant 7 at a real media node: of two brains that both believe to be their site's, the later one counts. */
const NODE = 'nyc-0';
const PATIENT = { timeout: 60_000, interval: 50 };
const bus = embeddedBus();
let service: RunningService;
let latest: NodeReport | undefined;
/** How much later it is by the node's clock than it is. */
let laterMs = 0;

beforeAll(async () => {
  await bus.subscribe(TOPICS.nodes, { group: 'spec' }, async ({ value }) => void (latest = value as NodeReport));
  const credentials = await issue(await createAuthority(), { identity: { kind: 'site', site: 'nyc' as SiteId } });
  service = await startMediaNode({
    ...{ site: 'nyc' as SiteId, node: NODE as NodeId, capacity: 10, bus, credentials: () => credentials },
    clock: { now: () => Date.now(), monotonic: () => performance.now() + laterMs },
    listen: { host: '127.0.0.1', port: 0 },
    link: { host: '127.0.0.1', port: 0 },
    webRtc: { ip: '127.0.0.1', port: 31_920 },
    plain: { ip: '127.0.0.1', portMin: 31_921, portMax: 31_929 },
  });
}, 60_000);
afterAll(async () => {
  await service?.close();
  await bus.close();
});

const desire = async (epoch: number, revision: number, conference: string, change: Partial<NodeDesire> = {}) => {
  const value = { ...nodeDesire(NODE, [legDesire('nyc-ana', null)]), conference: conference as ConferenceId, ...change };
  await bus.publish({ topic: TOPICS.desires, key: NODE, value: { ...value, version: { epoch, revision } } });
};
const runs = () => Object.fromEntries((latest?.holds ?? []).map(({ conference, epoch }) => [conference, epoch]));
const nobody = { legs: [], pipes: [] };

describe('a media node', { timeout: 120_000 }, () => {
  it('does what the brain that took over wants, and nothing of what the one before it says, thawed, of this or another room', async () => {
    await desire(4, 1, 'standup');
    await expect.poll(runs, PATIENT).toEqual({ standup: 4 });
    await desire(5, 1, 'standup');
    await expect.poll(runs, PATIENT).toEqual({ standup: 5 });

    await desire(4, 99, 'standup', nobody);
    await desire(4, 99, 'board');
    await desire(5, 2, 'canteen');
    await expect.poll(() => runs()['canteen'], PATIENT).toBe(5);
    expect(runs()).toEqual({ standup: 5, canteen: 5 });
  });

  it('does what each of several brains wants in its rooms, and in none what one said before another took it over', async () => {
    const shared = { shared: true } as Partial<NodeDesire>;
    await desire(5, 3, 'attic', shared);
    await desire(3, 1, 'cellar', shared);
    await expect.poll(runs, PATIENT).toEqual({ standup: 5, canteen: 5, attic: 5, cellar: 3 });
    await desire(4, 99, 'attic', { ...shared, ...nobody });
    await desire(4, 1, 'cellar', { ...shared, ...nobody });
    await expect.poll(runs, PATIENT).toEqual({ standup: 5, canteen: 5, attic: 5 });
    await desire(6, 1, 'attic', { ...shared, ...nobody });
    await expect.poll(runs, PATIENT).toEqual({ standup: 5, canteen: 5 });
  });

  it('heeds no older desire of the same brain either, nor one that comes after the end', async () => {
    await desire(5, 7, 'standup', nobody);
    await expect.poll(runs, PATIENT).toEqual({ canteen: 5 });
    await desire(5, 6, 'standup');
    await desire(5, 1, 'canteen', nobody);
    await desire(5, 1, 'board');
    await expect.poll(() => runs()['board'], PATIENT).toBe(5);
    expect(runs()).toEqual({ canteen: 5, board: 5 });
  });

  it('that was removed says so where it says how it is, as long as it is told, and not for what was said to it long ago', async () => {
    const site = async () => {
      const { dependencies } = (await (await fetch(`${service.url}/healthz/ready`)).json()) as { dependencies: Record<string, string> };
      return dependencies['site'];
    };
    const dismissed = (node: string, at: number) => bus.publish({ topic: TOPICS.nodeDismissals, key: NODE, value: { node, at } });
    await dismissed(NODE, Date.now() - 600_000);
    await dismissed('nyc-9', Date.now());
    await desire(5, 1, 'terrace');
    await expect.poll(() => runs()['terrace'], PATIENT).toBe(5);
    expect(await site()).toBe('ok');
    await dismissed(NODE, latest!.at);
    await expect.poll(site, PATIENT).toMatch(/administrator removed this media node.*Stop it, or make this machine a node again/);
    laterMs += 6_000;
    expect(await site()).toBe('ok');
  });
});
