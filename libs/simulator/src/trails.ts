import type { Sight, Told } from './sight.js';

/** Somebody who came, as the fact of it says. */
export interface Arrival {
  readonly told: Told;
  readonly leg: string;
  readonly person: string;
  readonly site: string;
  readonly role: string;
  /** The highest that was said of this leg. */
  readonly connect: number;
  /** Which of its role's PINs they proved, by its generation; 0 if there was none (ADR 0030). */
  readonly proof: number;
  /** Another leg of theirs, which they left for this one (ADR 0090). */
  readonly from?: string;
}

/** Of the legs of one person that nobody ended, those that stay: the newest, and if they move, the newest of those that it is from or that are from it. */
export const sideBySide = (legs: readonly Arrival[]): readonly Arrival[] => {
  const newestOf = (some: readonly Arrival[]) =>
    some.reduce<Arrival | undefined>((best, leg) => (best !== undefined && best.connect > leg.connect ? best : leg), undefined);
  const newest = newestOf(legs);
  const other = newestOf(legs.filter((leg) => leg !== newest && (newest?.from === leg.leg || leg.from === newest?.leg)));
  return [newest, other].filter((leg) => leg !== undefined);
};

/** What those who moved came by, and whom that concerns. */
export class Trails {
  constructor(
    private readonly arrivals: ReadonlyMap<string, Arrival>,
    private readonly sight: Sight,
  ) {}

  /** A leg and those of the same person that they moved from to get there: what hosts said about one stands for all. */
  of(leg: string): readonly string[] {
    const trail = [leg];
    for (let at = this.arrivals.get(leg); at?.from !== undefined; at = this.arrivals.get(at.from)) {
      const before = this.arrivals.get(at.from);
      if (before?.person !== at.person || trail.includes(before.leg)) break;
      trail.push(before.leg);
    }
    return trail;
  }

  /** Whether a lock left this person no stranger: somebody locked who saw them in or at the door, or they came or moved knowing of the lock. */
  isKnownTo(lock: Told, leg: string): boolean {
    return this.#known(lock, leg).length > 0;
  }

  /** The same, and beyond doubt: whoever was at the door may have been let in by what nobody saw who locked. */
  isKnownInside(lock: Told, leg: string): boolean {
    return this.#known(lock, leg).some(({ told }) => told.type === 'LegJoined');
  }

  /**
   * PINs that were changed since this person proved theirs, by somebody who did not know them in that role, as this leg or one that they
   * moved from (ADR 0030, 0098).
   */
  outdated(leg: string, changes: readonly Told[]): readonly Told[] {
    const came = this.arrivals.get(leg);
    if (came === undefined) return [];
    const { role, proof } = came;
    const known = this.of(leg).flatMap((each) => this.arrivals.get(each) ?? []);
    const knew = (change: Told) => known.some((each) => each.role === role && this.sight.saw(change, each.told));
    return changes.filter((change) => (change.body[role] as number) > proof && !knew(change));
  }

  #known(lock: Told, leg: string): readonly Arrival[] {
    const { saw } = this.sight;
    const arrivals = this.of(leg).flatMap((each) => this.arrivals.get(each) ?? []);
    return arrivals.filter(({ role, told }) => role === 'host' || saw(told, lock) || saw(lock, told));
  }
}
