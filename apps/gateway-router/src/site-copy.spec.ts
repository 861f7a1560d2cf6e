import { beforeEach, describe, expect, it } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import { emptyEstate, type NodeWord } from '@isthmus/estate';
import type { SiteId } from '@isthmus/kernel';
import type { NodeReport } from '@isthmus/protocol';
import { SiteCopy } from './site-copy.js';

const NYC = 'nyc' as SiteId;
const report = (node: string, legs: number): NodeReport => ({
  ...{ node: node as never, site: NYC, clientUrl: `ws://${node}/media`, linkUrl: `wss://${node}`, rtpCapabilities: { codecs: [] } },
  ...{ capacity: 10, legs, cpu: 0, draining: false, pipes: [], at: 0 },
});

let copy: SiteCopy;
let revision = 0;
const say = (nodes: Readonly<Record<string, NodeWord['state']>>): void =>
  copy.estateTold({
    ...emptyEstate,
    revision: (revision += 1),
    nodes: Object.fromEntries(Object.entries(nodes).map(([node, state]) => [node, { site: NYC, state, since: revision }])),
  });

beforeEach(() => {
  copy = new SiteCopy(NYC, embeddedBus(), { now: () => 0, monotonic: () => 0 });
  copy.nodeReported(report('nyc-1', 1));
  copy.nodeReported(report('nyc-2', 2));
});

describe('where somebody who looks at a meeting link is connected to ahead of the click', () => {
  it('is the node with most room', () => {
    expect(copy.mediaUrl()).toBe('ws://nyc-1/media');
  });

  it('is no node that an administrator drains or has removed', () => {
    say({ 'nyc-1': 'draining' });
    expect(copy.mediaUrl()).toBe('ws://nyc-2/media');
    say({ 'nyc-1': 'draining', 'nyc-2': 'removed' });
    expect(copy.mediaUrl()).toBeUndefined();
    say({});
    expect(copy.mediaUrl()).toBe('ws://nyc-1/media');
  });

  it('and what devices are prepared with, is never what a removed node says', () => {
    say({ 'nyc-1': 'draining', 'nyc-2': 'removed' });
    expect(copy.rtpCapabilities()).toBeDefined();
    say({ 'nyc-1': 'removed', 'nyc-2': 'removed' });
    expect(copy.rtpCapabilities()).toBeUndefined();
  });
});
