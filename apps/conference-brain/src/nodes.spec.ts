import { beforeEach, describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import type { NodeId } from '@isthmus/placement';
import type { NodeReport } from '@isthmus/protocol';
import { sampleNode } from '@isthmus/contract/samples';
import { LOOK_EVERY_MS, Nodes } from './nodes.js';

const [one, two] = ['nyc-1', 'nyc-2'] as NodeId[] as [NodeId, NodeId];
const report = (node: NodeId, more: Partial<NodeReport> = {}): NodeReport => sampleNode('nyc' as SiteId, { node, capacity: 10, ...more });

let now: number;
let nodes: Nodes;
/** Time goes by, and nodes are looked after as often as they should be. */
const pass = (ms: number, reporting: readonly NodeId[]) => {
  for (const until = now + ms; now < until; nodes.look()) {
    now += LOOK_EVERY_MS;
    for (const node of reporting) nodes.heard(report(node));
  }
};

beforeEach(() => {
  now = 1_000;
  nodes = new Nodes(() => now);
  nodes.look();
  for (const node of [one, two]) nodes.heard(report(node));
});

describe('the nodes of a site', () => {
  it('are lost when they have said nothing for four seconds, and get nobody new after three', () => {
    pass(3_500, [two]);
    expect([one, two].map((node) => nodes.isLost(node))).toEqual([false, false]);
    expect(nodes.loads(new Map()).map(({ draining }) => draining)).toEqual([true, false]);
    pass(1_000, [two]);
    expect([one, two].map((node) => nodes.isLost(node))).toEqual([true, false]);
  });

  it('are not lost because we slept, however long', () => {
    pass(1_000, [one, two]);
    now += 60_000;
    nodes.look();
    expect([one, two].map((node) => nodes.isLost(node))).toEqual([false, false]);
    pass(5_000, [one]);
    expect([one, two].map((node) => nodes.isLost(node))).toEqual([false, true]);
  });

  it('are lost at once when somebody saw them end, which is news once', () => {
    expect([nodes.ended(one), nodes.ended(one), nodes.ended('nyc-9' as NodeId)]).toEqual([true, false, false]);
    expect([nodes.isLost(one), nodes.isLeaving(one), nodes.ready]).toEqual([true, true, true]);
  });

  it('are there again with their first report, which is news', () => {
    nodes.ended(one);
    expect(nodes.heard(report(one))).toBe(true);
    expect(nodes.heard(report(one))).toBe(false);
    expect(nodes.isLost(one)).toBe(false);
  });

  it('are to be emptied while they drain, which is news when it begins', () => {
    expect(nodes.heard(report(one, { draining: true }))).toBe(true);
    expect([nodes.isLeaving(one), nodes.isLost(one)]).toEqual([true, false]);
  });
});
