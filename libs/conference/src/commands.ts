import type { SiteId } from '@isthmus/kernel';
import type { Coming } from './facts.js';
import type { LegId } from './words.js';

/** What a person asks of a meeting they are in. The same words as on the wire to clients. */
export type ConferenceAct =
  | { readonly type: 'mute' | 'unmute' | 'camera-off' | 'camera-on'; readonly leg: LegId }
  | { readonly type: 'mute-all-guests' | 'lock' | 'unlock' | 'end-for-all' }
  | { readonly type: 'remove' | 'admit' | 'reject' | 'make-host' | 'make-guest'; readonly leg: LegId };

/** Intentions. Imperative; with {@link ConferenceSeen} they carry every value that a decision needs, so deciding asks nobody. */
export type ConferenceCommand =
  /** `role` is what was proved at the door (PINs stay there). With a leg that is in already: the same leg, connected anew. */
  | ({ readonly type: 'Join' } & Coming)
  | { readonly type: 'Leave'; readonly leg: LegId; readonly reason?: 'left' | 'lost' | 'room-disabled' }
  | { readonly type: 'TakeFloor'; readonly leg: LegId }
  | (ConferenceAct & { readonly by: LegId });

/** What a decision needs to know that is not in the history. */
export interface ConferenceSeen {
  /** The sites in the deciding site's component, itself among them. Seats, floor and hosts at the door are counted there only (merge rule 8). */
  readonly reach: ReadonlySet<SiteId>;
  /** From the estate; an estate `Room` fits. */
  readonly room: { readonly seatsMax: number; readonly guestsWaitForHost: boolean };
}

export type ConferenceRefusal =
  | 'conference.locked'
  | 'conference.full'
  | 'conference.removed'
  | 'conference.ended'
  | 'conference.elsewhere'
  | 'conference.unknown-leg'
  | 'conference.host-only'
  | 'conference.owner-only'
  | 'conference.muted-by-host'
  | 'conference.camera-off-by-host'
  | 'conference.not-waiting';
