import type { MediaSession, SessionOptions } from './media-session.js';
import type { MediaPlace } from './seat.js';

/**
 * Keeps a bot's media where its seat was last said to be: attaches, moves when the seat moves, and attaches again when a
 * session is lost. Attempts are made one after the other; an older place is never returned to.
 */
const AGAIN_MS = 500;

export interface KeeperOptions {
  /** Attaches at a place; `onLost` belongs into the session's options. */
  readonly attach: (place: MediaPlace, onLost: SessionOptions['onLost']) => Promise<MediaSession>;
  readonly onAgain: (why: string) => void;
}

export class MediaKeeper {
  private current: MediaSession | null = null;
  private place: MediaPlace | null = null;
  private turn: Promise<void> = Promise.resolve();
  private again: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(private readonly options: KeeperOptions) {}

  get session(): MediaSession | null {
    return this.current;
  }

  /** Be at `place` from now on. Rejects if the first attempt fails; later ones are repeated until they succeed. */
  go(place: MediaPlace): Promise<void> {
    const first = this.place === null;
    this.place = place;
    // Waiting to try an older place again must not keep this one from being tried again.
    if (this.again) clearTimeout(this.again);
    this.again = null;
    const attempt = this.turn.then(() => this.attach(place, first));
    this.turn = attempt.catch(() => {});
    return attempt;
  }

  /** Media come from `place` by a session that was made elsewhere; the one before is closed. */
  adopt(place: MediaPlace, session: MediaSession): void {
    const before = this.current;
    this.place = place;
    this.current = session;
    before?.close();
  }

  /** The session at `place` is gone. */
  lost(place: MediaPlace, why: string): void {
    if (place === this.place) this.current = null;
    this.repeat(place, why);
  }

  close(): void {
    this.closed = true;
    if (this.again) clearTimeout(this.again);
    this.current?.close();
    this.current = null;
  }

  private async attach(place: MediaPlace, first: boolean): Promise<void> {
    if (this.closed || place !== this.place) return;
    this.current?.close();
    this.current = null;
    try {
      const session = await this.options.attach(place, (why) => this.lost(place, why));
      if (this.closed) session.close();
      else this.current = session;
    } catch (error) {
      if (first) throw error;
      this.repeat(place, String(error));
    }
  }

  private repeat(place: MediaPlace, why: string): void {
    if (this.closed || place !== this.place || this.again) return;
    this.options.onAgain(why);
    this.again = setTimeout(() => {
      this.again = null;
      if (place === this.place) void this.go(place);
    }, AGAIN_MS);
  }
}
