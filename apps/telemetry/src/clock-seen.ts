/** Among the samples of so long, one is taken to have come without delay. ms. */
const WINDOW_MS = 15_000;
/** Fewer say nothing: each of them may have been late. */
const SAMPLES_MIN = 3;

interface Sample {
  readonly offsetMs: number;
  readonly at: number;
}

/**
 * By how much another clock is off ours, from messages that say when they were sent. A message can be late, which makes the
 * other clock look slow, but never early; so the one that makes it look fastest came with the least delay and tells best (as
 * in NTP's clock filter, RFC 5905 §10).
 */
export class ClockSeen {
  private samples: Sample[] = [];

  /** @param offsetMs the other clock when it was sent, less ours when it came. @param at our monotonic clock */
  note(offsetMs: number, at: number): void {
    this.samples = [...this.samples.filter((sample) => at - sample.at < WINDOW_MS), { offsetMs, at }];
  }

  /** 0 while too little is known. @param now our monotonic clock */
  offsetMs(now: number): number {
    const recent = this.samples.filter(({ at }) => now - at < WINDOW_MS);
    return recent.length < SAMPLES_MIN ? 0 : Math.max(...recent.map(({ offsetMs }) => offsetMs));
  }
}
