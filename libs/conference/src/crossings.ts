import type { SiteId } from '@isthmus/kernel';
import { stageOf, THUMBNAILS_MAX, type Stage } from './stage.js';
import type { ConferenceView, Seat } from './view.js';
import type { LegId } from './words.js';

/**
 * The pictures that must travel on one directed link. A leg may be in both lists: the SFU at the far end cannot make the
 * thumbnail that one viewer needs out of the HD that another receives (the "rule" count; the white paper's figures, which
 * leave that thumbnail out, are the "figure" count: `small` without whoever is in `large`).
 */
export interface Crossing {
  readonly from: SiteId;
  readonly to: SiteId;
  readonly large: readonly LegId[];
  readonly small: readonly LegId[];
}

/** Legs whose camera anybody watches. */
export interface Watched {
  readonly large: ReadonlySet<LegId>;
  readonly small: ReadonlySet<LegId>;
}

/**
 * The streams that must cross between sites in reach so that every stage can be drawn; nothing else crosses. Every ordered
 * pair of sites that have somebody on stage is listed, with empty lists where nothing crosses. At most one large and
 * eight small on any link, whatever the size of the conference.
 */
export const crossings = (view: ConferenceView): readonly Crossing[] => {
  const viewers = viewersOf(view);
  const sites = [...new Set(viewers.map(({ seat }) => seat.site))].sort();
  return sites.flatMap((to) => {
    const { large, small } = watchedBy(
      viewers.filter(({ seat }) => seat.site === to),
      view,
    );
    const seatOf = new Map(view.seats.map((seat) => [seat.leg, seat]));
    const from = (site: SiteId) => (leg: LegId) => seatOf.get(leg)?.site === site;
    return sites
      .filter((site) => site !== to)
      .map((site) => ({ from: site, to, large: [...large].filter(from(site)), small: [...small].filter(from(site)) }));
  });
};

/** Whose camera anybody in reach watches, large or small: a publisher stops sending a layer that nobody does. */
export const watched = (view: ConferenceView): Watched => watchedBy(viewersOf(view), view);

interface Viewer {
  readonly seat: Seat;
  readonly stage: Stage;
}

/** Everybody who sees anything, and what. Held legs see nothing. */
const viewersOf = ({ seats, byRecency }: ConferenceView): readonly Viewer[] => {
  const onStage = new Set(byRecency);
  // Nobody sees further down the list than one main, the thumbnails, and one for being on it oneself.
  const shown = byRecency.slice(0, THUMBNAILS_MAX + 2);
  return seats.filter(({ leg }) => onStage.has(leg)).map((seat) => ({ seat, stage: stageOf(seat.leg, shown) }));
};

const watchedBy = (viewers: readonly Viewer[], { seats, byRecency }: ConferenceView): Watched => {
  const large = new Set(viewers.map(({ stage }) => stage.main));
  const small = new Set(viewers.flatMap(({ stage }) => stage.thumbnails));
  const dark = new Set(seats.filter(({ cameraOff }) => cameraOff).map(({ leg }) => leg));
  const inOrder = (of: ReadonlySet<LegId | null>) => new Set(byRecency.filter((leg) => of.has(leg) && !dark.has(leg)));
  return { large: inOrder(large), small: inOrder(small) };
};
