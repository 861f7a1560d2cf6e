import type { MediaSession } from '../net/media-session.js';

const EVERY_MS = 4_000;
const WEAK_FROM_LOSS = 0.04;

/** Looks again and again how much of what others send is lost on the way, and says whether that is too much. */
export class Weather {
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly media: () => MediaSession | null,
    private readonly tell: (weak: boolean) => void,
  ) {}

  watch(): void {
    this.#timer ??= setInterval(() => void this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const loss = await this.media()
      ?.lossReceived()
      .catch(() => null);
    if (typeof loss === 'number') this.tell(loss > WEAK_FROM_LOSS);
  }
}
