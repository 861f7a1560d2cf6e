import { describe, expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import { isTold, whomToTell } from './onsets.js';

const NYC = 'nyc' as SiteId;
const ANA = 'nyc-1' as LegId;
const BEN = 'lon-1' as LegId;
const pipe = (site: string, node: string, legs: readonly LegId[], voice = true): NodeDesire['pipes'][number] => ({
  to: { site: site as SiteId, node: node as NodeId, url: '' },
  sends: legs.map((leg) => ({ leg, large: false, small: true, voice })),
});
const all = () => true;
const nodes = (told: readonly { readonly node: NodeId }[]) => told.map(({ node }) => node);

describe('who is told that a voice begins', () => {
  it('is every node of another site that gets the voice', () => {
    const pipes = [pipe('lon', 'lon-0', [ANA]), pipe('cpt', 'cpt-0', [ANA]), pipe('syd', 'syd-0', [ANA], false), pipe('rio', 'rio-0', [])];
    expect(nodes(whomToTell(ANA, 'client', pipes, all))).toEqual(['lon-0', 'cpt-0']);
  });

  it('is a node of our own site only for voices of other sites', () => {
    const pipes = [pipe('nyc', 'nyc-1', [ANA, BEN])];
    expect(nodes(whomToTell(ANA, 'nyc-0' as NodeId, pipes, all))).toEqual([]);
    expect(nodes(whomToTell(BEN, 'lon-0' as NodeId, pipes, all))).toEqual(['nyc-1']);
  });

  it('is never the node that the voice comes from, nor one that would not understand it', () => {
    const pipes = [pipe('lon', 'lon-0', [BEN]), pipe('cpt', 'cpt-0', [BEN])];
    expect(nodes(whomToTell(BEN, 'cpt-0' as NodeId, pipes, (node) => node !== 'lon-0'))).toEqual([]);
  });
});

describe('who need not listen', () => {
  it('is who gets the voice of another site from a node that tells', () => {
    expect(isTold({ leg: BEN, from: 'lon-0' as NodeId }, NYC, all)).toBe(true);
    expect(isTold({ leg: BEN, from: 'lon-0' as NodeId }, NYC, () => false)).toBe(false);
  });

  it('is nobody for the voices of the own site, from which the floor follows', () => {
    expect(isTold({ leg: ANA, from: 'client' }, NYC, all)).toBe(false);
    expect(isTold({ leg: ANA, from: 'nyc-1' as NodeId }, NYC, all)).toBe(false);
  });
});
