import type { SiteId } from '@isthmus/kernel';

/** A site of which nothing has been heard for so long is taken for gone (merge rule 6). */
export const SILENT_FOR_GOOD_MS = 12 * 60 * 60 * 1_000;
/** More than this between two looks is our own absence, not theirs: we were frozen, or asleep. */
const LOOK_APART_MAX_MS = 10_000;

/**
 * For how long other sites have been out of reach while we were there to see. A duration on a clock that never steps, counted
 * anew after a restart: no wall clock ever writes a site off (merge rule 3).
 */
export class Silence {
  private readonly silentMs = new Map<SiteId, number>();
  private lookedAtMs: number | undefined;

  constructor(private readonly forGoodMs: number = SILENT_FOR_GOOD_MS) {}

  /** Call every second or so. */
  look(nowMs: number, sites: readonly SiteId[], reach: ReadonlySet<SiteId>): void {
    const passedMs = Math.min(nowMs - (this.lookedAtMs ?? nowMs), LOOK_APART_MAX_MS);
    this.lookedAtMs = nowMs;
    for (const site of this.silentMs.keys()) if (!sites.includes(site)) this.silentMs.delete(site);
    for (const site of sites) this.silentMs.set(site, reach.has(site) ? 0 : (this.silentMs.get(site) ?? 0) + passedMs);
  }

  isGone(site: SiteId): boolean {
    return (this.silentMs.get(site) ?? 0) >= this.forGoodMs;
  }
}
