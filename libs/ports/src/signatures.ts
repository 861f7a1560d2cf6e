import type { Head, SiteId } from '@isthmus/kernel';

/** A site's word, which anybody may pass on: what it said under its own key, and the certificate that names it. */
export interface Signed {
  readonly signature: string;
  readonly certificate: string;
}

/** What is signed of a head. Its hash covers all else, also the stream and the seq; they are here for whoever reads a trace. */
export const textOfHead = ({ stream, seq, hash }: Head): string => `isthmus head ${stream} ${seq} ${hash}`;

/** Who said something, when it comes by way of somebody else. */
export interface Signatures {
  /** Our own site's word on a text. */
  sign(text: string): Signed;
  /** Whether that site's key (or management's, which is no site and named `management`), certified by the deployment's authority, has signed the text. Says nothing about when: clocks may lie. */
  verify(site: SiteId, text: string, signed: Signed): boolean;
}
