import type { ConferenceView, LegId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import { linkLoads, type NodeId } from '@isthmus/placement';
import type { SiteReport } from '@isthmus/protocol';
import type { Network } from '@isthmus/reach';

/** One conference, for whoever watches the site. @param nodeOf where a leg of this site has its media */
export const conferenceReport = (
  view: ConferenceView,
  site: SiteId,
  network: Network,
  nodeOf: (leg: LegId) => NodeId | undefined,
): SiteReport['conferences'][number] => ({
  conference: view.conference,
  room: view.room,
  seats: view.seats
    .filter((seat) => seat.site === site)
    .map(({ leg, name, muted }) => ({ leg, name, node: nodeOf(leg), muted: muted !== false })),
  floor: view.floor,
  locked: view.locked,
  crossings: linkLoads(view, network)
    .filter(({ from }) => from === site)
    .map(({ to, large, small }) => ({ to, large: large.length, small: small.length })),
});
