import { CAMERA_LAYERS, THUMBNAIL_UNITS } from '@isthmus/protocol';

/** What crosses from one site to another for one conference, in streams and as measured. */
export interface Crossing {
  readonly from: string;
  readonly to: string;
  readonly large: number;
  readonly small: number;
  readonly videoKbps: number;
  /** What should be open by the rule, as far as it is not. */
  readonly missing?: { readonly large: number; readonly small: number };
}

export interface Savings {
  readonly mcuSite: string | null;
  readonly mcuUnits: number;
  readonly isthmusUnits: number;
  readonly percent: number | null;
  /** Why there is no percentage. */
  readonly nothing: 'one-site' | 'apart' | 'not-yet' | null;
  readonly mcuKbps: number;
  readonly isthmusKbps: number;
}

/** Until something was measured, an HD stream is taken to have what a camera aims at. */
const NOMINAL_HD_KBPS = CAMERA_LAYERS.large.bitrate / 1000;

/** Video in HD-units: an HD stream is 1, a thumbnail a tenth (acceptance.md, "Units"). */
export const unitsOf = ({ large, small }: Pick<Crossing, 'large' | 'small'>): number => rounded(large + small * THUMBNAIL_UNITS);

/**
 * Where the white paper's one MCU would stand: at the site with most participants. Of equal ones the first in `order` (the
 * order of enrolment), so that the figure does not jump while people speak.
 */
export const mcuSiteOf = (seatsBySite: ReadonlyMap<string, number>, order: readonly string[]): string | null => {
  const place = (site: string) => (order.includes(site) ? order.indexOf(site) : order.length);
  const inOrder = [...seatsBySite]
    .filter(([, seats]) => seats > 0)
    .sort(([a, m], [b, n]) => n - m || place(a) - place(b) || (a < b ? -1 : 1));
  return inOrder[0]?.[0] ?? null;
};

/** HD-units that one MCU would make cross from one site to another: everybody elsewhere sends it one HD stream and gets one back. */
export const mcuUnitsBetween = (from: string, to: string, seatsBySite: ReadonlyMap<string, number>, mcuSite: string | null): number => {
  if (from === to || (from !== mcuSite && to !== mcuSite)) return 0;
  return seatsBySite.get(from === mcuSite ? to : from) ?? 0;
};

/**
 * What distributing a conference saves against one MCU, all directed links together:
 *
 *     mcu      = 2 × (participants who are not at the MCU's site)        HD-units
 *     isthmus  = Σ over directed links (large + small / 10)              HD-units
 *     percent  = 100 × (1 − isthmus / mcu)
 *
 * The white paper's figures follow (acceptance.md S14, S20–S23): six people at two sites, 3 HD each way against
 * 1 HD + 2 thumbnails, is −60 %; by the rule, with the previous speaker's own thumbnail on one direction, −58.3 %. In kbit/s ours is
 * what was measured, and the MCU's is its units at the bit rate that one of our units has.
 *
 * A stream that the rule wants across counts from the moment it does, not from when it opens: what has only not come yet is
 * not saved. While sites of the conference are `apart`, or nothing is open at all, there is nothing to compare.
 */
export const savingsOf = (
  seatsBySite: ReadonlyMap<string, number>,
  crossings: readonly Crossing[],
  order: readonly string[],
  apart = false,
): Savings => {
  const mcuSite = mcuSiteOf(seatsBySite, order);
  const elsewhere = [...seatsBySite].reduce((sum, [site, seats]) => sum + (site === mcuSite ? 0 : seats), 0);
  const mcuUnits = 2 * elsewhere;
  const openUnits = rounded(crossings.reduce((sum, crossing) => sum + unitsOf(crossing), 0));
  const isthmusUnits = rounded(crossings.reduce((sum, { missing, ...open }) => sum + unitsOf(open) + (missing ? unitsOf(missing) : 0), 0));
  const isthmusKbps = rounded(crossings.reduce((sum, { videoKbps }) => sum + videoKbps, 0));
  // Below one HD stream the measure is of thumbnails only, and says little of what HD would take.
  const hdKbps = openUnits >= 1 && isthmusKbps > 0 ? isthmusKbps / openUnits : NOMINAL_HD_KBPS;
  const nothing = mcuUnits === 0 ? 'one-site' : apart ? 'apart' : openUnits === 0 ? 'not-yet' : null;
  return {
    mcuSite,
    mcuUnits,
    isthmusUnits,
    percent: nothing === null ? rounded(100 * (1 - isthmusUnits / mcuUnits)) : null,
    nothing,
    mcuKbps: rounded(mcuUnits * hdKbps),
    isthmusKbps,
  };
};

/** One place after the point is what anybody reads; more would only shimmer. */
const rounded = (number: number): number => Math.round(number * 10) / 10;
