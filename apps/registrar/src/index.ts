export { startRegistrar, type RegistrarOptions } from './start.js';
