export { loadCredentials, saveCredentials } from './credentials-folder.js';
export { enrol, type EnrolOptions } from './enrol.js';
export { followEstate, type FollowEstateOptions } from './follow-estate.js';
export { readTicket, type ReadTicket } from './join-ticket.js';
export { managementAt, type Asking, type Management } from './management.js';
