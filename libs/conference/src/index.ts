export { conference } from './conference.js';
export type { ConferenceAct, ConferenceCommand, ConferenceRefusal, ConferenceSeen } from './commands.js';
export { crossings, watched, type Crossing, type Watched } from './crossings.js';
export { canonicalState } from './digest.js';
export type { Coming, ConferenceBody, LeftReason, PinGenerations, WaitingReason, WriteOffReason } from './facts.js';
export {
  groupsOf,
  joiningsOf,
  occasionsOf,
  openings,
  type Liveness,
  type Occasion,
  type Opening,
  type OpeningBody,
  type Openings,
  type OpenRoom,
  type RoomSeen,
} from './openings.js';
export { byRecencyOf, closingsAt, endedBetween, floorOf, isLocked, isOver, isRemoved, liveLegsOf, returnsAt } from './selectors.js';
export { stageOf, THUMBNAILS_MAX, type Stage } from './stage.js';
export { legOf, type EndedReason, type HeldReason, type LegStanding } from './standing.js';
export { FOLD_VERSION, type Conference, type Leg } from './state.js';
export { endingsElsewhere, voidedActs, type VoidedAct } from './voided.js';
export { revisionOf, viewOf, type ConferenceView, type Seat, type Viewpoint, type Waiting } from './view.js';
export { legIdOf, siteOfLeg, type ConferenceId, type LegId, type PersonId, type Role } from './words.js';
