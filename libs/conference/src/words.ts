import type { Brand } from '@isthmus/kernel';
import type { SiteId } from '@isthmus/kernel';

/** A room in use. */
export type ConferenceId = Brand<string, 'ConferenceId'>;
/** One presence in a conference, by any protocol. Born at a site, carries it (`nyc-5f2c…`), and only that site speaks for it. */
export type LegId = Brand<string, 'LegId'>;
/** Whoever is behind a leg, however often they come back. */
export type PersonId = Brand<string, 'PersonId'>;
export type Role = 'host' | 'guest';

export const legIdOf = (site: SiteId, unique: string): LegId => `${site}-${unique}` as LegId;
export const siteOfLeg = (leg: LegId): SiteId => leg.slice(0, leg.lastIndexOf('-')) as SiteId;
