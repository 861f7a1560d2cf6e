export { Brain as BrainClient } from './brain.js';
export { settings as gatewayRouterSettings } from './settings.js';
export { startGatewayRouter, type GatewayRouterOptions } from './start.js';
