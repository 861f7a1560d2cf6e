import { describe, expect, it } from 'vitest';
import { clientIdOf, keepIn, nextConnect, type Keep } from './identity.js';

const keep = (): Keep => {
  const kept = new Map<string, string>();
  return { get: (key) => kept.get(key) ?? null, set: (key, value) => void kept.set(key, value) };
};
/** Locks of one browser: a name is held by the first tab that asks. */
const locks = () => {
  const held = new Set<string>();
  return { claim: async (name: string) => !held.has(name) && Boolean(held.add(name)), free: () => held.clear() };
};

describe('who this client is', () => {
  it('stays the same on this device after a restart', async () => {
    const device = keep();
    const { claim, free } = locks();
    const first = await clientIdOf(device, keep(), claim);
    free();
    expect(await clientIdOf(device, keep(), claim)).toBe(first);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is somebody else in a second tab that is open at the same time, and stays that when the tab is reloaded', async () => {
    const device = keep();
    const { claim, free } = locks();
    const first = await clientIdOf(device, keep(), claim);
    const tab = keep();
    const second = await clientIdOf(device, tab, claim);
    expect(second).not.toBe(first);
    free();
    await claim(first);
    expect(await clientIdOf(device, tab, claim)).toBe(second);
  });

  it('is made anew when what was kept is no id', async () => {
    const device = keep();
    device.set('client', 'no id\n');
    expect(await clientIdOf(device, keep(), locks().claim)).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('the count of connections', () => {
  it('only ever grows, and survives nonsense', () => {
    const device = keep();
    expect([nextConnect(device), nextConnect(device)]).toEqual([1, 2]);
    device.set('connect', 'many');
    expect(nextConnect(device)).toBe(1);
  });
});

describe('a browser that keeps nothing', () => {
  it('is remembered for as long as the page lives', () => {
    const forbidden = keepIn(() => {
      throw new DOMException('no', 'SecurityError');
    });
    forbidden.set('name', 'Ana');
    expect(forbidden.get('name')).toBe('Ana');
    expect(forbidden.get('other')).toBeNull();
  });
});
