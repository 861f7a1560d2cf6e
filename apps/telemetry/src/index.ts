export { settings as telemetrySettings } from './settings.js';
export { startTelemetry, type ManagementTelemetryOptions, type SiteTelemetryOptions, type TelemetryOptions } from './start.js';
