import type { Clock } from '@isthmus/ports';
import type { GatewayToClient, MeetingView } from '@isthmus/protocol';
import type { JsonSocket } from '@isthmus/service-kit';

export type Line = JsonSocket<GatewayToClient>;

/** A person cannot see faster, and a roster of 50 is 8 kB. */
const APART_MS = 30;
/** With so much unsent, another view would only be late. */
const BACKLOG_BYTES = 256 * 1024;
const STUCK_MS = 10_000;

/** Keeps one client up to date, the latest view at a time: what it had no time to read is never queued. */
export class ViewFeed {
  private latest: MeetingView | undefined;
  private timer: NodeJS.Timeout | undefined;
  private sentAt = -Infinity;
  private stuckAt: number | undefined;
  private last = '';

  constructor(
    private readonly line: Line,
    private readonly clock: Clock,
  ) {}

  show(view: MeetingView): void {
    this.latest = view;
    if (this.timer === undefined) this.sendAfter(this.sentAt + APART_MS - this.clock.monotonic());
  }

  /** The client has been told this much by another message. */
  told(view: MeetingView): void {
    this.last = JSON.stringify({ ...view, revision: 0 });
    this.sentAt = this.clock.monotonic();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.latest = undefined;
  }

  private sendAfter(waitMs: number): void {
    if (waitMs <= 0) return this.send();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.send();
    }, waitMs);
  }

  private send(): void {
    if (this.latest === undefined || !this.line.open) return;
    const now = this.clock.monotonic();
    if (this.line.backlogBytes > BACKLOG_BYTES) {
      this.stuckAt ??= now;
      if (now - this.stuckAt > STUCK_MS) return this.line.close(1013, 'You do not read what is sent.');
      return this.sendAfter(250);
    }
    this.stuckAt = undefined;
    const view = this.latest;
    this.latest = undefined;
    // Most changes elsewhere change nothing for a viewer but the revision.
    const text = JSON.stringify({ ...view, revision: 0 });
    if (text === this.last) return;
    this.last = text;
    this.sentAt = now;
    this.line.send({ type: 'view', view });
  }
}
