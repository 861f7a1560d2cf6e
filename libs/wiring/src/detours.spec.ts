import { describe, expect, it } from 'vitest';
import { DETOURS } from '@isthmus/bus-link';
import type { SiteId } from '@isthmus/kernel';
import { TOPICS } from '@isthmus/protocol';
import { admitted } from './detours.js';

const nyc = 'nyc' as SiteId;
const entering = (identity: Parameters<ReturnType<typeof admitted>>[0]['identity']) =>
  admitted(nyc, (node) => node === 'nyc-9')({ identity, name: 'gateway-router.1' });

describe('the door of a conference-brain', () => {
  it('lets the services of its site use every topic', () => {
    const every = new Set<string>(Object.values(TOPICS));
    const withDetours = new Set([...every, DETOURS]);
    expect(entering({ kind: 'site', site: nyc })).toEqual({ publish: withDetours, request: every, subscribe: withDetours });
  });

  it('lets a node that has a certificate of its own do what nodes do, and neither ask for seats nor read who is where', () => {
    const rights = entering({ kind: 'node', site: nyc, node: 'nyc-1' });
    expect(rights).toEqual({
      publish: new Set([TOPICS.nodes, TOPICS.mediaEvents, DETOURS]),
      request: new Set(),
      subscribe: new Set([TOPICS.desires, TOPICS.nodeDismissals, DETOURS]),
    });
  });

  it('is closed to a node that an administrator removed', () => {
    expect(entering({ kind: 'node', site: nyc, node: 'nyc-9' })).toBe('an administrator removed this media node');
  });

  it('is closed to other sites and to management', () => {
    expect(entering({ kind: 'site', site: 'lon' as SiteId })).toBe('this is the door of another site');
    expect(entering({ kind: 'management' })).toBe('this is the door of another site');
  });
});
