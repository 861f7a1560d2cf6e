import { describe, expect, it } from 'vitest';
import { intermediaryOf, place, type NodeLoad } from './place.js';
import type { NodeId } from './desire.js';

const node = (name: string, legs: number, capacity = 10, draining = false): NodeLoad => ({
  node: name as NodeId,
  legs,
  capacity,
  draining,
});
const ids = (...names: string[]) => new Set(names as NodeId[]);

describe('placing a leg', () => {
  it('puts people of one conference together while that is comfortable', () => {
    expect(place([node('a', 6), node('b', 0)], ids('a'))).toBe('a');
  });
  it('moves on to the emptiest node when it is not', () => {
    expect(place([node('a', 8), node('b', 3), node('c', 2)], ids('a'))).toBe('c');
  });
  it('fills every node before it says no', () => {
    expect(place([node('a', 5, 5), node('b', 4, 5)], ids('a'))).toBe('b');
    expect(place([node('a', 5, 5), node('b', 5, 5)], ids('a', 'b'))).toBeUndefined();
  });
  it('puts nobody on a node that is draining, or that takes none', () => {
    expect(place([node('a', 0, 10, true), node('b', 0, 0)], ids())).toBeUndefined();
  });
});

describe('the intermediary', () => {
  it('stays while it carries anyone', () => {
    expect(intermediaryOf(['b', 'b', 'a'] as NodeId[], 'a' as NodeId)).toBe('a');
  });
  it('is followed by the node with the most legs', () => {
    expect(intermediaryOf(['b', 'c', 'b'] as NodeId[], 'a' as NodeId)).toBe('b');
    expect(intermediaryOf([], 'a' as NodeId)).toBeUndefined();
  });
});
