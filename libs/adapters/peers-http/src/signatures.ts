import { createPrivateKey, type KeyObject, sign as signWith, verify as verifyWith, X509Certificate } from 'node:crypto';
import type { Signatures } from '@isthmus/ports';
import type { Credentials } from './certificates.js';
import { identityOf } from './identity.js';

/** Certificates that were looked at lately, so that each is parsed and checked once. */
const REMEMBERED_MAX = 256;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Words signed with a site's certificate key (ECDSA on P-256, SHA-256). `credentials` are asked each time, so that they can
 * rotate: what an earlier key signed stays that site's word while its authority is trusted.
 */
export const certificateSignatures = (credentials: () => Credentials): Signatures => {
  const checked = new Map<string, { readonly certificate: X509Certificate; readonly site: string } | undefined>();

  /** Undefined unless one of the trusted authorities signed it and it names a site, or management. */
  const check = (pem: string, authority: string) => {
    try {
      const certificate = new X509Certificate(pem);
      const issuers = (authority.match(PEM) ?? []).map((each) => new X509Certificate(each));
      if (!issuers.some((issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))) return undefined;
      const identity = identityOf(pem);
      if (identity?.kind === 'management') return { certificate, site: 'management' };
      return identity?.kind === 'site' ? { certificate, site: identity.site } : undefined;
    } catch {
      return undefined;
    }
  };
  const holderOf = (pem: string) => {
    const { authority } = credentials();
    const key = `${authority}\n${pem}`;
    if (!checked.has(key)) {
      if (checked.size >= REMEMBERED_MAX) checked.clear();
      checked.set(key, check(pem, authority));
    }
    return checked.get(key);
  };

  let own: { readonly pem: string; readonly key: KeyObject } | undefined;
  const keyOf = (pem: string): KeyObject => {
    if (own?.pem !== pem) own = { pem, key: createPrivateKey(pem) };
    return own.key;
  };

  return {
    sign: (text) => {
      const { key, certificate } = credentials();
      return { signature: signWith('sha256', Buffer.from(text), keyOf(key)).toString('base64'), certificate };
    },
    verify: (site, text, { signature, certificate }) => {
      const holder = holderOf(certificate);
      if (holder?.site !== site) return false;
      try {
        return verifyWith('sha256', Buffer.from(text), holder.certificate.publicKey, Buffer.from(signature, 'base64'));
      } catch {
        return false;
      }
    },
  };
};
