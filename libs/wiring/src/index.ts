export { BUS_SETTINGS, OF_A_MEDIA_NODE, REMOVED, type DetourParts } from './detours.js';
export { resumeKeyIn } from './resume-key.js';
export { KAFKA_SETTINGS, serviceBus } from './service-bus.js';
export { EVENTSTORE_SETTINGS, serviceStore } from './service-store.js';
export { siteCredentials, type Enrolment } from './site-credentials.js';
export { translation, hostPairs } from './translation.js';
