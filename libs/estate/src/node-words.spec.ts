import { describe, expect, it } from 'vitest';
import { IsthmusError, type SiteId } from '@isthmus/kernel';
import { decideEstate, emptyEstate, evolveEstate, nodeWordOf, type Estate, type EstateCommand, type Site } from './index.js';

const LON = 'lon' as SiteId;
const london: Site = { id: LON, name: 'London', meetUrl: 'https://meet.lon.example', linkUrl: 'wss://lon.example:7201' };
type What = 'DrainNode' | 'UndrainNode' | 'RemoveNode' | 'AdmitNode';
const of = (type: What, id = 'lon-2', site = LON): EstateCommand => ({ type, id, site });

/** The estate after these commands, each decided against what the ones before it led to. */
const after = (...commands: readonly EstateCommand[]): Estate =>
  [{ type: 'EnrolSite', site: london } as const, ...commands].reduce(
    (estate, command) => decideEstate(command, estate).reduce((now, fact) => evolveEstate(now, { type: fact.type, body: fact }), estate),
    emptyEstate,
  );
const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return (error as IsthmusError).code;
  }
  return undefined;
};

describe('a media node', () => {
  it('of which nothing was said does its work', () => {
    expect(nodeWordOf(after(), 'lon-2')).toBeUndefined();
    expect(nodeWordOf(after(of('UndrainNode')), 'lon-2')).toBeUndefined();
  });

  it('is to be emptied from a revision on, and that once', () => {
    const estate = after(of('DrainNode'));
    expect(nodeWordOf(estate, 'lon-2')).toEqual({ site: 'lon', state: 'draining', since: 2 });
    expect(decideEstate(of('DrainNode'), estate)).toEqual([]);
  });

  it('is taken back as if nothing had been said, and is drained anew under a later revision', () => {
    expect(nodeWordOf(after(of('DrainNode'), of('UndrainNode')), 'lon-2')).toBeUndefined();
    expect(nodeWordOf(after(of('DrainNode'), of('UndrainNode'), of('DrainNode')), 'lon-2')?.since).toBe(4);
  });

  it('that was removed neither drains nor comes back by itself, but when a machine enrols as it', () => {
    const estate = after(of('DrainNode'), of('RemoveNode'));
    expect(nodeWordOf(estate, 'lon-2')).toMatchObject({ state: 'removed', since: 3 });
    expect(decideEstate(of('RemoveNode'), estate)).toEqual([]);
    for (const type of ['DrainNode', 'UndrainNode'] as const) expect(codeOf(() => decideEstate(of(type), estate))).toBe('node.removed');
    expect(nodeWordOf(after(of('RemoveNode'), of('AdmitNode')), 'lon-2')).toBeUndefined();
  });

  it('keeps what was said of it when its machine enrols while it drains', () => {
    expect(nodeWordOf(after(of('DrainNode'), of('AdmitNode')), 'lon-2')?.state).toBe('draining');
  });

  it('is of a site that exists, and has a name that can be one', () => {
    expect(codeOf(() => decideEstate(of('DrainNode', 'nyc-1', 'nyc' as SiteId), after()))).toBe('site.unknown');
    expect(codeOf(() => decideEstate(of('DrainNode', '__proto__'), after()))).toBe('node.id-invalid');
  });

  it('of a site that ends is drained no more when the site begins anew; one that was removed stays so', () => {
    const again = after(of('DrainNode'), of('RemoveNode', 'lon-3'), { type: 'RemoveSite', id: LON }, { type: 'EnrolSite', site: london });
    expect(nodeWordOf(again, 'lon-2')).toBeUndefined();
    expect(nodeWordOf(again, 'lon-3')?.state).toBe('removed');
  });
});

describe('a site that is to end', () => {
  const paris: Site = { ...london, id: 'par' as SiteId, name: 'Paris' };
  const drain = (id: string): EstateCommand => ({ type: 'ChangeSite', id: id as SiteId, change: { draining: true } });

  it('drains, and is taken back', () => {
    const estate = after({ type: 'EnrolSite', site: paris }, drain('lon'));
    expect(estate.sites[LON]).toMatchObject({ draining: true });
    expect(decideEstate({ type: 'ChangeSite', id: LON, change: { draining: false } }, estate)).toHaveLength(1);
  });

  it('is not the last one that takes people', () => {
    expect(codeOf(() => decideEstate(drain('lon'), after()))).toBe('site.last');
    const estate = after({ type: 'EnrolSite', site: paris }, drain('lon'));
    expect(codeOf(() => decideEstate(drain('par'), estate))).toBe('site.last');
  });
});
