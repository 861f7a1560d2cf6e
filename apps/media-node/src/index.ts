export { settings as mediaNodeSettings } from './settings.js';
export { DRAIN_WITHIN_MS, startMediaNode, type MediaNodeService, type MediaNodeServiceOptions } from './start.js';
