export { settings as registrarSettings } from './settings.js';
export { startRegistrar, type RegistrarOptions } from './start.js';
