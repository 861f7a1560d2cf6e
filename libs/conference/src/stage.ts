import type { LegId } from './words.js';

/** Current speaker large and up to this many recent speakers small (white paper, statement S17). */
export const THUMBNAILS_MAX = 7;

/** What one participant sees. */
export interface Stage {
  readonly main: LegId | null;
  readonly thumbnails: readonly LegId[];
}

/**
 * What one participant sees: the current speaker large, unless that is themself, in which case the previous speaker; then
 * the others, most recently heard first. `byRecency` holds whoever may be shown, the most recent speaker first.
 */
export const stageOf = (viewer: LegId, byRecency: readonly LegId[]): Stage => {
  const [main = null, ...others] = byRecency.filter((leg) => leg !== viewer);
  return { main, thumbnails: others.slice(0, THUMBNAILS_MAX) };
};
