export { startMediaNode, type MediaNodeServiceOptions } from './start.js';
