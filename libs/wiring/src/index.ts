export { serviceBus } from './service-bus.js';
export { serviceStore } from './service-store.js';
export { siteCredentials, type Enrolment } from './site-credentials.js';
export { translation, hostPairs } from './translation.js';
