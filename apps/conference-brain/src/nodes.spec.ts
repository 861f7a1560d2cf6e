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

  it('get nobody new, and are left, when an administrator wants them emptied, and are used again when they are taken back', () => {
    const word = { site: 'nyc' as SiteId, state: 'draining', since: 2 } as const;
    expect(nodes.told({ nodes: { [one]: word } })).toBe(true);
    expect(nodes.told({ nodes: { [one]: word } })).toBe(false);
    expect(nodes.loads(new Map()).map(({ draining }) => draining)).toEqual([true, false]);
    expect([one, two].map((node) => [nodes.isLeaving(node), nodes.isLost(node)])).toEqual([
      [true, false],
      [false, false],
    ]);
    expect(nodes.ready).toBe(true);
    nodes.told({ nodes: { [one]: word, [two]: word } });
    expect(nodes.ready).toBe(false);
    expect(nodes.told({ nodes: {} })).toBe(true);
    expect([one, two].map((node) => nodes.isLeaving(node))).toEqual([false, false]);
  });

  it('that were removed are lost, whatever they report', () => {
    nodes.told({ nodes: { [one]: { site: 'nyc' as SiteId, state: 'removed', since: 2 } } });
    expect(nodes.heard(report(one))).toBe(false);
    expect([one, two].map((node) => nodes.isLost(node))).toEqual([true, false]);
    expect(nodes.there([one, two])).toEqual([two]);
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
