export { startTelemetry, type ManagementTelemetryOptions, type SiteTelemetryOptions, type TelemetryOptions } from './start.js';
