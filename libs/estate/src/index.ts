export {
  emptyEstate,
  isAsNew,
  nodeWordOf,
  normalAlias,
  pinsOf,
  roomWithAlias,
  type Estate,
  type NodeWord,
  type PinGenerations,
  type Room,
  type Site,
} from './estate.js';
export {
  decideEstate,
  foldEstate,
  evolveEstate,
  inForce,
  inManagementsOrder,
  MANAGEMENT,
  type EstateCommand,
  type EstateFact,
  type EstateRefusal,
  type RoomChange,
  type SiteChange,
} from './changes.js';
export { ALIASES_MAX, checkPins, isAlias, pinsEqual, SEATS_DEFAULT, SEATS_MAX, type RoomRefusal } from './room-rules.js';
export {
  administratorNamed,
  checkPassword,
  decideAdministrators,
  evolveAdministrators,
  PASSWORD_MAX,
  PASSWORD_MIN,
  type Administrator,
  type AdministratorCommand,
  type AdministratorFact,
  type AdministratorRefusal,
  type Administrators,
} from './administrators.js';
export {
  decideEnrolments,
  evolveEnrolments,
  type Enrolment,
  type EnrolmentCommand,
  type EnrolmentFact,
  type EnrolmentRefusal,
  type Enrolments,
} from './enrolment.js';
