import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import { linkedBus } from '@isthmus/bus-link';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, issue, type Credentials } from '@isthmus/peers-http';
import { TOPICS } from '@isthmus/protocol';
import { OF_A_MEDIA_NODE, REMOVED, withDetour } from './detours.js';

const site = 'nyc' as SiteId;
const host = '127.0.0.1';
const patience = { timeout: 30_000, interval: 20 };
const open: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(it: T): T => {
  open.unshift(it);
  return it;
};
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

describe('the door of a conference-brain, past Kafka', () => {
  it('is closed to a media node that an administrator removed, and to it alone, from the moment that the brain knows', async () => {
    const authority = await createAuthority();
    const [ours, one, two] = await Promise.all([
      issue(authority, { identity: { kind: 'site', site } }),
      issue(authority, { identity: { kind: 'node', site, node: 'nyc-1' } }),
      issue(authority, { identity: { kind: 'node', site, node: 'nyc-2' } }),
    ]);
    const port = await freePort();
    const url = `wss://${host}:${port}`;
    const main = { ...embeddedBus({ report: () => undefined }), trouble: async () => undefined };
    const bus = keep(await withDetour('brain', main, { site, credentials: async () => ours, door: { host, port } }, { BUS_DOORS: url }));
    const said: string[] = [];
    const member = (name: string, credentials: Credentials) =>
      keep(
        linkedBus({
          ...{ url, name, credentials: () => credentials, expect: ({ kind }) => kind === 'site' },
          log: { warn: (fields, text) => said.push(`${name}: ${text} ${JSON.stringify(fields)}`), info: () => undefined },
        }),
      );
    const estate = (nodes: object) => bus.publish({ topic: TOPICS.estate, key: 'estate', value: { revision: 3, nodes } });
    const [removed, other] = [member('media-node.a', one), member('media-node.b', two)];
    await vi.waitFor(() => expect([removed, other].map((each) => each.linked())).toEqual([true, true]), patience);
    const word = (state: string) => ({ site, state, since: 3 });

    await estate({ 'nyc-1': word('removed'), 'nyc-2': word('draining') });
    await vi.waitFor(() => expect([removed, other].map((each) => each.linked())).toEqual([false, true]), patience);
    await vi.waitFor(() => expect(said.join('\n')).toContain(REMOVED), patience);
    const again = member('media-node.c', one);
    await vi.waitFor(() => expect(said.filter((line) => line.startsWith('media-node.c')).join('\n')).toContain(REMOVED), patience);
    expect(again.linked()).toBe(false);

    await estate({});
    await vi.waitFor(() => expect([removed, other, again].map((each) => each.linked())).toEqual([true, true, true]), patience);
    expect(OF_A_MEDIA_NODE.subscribe).toContain(TOPICS.nodeDismissals);
  });
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};
