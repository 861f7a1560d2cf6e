export { legIdOf, siteOfLeg, type ConferenceId, type LegId, type PersonId, type Role } from './words.js';
export { stageOf, THUMBNAILS_MAX, type Stage } from './stage.js';
export type { ConferenceView, Seat, Waiting } from './view.js';
