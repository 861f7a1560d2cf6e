export { startProvisioning, type Provisioning, type ProvisioningOptions } from './start.js';
