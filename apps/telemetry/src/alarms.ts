import type { Alarm } from '@isthmus/protocol';

/** Something that is wrong right now; an alarm once it has been so for `forMs`. */
export interface Condition extends Omit<Alarm, 'raisedAt'> {
  readonly forMs: number;
}

interface Standing {
  condition: Condition;
  /** When it began: on our monotonic clock, and for people. */
  readonly sinceMs: number;
  readonly at: number;
}

/** Keeps alarms: raised when a condition lasts, cleared by themselves when it ends, never twice for the same thing. */
export class Alarms {
  private readonly standing = new Map<string, Standing>();

  /** Everything that is wrong now, each time; answers with what has been so for long enough, the newest first. */
  update(conditions: readonly Condition[], clock: { readonly now: number; readonly monotonic: number }): readonly Alarm[] {
    const present = new Set(conditions.map(({ id }) => id));
    for (const id of this.standing.keys()) if (!present.has(id)) this.standing.delete(id);
    for (const condition of conditions) {
      const before = this.standing.get(condition.id);
      if (before) before.condition = condition;
      else this.standing.set(condition.id, { condition, sinceMs: clock.monotonic, at: clock.now });
    }
    return [...this.standing.values()]
      .filter(({ condition, sinceMs }) => clock.monotonic - sinceMs >= condition.forMs)
      .map(({ condition: { forMs: _, ...alarm }, at }) => ({ ...alarm, raisedAt: at }))
      .sort((a, b) => b.raisedAt - a.raisedAt || (a.id < b.id ? -1 : 1));
  }
}
