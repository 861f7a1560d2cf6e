export * as common from './common.js';
export { MESSAGE_BYTES_MAX, PROTOCOL_VERSION, type Opaque } from './common.js';
export {
  act,
  clientToGateway,
  gatewayOfWay,
  join,
  moveOffer,
  type Act,
  type ClientToGateway,
  type EndReason,
  type GatewayToClient,
  type JoinRequest,
  type MeetingView,
  type MoveOffer,
  type RosterEntry,
} from './client-gateway.js';
export {
  CAMERA_LAYERS,
  clientToMedia,
  type ClientToMedia,
  type ConsumerOffer,
  type MediaToClient,
  type Source,
  type TransportOffer,
} from './client-media.js';
export {
  brainCommand,
  mediaEvent,
  nodeDesire,
  nodeLoss,
  nodeWords,
  nodeReport,
  supervision,
  siteReport,
  telemetryBatch,
  TOPICS,
  type BrainAnswer,
  type BrainCommand,
  type FactPublished,
  type MediaEvent,
  type NodeLoss,
  type NodeReport,
  type Supervision,
  type SiteReport,
  type TelemetryBatch,
  type ViewPublished,
} from './bus.js';
export { brainWord, type BrainWord } from './brains.js';
export { joinTicket, type JoinTicket } from './join-ticket.js';
export {
  brainMessage,
  batchWord,
  estateWord,
  type AuthorsWord,
  type EstateWord,
  LINK_LIST_MAX,
  mediaLinkMessage,
  type BrainMessage,
  type Intermediaries,
  type MediaLinkMessage,
  type SignedHead,
} from './link.js';
export {
  alarm,
  alarmCode,
  conferenceStatus,
  status,
  THUMBNAIL_UNITS,
  type Alarm,
  type AlarmCode,
  type ConferenceStatus,
  type Status,
} from './status.js';
