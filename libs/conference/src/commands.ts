import type { SiteId } from '@isthmus/kernel';
import type { Coming, PinGenerations, WriteOffReason } from './facts.js';
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
  /** The site's copy of the estate says which PINs are in force; news to the meeting if it has not heard of them. */
  | { readonly type: 'NotePins' }
  /** The administrator has removed a site, or it has been silent for so long that it is taken for gone. */
  | { readonly type: 'WriteOff'; readonly site: SiteId; readonly reason: WriteOffReason }
  | (ConferenceAct & { readonly by: LegId });

/** What a decision needs to know that is not in the history. */
export interface ConferenceSeen {
  /** The sites in the deciding site's component, itself among them. Seats, floor and hosts at the door are counted there only (merge rule 8). */
  readonly reach: ReadonlySet<SiteId>;
  /** From the estate; an estate `Room` fits. */
  readonly room: {
    readonly seatsMax: number;
    readonly guestsWaitForHost: boolean;
    /** Left out: this room has never had a PIN, or nobody here knows. */
    readonly pins?: PinGenerations;
  };
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
