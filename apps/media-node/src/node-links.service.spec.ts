import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { createAuthority, dial, issue, type SecureLink } from '@isthmus/peers-http';
import type { NodeId } from '@isthmus/placement';
import { linkNodes, type NodeLinks } from './node-links.js';

const PATIENT = { timeout: 30_000, interval: 20 };
const ONSET = { type: 'onset', conference: 'standup', leg: 'lon-1', level: -30 };
let nyc: NodeLinks;
const endings: (() => unknown)[] = [];

/** A node of London that speaks as the spec has it, what it was told in answer, and what New York's made of it. */
const callAs = async (hello: object) => {
  const happened: unknown[] = [];
  const authority = await createAuthority();
  const credentialsOf = (site: string) => issue(authority, { identity: { kind: 'site', site: site as SiteId } });
  const [ours, theirs] = await Promise.all([credentialsOf('nyc'), credentialsOf('lon')]);
  nyc = await linkNodes({
    site: 'nyc' as SiteId,
    node: 'nyc-0' as NodeId,
    listen: { host: '127.0.0.1', port: 0 },
    credentials: () => ours,
    translate: (host) => host,
    message: (from, message) => void happened.push({ from, type: message.type }),
    up: (node, says) => void happened.push({ up: node, ...says }),
    down: (node) => void happened.push({ down: node }),
    log: { warn: () => undefined },
  });
  endings.push(() => nyc.close());
  const said: unknown[] = [];
  const link = await new Promise<SecureLink>((resolve) => {
    const dialled = dial({ url: nyc.url, credentials: () => theirs, expect: () => true, onLink: resolve });
    endings.unshift(() => dialled.close());
  });
  link.onMessage((message) => void said.push(message));
  link.send({ type: 'hello', node: 'lon-0', site: 'lon', ...hello });
  return { link, said, happened };
};

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

describe('two nodes that are linked', () => {
  it('say that they say when a voice begins, and then do', async () => {
    const { link, said, happened } = await callAs({ onsets: true });
    link.send(ONSET);
    await vi.waitFor(
      () =>
        expect(happened).toEqual([
          { up: 'lon-0', onsets: true },
          { from: 'lon-0', type: 'onset' },
        ]),
      PATIENT,
    );
    await vi.waitFor(() => expect(said).toContainEqual({ type: 'hello', node: 'nyc-0', site: 'nyc', onsets: true }), PATIENT);
  });

  it('do not wait for such a word of a node of an older version, nor of one that is gone', async () => {
    const { link, happened } = await callAs({});
    await vi.waitFor(() => expect(happened).toEqual([{ up: 'lon-0', onsets: false }]), PATIENT);
    link.close('enough');
    await vi.waitFor(() => expect(happened).toContainEqual({ down: 'lon-0' }), PATIENT);
  });
});
