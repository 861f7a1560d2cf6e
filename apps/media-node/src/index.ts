export { settings as mediaNodeSettings } from './settings.js';
export { startMediaNode, type MediaNodeServiceOptions } from './start.js';
