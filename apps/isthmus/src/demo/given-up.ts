import type { Supervision } from '@isthmus/protocol';
import { RESTARTS_MAX, WINDOW_MS, type Supervised } from './supervised.js';

/**
 * Which parts have been given up. Management is told, so that it is an alarm for everybody and not only a line for whoever sits in
 * front of the demo; and told once more when it was started anew itself, because it does not remember.
 */
export class GivenUp {
  private readonly parts: Supervision[] = [];
  /** Who is told. */
  management: Supervised | undefined;

  add(part: Pick<Supervision, 'part' | 'site' | 'node'>): void {
    this.parts.push({ ...part, state: 'given-up', endings: RESTARTS_MAX + 1, withinMs: WINDOW_MS });
    this.tell();
  }

  tell(): void {
    // If management is away it is told when it is back; if it is what was given up, nobody is left to tell.
    for (const part of this.parts) this.management?.ask('supervision', JSON.stringify(part)).catch(() => undefined);
  }
}
