import { setTimeout as sleep } from 'node:timers/promises';
import { enrol, loadCredentials, saveCredentials } from '@isthmus/estate-http';
import type { SiteId } from '@isthmus/kernel';
import type { Credentials } from '@isthmus/peers-http';
import { logOf } from '@isthmus/service-kit';

/** How a site that has no certificate yet gets one, once. */
export interface Enrolment {
  readonly url: string;
  readonly token: string;
  readonly caFingerprint: string | undefined;
}

const LOOK_AGAIN_MS = 500;

/**
 * The certificate of a site, which its services share by a folder. The one service that has the token enrols the site; the
 * others wait until it has.
 */
export const siteCredentials = async (service: string, site: SiteId, folder: string, enrolment?: Enrolment): Promise<Credentials> => {
  const kept = await loadCredentials(folder);
  if (kept !== undefined) return kept;
  if (enrolment !== undefined) {
    const credentials = await enrol({ ...enrolment, site });
    await saveCredentials(folder, credentials);
    return credentials;
  }
  logOf(service).warn({ folder }, `waiting for the certificate of ${site}: it is not enrolled yet`);
  for (;;) {
    await sleep(LOOK_AGAIN_MS);
    const credentials = await loadCredentials(folder).catch(() => undefined); // It is being written.
    if (credentials !== undefined) return credentials;
  }
};
