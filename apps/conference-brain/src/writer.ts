import type { Fact, SiteId, WriterId } from '@isthmus/kernel';
import type { Chance, Clock, EventStore } from '@isthmus/ports';

/** Who writes, where to, by which clock and by what chance. One per brain. */
export interface Writer {
  readonly site: SiteId;
  /** This tenure's; a later one begins when peers turn out to hold what we lost (merge rule 4). */
  epoch: number;
  id: WriterId;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Facts of ours are durable that were not. */
  readonly recorded: (facts: readonly Fact[]) => void;
  /** The store takes nothing more under this name: somebody else decides here by now. */
  readonly fenced?: () => void;
  /** What a snapshot made of a room is not what its facts do. They count from now on. */
  readonly contradicted?: (room: string) => void;
}
