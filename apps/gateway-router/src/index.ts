export { startGatewayRouter, type GatewayRouterOptions } from './start.js';
