import type { SiteId } from '@isthmus/kernel';
import { stageOf, type ConferenceView, type LegId } from '@isthmus/conference';
import { flowsOf, type Network } from '@isthmus/reach';

/** The pictures that travel on one directed link, whoever they are for and wherever they come from. */
export interface LinkLoad {
  readonly from: SiteId;
  readonly to: SiteId;
  readonly large: readonly LegId[];
  readonly small: readonly LegId[];
}

/**
 * What each directed link carries for a conference: `crossings` says which pictures must come from one site to another,
 * this says over which links they go. Each is there once, however many sites are behind the link.
 */
export const linkLoads = (view: ConferenceView, network: Network): readonly LinkLoad[] => {
  const known = LOADS.get(view);
  if (known?.network === network) return known.loads;
  const loads = workOut(view, network);
  LOADS.set(view, { network, loads });
  return loads;
};

/** Every second it is asked of every meeting, and changes with the view or the network only. */
const LOADS = new WeakMap<ConferenceView, { readonly network: Network; readonly loads: readonly LinkLoad[] }>();

const workOut = (view: ConferenceView, network: Network): readonly LinkLoad[] => {
  const visible = view.seats.filter((seat) => seat.inReach && !seat.held);
  const stages = visible.map(({ leg, site }) => ({ site, stage: stageOf(leg, view.byRecency) }));
  const loads = new Map<string, { from: SiteId; to: SiteId; large: LegId[]; small: LegId[] }>();
  for (const { from, to, origin, behind } of flowsOf(network, sitesOf(view))) {
    const watching = stages.filter(({ site }) => behind.includes(site)).map(({ stage }) => stage);
    const seen = visible.filter(({ site, cameraOff }) => site === origin && !cameraOff).map(({ leg }) => leg);
    const load = loads.get(`${from} ${to}`) ?? { from, to, large: [], small: [] };
    load.large.push(...seen.filter((leg) => watching.some(({ main }) => main === leg)));
    load.small.push(...seen.filter((leg) => watching.some(({ thumbnails }) => thumbnails.includes(leg))));
    loads.set(`${from} ${to}`, load);
  }
  return [...loads.values()];
};

/** Whether a site has to pass on media of a conference between others. */
export const carriesForOthers = (view: ConferenceView, network: Network, site: SiteId): boolean =>
  flowsOf(network, sitesOf(view)).some(({ from, origin }) => from === site && origin !== site);

const sitesOf = ({ seats }: ConferenceView): readonly SiteId[] =>
  seats.filter(({ inReach, held }) => inReach && !held).map(({ site }) => site);
