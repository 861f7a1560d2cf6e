import type { Bus, Cancel, Timers } from '@isthmus/ports';
import { TOPICS, type ViewPublished } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit/observing';

/** A bus that did not take a view is tried again after so long. */
const AGAIN_MS = 1_000;
/** Of what people should be told and was not, so much is kept for one meeting. */
const KEPT_MAX = 1_000;

/**
 * Tells the gateway-routers of its site how meetings stand, of each meeting one thing at a time. A quiet meeting may have nothing
 * more to say for an hour: so what a bus that is away did not take is told again, as the newest view, with all that was to be done
 * besides showing it. What comes while something is under way goes together in the same manner.
 */
export class ViewTeller {
  private readonly untold = new Map<string, ViewPublished>();
  private readonly underWay = new Set<string>();
  private readonly log = logOf('conference-brain');
  private again: Cancel | undefined;
  private troubled = false;

  constructor(
    private readonly bus: Bus,
    private readonly timers: Timers,
    private readonly stopped: AbortSignal,
  ) {}

  tell(news: ViewPublished): void {
    const { conference } = news.view;
    const before = this.untold.get(conference);
    this.untold.set(conference, before === undefined ? news : together(before, news));
    // After a failure, all that waits is tried at once, in a while.
    if (!this.underWay.has(conference) && this.again === undefined) void this.send(conference);
  }

  private async send(conference: string): Promise<void> {
    this.underWay.add(conference);
    for (let news = this.take(conference); news !== undefined; news = this.take(conference)) {
      try {
        await this.bus.publish({ topic: TOPICS.views, key: conference, value: news });
        this.troubled = false;
      } catch (error) {
        const since = this.untold.get(conference);
        this.untold.set(conference, since === undefined ? news : together(news, since));
        this.tryLater(error);
        break;
      }
    }
    this.underWay.delete(conference);
  }

  private take(conference: string): ViewPublished | undefined {
    const news = this.untold.get(conference);
    this.untold.delete(conference);
    return news;
  }

  private tryLater(error: unknown): void {
    if (this.stopped.aborted || this.again !== undefined) return;
    if (!this.troubled) this.log.warn({ error }, 'how meetings stand could not be told to the gateway-routers; it is tried again');
    this.troubled = true;
    this.again = this.timers.after(AGAIN_MS, () => {
      this.again = undefined;
      if (this.stopped.aborted) return;
      for (const conference of this.untold.keys()) if (!this.underWay.has(conference)) void this.send(conference);
    });
  }
}

/** Two that came one after the other, as one. */
const together = (earlier: ViewPublished, later: ViewPublished): ViewPublished => ({
  view: later.view,
  ended: [...earlier.ended, ...later.ended].slice(-KEPT_MAX),
  attach: [...new Map([...earlier.attach, ...later.attach].map((each) => [each.leg, each])).values()],
  notices: [...earlier.notices, ...later.notices].slice(-KEPT_MAX),
});
