export { settings as provisioningSettings } from './settings.js';
export { startProvisioning, type Provisioning, type ProvisioningOptions } from './start.js';
