import { hash } from 'node:crypto';
import type { Signatures } from '@isthmus/ports';

/**
 * What a site, or management, signs with in a simulated world. Only `sign` of the same holder makes what `verify` takes, so a
 * forged word is refused as it is by certificates (`libs/adapters/peers-http`); but it costs one hash, and is the same in every run.
 * @param serial which of the holder's certificates: what an earlier one signed stays the holder's word
 */
export const simulatedSignatures = (holder: string, serial: number): Signatures => ({
  sign: (text) => ({ certificate: `certificate ${serial} of ${holder}`, signature: signatureOf(`${serial} of ${holder}`, text) }),
  verify: (author, text, { certificate, signature }) => {
    const [, key, named] = /^certificate (\d+ of (.+))$/.exec(certificate) ?? [];
    return key !== undefined && named === author && signature === signatureOf(key, text);
  },
});

const signatureOf = (key: string, text: string): string => hash('sha256', `${key} has said: ${text}`, 'base64');
