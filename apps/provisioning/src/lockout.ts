import type { Clock } from '@isthmus/ports';

interface Tally {
  failures: number;
  /** On the monotonic clock, ms. */
  blockedUntil: number;
  lastAt: number;
}

const FIRST_BLOCK_MS = 30_000;
const LONGEST_BLOCK_MS = 15 * 60_000;
/** Failures are forgotten after this long without another. */
const FORGET_MS = 30 * 60_000;
const TALLIES_MAX = 10_000;

/**
 * Makes guessing slow: after `allowed` failures a key (a name from an address, an address) is blocked, first for 30 s, twice
 * as long each time, at most 15 minutes. Durations, not deadlines of the wall clock, so that a clock that steps opens nothing.
 */
export class Lockout {
  private readonly tallies = new Map<string, Tally>();

  constructor(
    private readonly clock: Clock,
    private readonly allowed: number,
  ) {}

  /** How long the key is still blocked, s; 0 if it is not. */
  blockedForSeconds(key: string): number {
    const tally = this.tallies.get(key);
    return tally ? Math.max(0, Math.ceil((tally.blockedUntil - this.clock.monotonic()) / 1000)) : 0;
  }

  /** Counts one attempt as failed before its outcome is known, so that many at once are not many for free. */
  charge(key: string): void {
    const now = this.clock.monotonic();
    const before = this.tallies.get(key);
    const tally = before && now - before.lastAt < FORGET_MS ? before : { failures: 0, blockedUntil: 0, lastAt: now };
    tally.failures += 1;
    tally.lastAt = now;
    if (tally.failures >= this.allowed)
      tally.blockedUntil = now + Math.min(FIRST_BLOCK_MS * 2 ** (tally.failures - this.allowed), LONGEST_BLOCK_MS);
    this.tallies.delete(key);
    this.tallies.set(key, tally);
    this.forgetTheOldest();
  }

  /** The attempt was good after all: all is forgiven. */
  forgive(key: string): void {
    this.tallies.delete(key);
  }

  private forgetTheOldest(): void {
    for (const key of this.tallies.keys()) {
      if (this.tallies.size <= TALLIES_MAX) return;
      this.tallies.delete(key);
    }
  }
}
