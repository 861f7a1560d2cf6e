import type { SiteId } from '@isthmus/kernel';
import type { Bus, Chance, Clock, EventStore, Peers, Signatures, Timers } from '@isthmus/ports';
import type { FollowEstate } from './estate-copy.js';
import type { SnapshotSettings } from './snapshot-keeper.js';

/** What a brain is made of: all that it knows of the world comes by these. */
export interface BrainParts {
  readonly site: SiteId;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly peers: Peers;
  readonly followEstate?: FollowEstate;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly chance: Chance;
  /** 32 secret bytes that make resume words; kept with the site, they outlive this process. Left out, words die with it. */
  readonly resumeKey?: Uint8Array;
  /** How long a site may be silent before it is written off; 12 hours if left out. */
  readonly writeOffAfterMs?: number;
  /** Left out, facts of third sites are neither offered to peers nor taken from them. */
  readonly signatures?: Signatures;
  /** Other brains of this site have given this one up: begin another. Only where they share a store. */
  readonly ousted?: () => void;
  /** When snapshots are kept; left out, as suits production. */
  readonly snapshots?: SnapshotSettings;
}
