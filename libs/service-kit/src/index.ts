export { BusServer } from './bus-server.js';
export { ProblemFilter, problemOf, type Problem } from './problem.js';
export { startService, type Check, type Listen, type RunningService, type ServiceOptions } from './service.js';
