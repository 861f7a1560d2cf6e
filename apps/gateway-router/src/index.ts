export { settings as gatewayRouterSettings } from './settings.js';
export { startGatewayRouter, type GatewayRouterOptions } from './start.js';
