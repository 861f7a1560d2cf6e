import type { ConferenceAct, LegId } from '@isthmus/conference';
import { expect } from 'vitest';
import { compareSites } from '../comparison.js';
import type { Window } from '../people.js';
import type { World } from '../world.js';

/** What happens in a world by itself before anybody does anything: its sites find each other, ms. */
const BEGINNING_MS = 1_500;
/** Enough for whatever somebody does to be everywhere, ms. */
const DONE_AFTER_MS = 1_000;

/** The words in which a spec tells what happens in a world, in its first room. @param world the one of the spec that runs now */
export const byHand = (world: () => World) => {
  const passes = (ms: number) => world().schedule.runUntil(world().schedule.nowMs + ms);
  const siteAt = (at: number) => world().sites[at]!;
  const seatsAt = (at: number) => siteAt(at).views.get('r0')?.seats ?? [];
  return {
    passes,
    siteAt,
    seatsAt,
    legsAt: (at: number): readonly LegId[] => seatsAt(at).map(({ leg }) => leg),
    begins: async (): Promise<void> => {
      world().begin();
      await passes(BEGINNING_MS);
    },
    /** Somebody new, or the person of another window `again`. */
    comes: async (at: number, role: 'host' | 'guest', again?: Window): Promise<Window> => {
      const window = world().people.opens(siteAt(at), 'r0', again?.person ?? { role });
      await passes(DONE_AFTER_MS);
      return window;
    },
    does: async (window: Window, act: ConferenceAct): Promise<void> => {
      world().people.acts(window, act);
      await passes(DONE_AFTER_MS);
    },
    cut: (one: number, other: number): void => {
      world().network.cut(siteAt(one).id, siteAt(other).id);
      world().network.cut(siteAt(other).id, siteAt(one).id);
    },
    heal: (): void => {
      const { sites, network } = world();
      for (const { id: from } of sites) for (const { id: to } of sites) network.heal(from, to);
    },
    /** All sites are alike, and nothing was ever wrong. */
    allIsWell: (): void => {
      compareSites(world());
      expect(world().ledger.violations).toEqual([]);
    },
  };
};
