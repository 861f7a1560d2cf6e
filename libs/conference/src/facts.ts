import type { SiteId } from '@isthmus/kernel';
import type { LegId, PersonId, Role } from './words.js';

/**
 * What happened. Past tense; never changed once shipped, only joined by a new `v` or a new type (see upcast.ts). `by` is
 * the leg whose person acted, or `system` where nobody did. Which conference it was is said by the stream.
 */
interface Happened<Type extends string, Body> {
  readonly type: Type;
  readonly v: 1;
  readonly by: LegId | 'system';
  readonly body: Body;
}

/** Somebody who comes, as their own site met them. */
export interface Coming {
  readonly leg: LegId;
  readonly person: PersonId;
  readonly name: string;
  readonly site: SiteId;
  /** The role that was proved at the door. */
  readonly role: Role;
  /** How often this client has connected: of two legs of one person the higher count stays (merge rule 10). */
  readonly connect: number;
  readonly muted: boolean;
  readonly cameraOff: boolean;
  /** Which generation of the role's PIN was proved at the door; 0 where the room has never had one. Never the PIN (merge rule 2). */
  readonly proof: number;
  /**
   * Another leg of the same person, at a site that is to end, which they leave for this one. It stays beside this one until its
   * own site says that it is gone, and what hosts said about it stands for this one (ADR 0090).
   */
  readonly from?: LegId;
}

/** Which generation of each role's PIN is in force: a number that grows with each change and says nothing about the PIN. */
export interface PinGenerations {
  readonly host: number;
  readonly guest: number;
}

export type WaitingReason = 'host' | 'lock';
/** Why a site says that a leg of its own is gone: its person left or was away too long, a newer leg took over, or the room was disabled. */
export type LeftReason = 'left' | 'lost' | 'replaced' | 'room-disabled';

export type LegJoined = Happened<'LegJoined', Coming>;
/** Came, and has to wait at the door. `reach` are the sites that the door could ask: a host there lets in, a host beyond a split does not (merge rule 14). */
export type LegKnocked = Happened<'LegKnocked', Coming & { readonly reason: WaitingReason; readonly reach: readonly SiteId[] }>;
/** The same leg under a new connection. */
export type LegReturned = Happened<'LegReturned', { readonly leg: LegId; readonly connect: number }>;
export type LegLeft = Happened<'LegLeft', { readonly leg: LegId; readonly reason: LeftReason }>;
export type LegAdmitted = Happened<'LegAdmitted', { readonly leg: LegId }>;
export type LegRejected = Happened<'LegRejected', { readonly leg: LegId }>;
export type FloorTaken = Happened<'FloorTaken', { readonly leg: LegId }>;
/** By its owner or by a host. */
export type LegMuted = Happened<'LegMuted', { readonly leg: LegId }>;
export type LegUnmuted = Happened<'LegUnmuted', { readonly leg: LegId }>;
/** Everyone but the hosts, who are `spared`; also guests who came without either side knowing of the other. */
export type GuestsMuted = Happened<'GuestsMuted', { readonly spared: readonly LegId[] }>;
export type CameraStopped = Happened<'CameraStopped', { readonly leg: LegId }>;
export type CameraResumed = Happened<'CameraResumed', { readonly leg: LegId }>;
export type ConferenceLocked = Happened<'ConferenceLocked', Readonly<Record<string, never>>>;
export type ConferenceUnlocked = Happened<'ConferenceUnlocked', Readonly<Record<string, never>>>;
/** Binds the person, whichever leg they were seen as (merge rule 10). */
export type PersonRemoved = Happened<'PersonRemoved', { readonly person: PersonId; readonly leg: LegId }>;
export type HostAppointed = Happened<'HostAppointed', { readonly leg: LegId }>;
export type HostDemoted = Happened<'HostDemoted', { readonly leg: LegId }>;
/** "End for all" names its reach: it ends the meeting at these sites and nowhere else (merge rule 9). */
export type MeetingEnded = Happened<'MeetingEnded', { readonly sites: readonly SiteId[] }>;

/** A site has learnt that an administrator changed the room's PINs: whoever came in by an older one, unaware, is held (merge rule 2). */
export type PinChanged = Happened<'PinChanged', PinGenerations>;
export type WriteOffReason = 'removed' | 'silent';
/**
 * A site is gone for good: an administrator removed it, or nothing was heard of it for half a day. Its legs are no more, and what it
 * said beyond what the author had seen is archive only (merge rule 6).
 */
export type SiteWrittenOff = Happened<'SiteWrittenOff', { readonly site: SiteId; readonly reason: WriteOffReason }>;

export type ConferenceBody =
  | LegJoined
  | LegKnocked
  | LegReturned
  | LegLeft
  | LegAdmitted
  | LegRejected
  | FloorTaken
  | LegMuted
  | LegUnmuted
  | GuestsMuted
  | CameraStopped
  | CameraResumed
  | ConferenceLocked
  | ConferenceUnlocked
  | PersonRemoved
  | HostAppointed
  | HostDemoted
  | MeetingEnded
  | PinChanged
  | SiteWrittenOff;
