import type { Traffic } from './rates.js';

const NONE: Traffic = { videoBytes: 0, audioBytes: 0, rtcpBytes: 0 };

/** Adds up counters that come and go (pipes live as long as a conference) into totals per label that only grow, as Prometheus wants them. */
export class Odometer {
  private readonly last = new Map<string, Traffic>();
  private readonly totals = new Map<string, Traffic>();

  note(key: string, label: string, traffic: Traffic): void {
    const before = this.last.get(key) ?? NONE;
    this.last.set(key, traffic);
    const total = this.totals.get(label) ?? NONE;
    this.totals.set(label, {
      videoBytes: total.videoBytes + grown(before.videoBytes, traffic.videoBytes),
      audioBytes: total.audioBytes + grown(before.audioBytes, traffic.audioBytes),
      rtcpBytes: total.rtcpBytes + grown(before.rtcpBytes, traffic.rtcpBytes),
    });
  }

  /** Forgets counters of one owner (the part of the key before `>`) that it no longer mentions. */
  forgetExcept(owner: string, mentioned: ReadonlySet<string>): void {
    for (const key of this.last.keys()) if (key.startsWith(`${owner}>`) && !mentioned.has(key)) this.last.delete(key);
  }

  entries(): readonly (readonly [label: string, traffic: Traffic])[] {
    return [...this.totals];
  }
}

/** A counter that went back began anew. */
const grown = (before: number, after: number): number => (after >= before ? after - before : after);
