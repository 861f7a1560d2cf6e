import { EventEmitter } from 'node:events';
import { DelayLine, PERFECT, type Condition } from './delay-line.js';
import { LinkMeter } from './link-meter.js';
import type { Place } from './relay-plan.js';

/** More than this many packets under way means that nobody could use them any more. */
const UNDER_WAY_MAX = 20_000;

/** One direction of the way between two places: its condition, its counters, and the packets under way on it. */
export class DirectedLink extends EventEmitter<{ changed: [] }> {
  readonly meter = new LinkMeter();
  condition: Condition = PERFECT;
  private readonly line: DelayLine<{ packet: Uint8Array; pass: (packet: Uint8Array) => void }>;

  constructor(
    readonly from: Place,
    readonly to: Place,
    private readonly random: () => number = Math.random,
  ) {
    super();
    // Every TCP lane on this link listens for changes.
    this.setMaxListeners(0);
    this.line = new DelayLine(({ packet, pass }) => this.passNow(packet, pass), random);
  }

  /** Lets a packet through, later, or not at all; what arrives is counted when it does. */
  packet(packet: Uint8Array, pass: (packet: Uint8Array) => void): void {
    const { cut, delayMs, jitterMs, lossPercent } = this.condition;
    const lost = cut || (lossPercent > 0 && this.random() * 100 < lossPercent) || this.line.length >= UNDER_WAY_MAX;
    if (lost) this.meter.drop();
    else if (delayMs === 0 && jitterMs === 0 && this.line.length === 0) this.passNow(packet, pass);
    else this.line.push({ packet, pass }, this.condition);
  }

  change(change: Partial<Condition>): void {
    this.condition = { ...this.condition, ...change };
    this.emit('changed');
  }

  close(): void {
    this.line.clear();
    this.removeAllListeners();
  }

  private passNow(packet: Uint8Array, pass: (packet: Uint8Array) => void): void {
    // A cut takes what is under way, too.
    if (this.condition.cut) return this.meter.drop();
    this.meter.packet(packet, performance.now());
    pass(packet);
  }
}
