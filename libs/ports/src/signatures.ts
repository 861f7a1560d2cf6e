import type { SiteId } from '@isthmus/kernel';

/** A site's word, which anybody may pass on: what it said under its own key, and the certificate that names it. */
export interface Signed {
  readonly signature: string;
  readonly certificate: string;
}

/** Who said something, when it comes by way of somebody else. */
export interface Signatures {
  /** Our own site's word on a text. */
  sign(text: string): Signed;
  /** Whether that site's key, certified by the deployment's authority, has signed the text. Says nothing about when: clocks may lie. */
  verify(site: SiteId, text: string, signed: Signed): boolean;
}
