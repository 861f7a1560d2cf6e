import 'reflect-metadata';
import { SubjectAlternativeNameExtension, X509Certificate } from '@peculiar/x509';
import type { SiteId } from '@isthmus/kernel';

/** Who a certificate says its holder is. Names, not addresses: a site may move, and the demo's links go through a relay. */
export type Identity =
  | { readonly kind: 'management' }
  | { readonly kind: 'site'; readonly site: SiteId }
  | { readonly kind: 'node'; readonly site: SiteId; readonly node: string };

const SITE = '[a-z][a-z0-9_]{0,31}';
const URI = new RegExp(`^isthmus:(?:(management)|site:(${SITE})|node:(${SITE}):([a-z0-9][a-z0-9_-]{0,63}))$`);

/** The URI that stands for an identity in a certificate: `isthmus:site:nyc`, `isthmus:node:nyc:nyc-1`, `isthmus:management`. */
export const uriOf = (identity: Identity): string => {
  switch (identity.kind) {
    case 'management':
      return 'isthmus:management';
    case 'site':
      return `isthmus:site:${identity.site}`;
    case 'node':
      return `isthmus:node:${identity.site}:${identity.node}`;
  }
};

/** Undefined if it is not one of ours, or not well formed. */
export const identityFromUri = (uri: string): Identity | undefined => {
  const [, management, site, nodeSite, node] = URI.exec(uri) ?? [];
  if (management) return { kind: 'management' };
  if (site) return { kind: 'site', site: site as SiteId };
  if (nodeSite && node) return { kind: 'node', site: nodeSite as SiteId, node };
  return undefined;
};

/**
 * Whom a certificate (PEM, or DER bytes) names in its subject alternative names (RFC 5280 §4.2.1.6). Undefined unless it
 * names exactly one of ours. Says nothing about who signed it: TLS has asked that before.
 */
export const identityOf = (certificate: string | Uint8Array): Identity | undefined => {
  try {
    const parsed = new X509Certificate(typeof certificate === 'string' ? certificate : Uint8Array.from(certificate));
    const names = parsed.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
    const ours = names.flatMap(({ type, value }) => (type === 'url' && value.startsWith('isthmus:') ? [value] : []));
    return ours.length === 1 ? identityFromUri(ours[0]!) : undefined;
  } catch {
    return undefined;
  }
};
