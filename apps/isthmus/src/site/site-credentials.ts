import { join } from 'node:path';
import { Fault } from '@isthmus/kernel';
import { enrol, loadCredentials, saveCredentials } from '@isthmus/estate-http';
import type { Credentials } from '@isthmus/peers-http';
import { CREDENTIALS_FOLDER, type SiteConfig } from '../part-config.js';

/** The site's certificate: the one it has, or the one it gets for its token, once. */
export const siteCredentials = async ({
  site,
  stateDir,
  management,
}: Pick<SiteConfig, 'site' | 'stateDir' | 'management'>): Promise<Credentials> => {
  const folder = join(stateDir, CREDENTIALS_FOLDER);
  const kept = await loadCredentials(folder);
  if (kept) return kept;
  const { url, token, caFingerprint } = management;
  if (token === undefined) {
    throw new Fault(
      'site.not-enrolled',
      `Site ${site} has no certificate in ${folder} and no token to get one. Make a token in the portal and put it into its configuration.`,
    );
  }
  const credentials = await enrol({ url, token, site, caFingerprint });
  await saveCredentials(folder, credentials);
  return credentials;
};
