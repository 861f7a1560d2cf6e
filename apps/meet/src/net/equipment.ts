import type { Opaque } from '@isthmus/protocol';
import { Device } from 'mediasoup-client';
import { dtlsIdentity, type DtlsIdentity } from './dtls-identity.js';

/** What this browser brings to the media nodes of a site: made ready before anyone clicks, so that the click waits for nothing that could have been done earlier. */
export class Equipment {
  device: Device | null = null;
  identity: DtlsIdentity | null = null;

  constructor(readonly newDevice: () => Device = () => new Device()) {}

  /** Once is enough. Answers false where the browser cannot do WebRTC the way we need it. */
  async prepare(rtpCapabilities: Opaque): Promise<boolean> {
    if (this.device !== null) return true;
    try {
      const device = this.newDevice();
      const [identity] = await Promise.all([dtlsIdentity(), device.load({ routerRtpCapabilities: rtpCapabilities })]);
      this.identity ??= identity;
      this.device ??= device;
      return true;
    } catch {
      return false;
    }
  }
}
