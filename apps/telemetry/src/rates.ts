/** Bytes since a counter began, by kind. */
export interface Traffic {
  readonly videoBytes: number;
  readonly audioBytes: number;
  readonly rtcpBytes: number;
}

export interface Kbps {
  readonly videoKbps: number;
  readonly audioKbps: number;
  readonly rtcpKbps: number;
}

interface Sample {
  /** On the clock of whoever counted, ms. */
  readonly at: number;
  readonly traffic: Traffic;
}

interface Line {
  readonly samples: Sample[];
  /** On our monotonic clock, ms. */
  heardAt: number;
}

/** Mean over so long. Longer than a report's interval, so that one late report makes no spike; short enough to follow the floor. */
const WINDOW_MS = 4_000;
/** A counter that nobody mentions any more for so long has stopped. */
const STALE_MS = 3_000;
const FORGET_MS = 60_000;

export const NO_TRAFFIC: Kbps = { videoKbps: 0, audioKbps: 0, rtcpKbps: 0 };

/** Turns growing counters into rates. Time is the counter's own clock, so that reports which arrive late or in a bunch change nothing. */
export class Rates {
  private readonly lines = new Map<string, Line>();

  note(key: string, at: number, traffic: Traffic, now: number): void {
    const line = this.lines.get(key) ?? { samples: [], heardAt: now };
    this.lines.set(key, line);
    const last = line.samples.at(-1);
    if (last && at === last.at) return;
    // A counter that went back began anew, and so did a clock that stepped: what was before says nothing about now.
    if (last && (at < last.at || at - last.at > 10 * WINDOW_MS || shrank(last.traffic, traffic))) line.samples.length = 0;
    line.samples.push({ at, traffic });
    while (line.samples.length > 2 && at - (line.samples[1]?.at ?? at) >= WINDOW_MS) line.samples.shift();
    line.heardAt = now;
  }

  of(key: string, now: number): Kbps {
    const line = this.lines.get(key);
    const first = line?.samples[0];
    const last = line?.samples.at(-1);
    if (!line || !first || !last || first === last || now - line.heardAt > STALE_MS) return NO_TRAFFIC;
    const kbps = (a: number, b: number) => Math.round(((b - a) * 8) / (last.at - first.at));
    return {
      videoKbps: kbps(first.traffic.videoBytes, last.traffic.videoBytes),
      audioKbps: kbps(first.traffic.audioBytes, last.traffic.audioBytes),
      rtcpKbps: kbps(first.traffic.rtcpBytes, last.traffic.rtcpBytes),
    };
  }

  forget(now: number): void {
    for (const [key, { heardAt }] of this.lines) if (now - heardAt > FORGET_MS) this.lines.delete(key);
  }
}

export const sumOf = (rates: readonly Kbps[]): Kbps =>
  rates.reduce(
    (sum, { videoKbps, audioKbps, rtcpKbps }) => ({
      videoKbps: sum.videoKbps + videoKbps,
      audioKbps: sum.audioKbps + audioKbps,
      rtcpKbps: sum.rtcpKbps + rtcpKbps,
    }),
    NO_TRAFFIC,
  );

const shrank = (before: Traffic, after: Traffic): boolean =>
  after.videoBytes < before.videoBytes || after.audioBytes < before.audioBytes || after.rtcpBytes < before.rtcpBytes;
