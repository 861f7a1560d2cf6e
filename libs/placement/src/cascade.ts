import type { SiteId } from '@isthmus/kernel';
import { stageOf, type ConferenceView, type LegId, type Seat, type Stage } from '@isthmus/conference';
import { flowsOf, type Network } from '@isthmus/reach';
import type { LegDesire, NodeDesire, NodeId, PipeDesire } from './desire.js';

/** Where another node of the same conference can be piped to. */
export interface Neighbour {
  readonly node: NodeId;
  readonly url: string;
}

export interface Cascade {
  readonly view: ConferenceView;
  /** How the media of this room are called at every site: the same everywhere, also while a split's two openings become one. */
  readonly mediaId: NodeDesire['conference'];
  /** This site's legs that have a node, and the hash of the token each attaches with. */
  readonly placed: ReadonlyMap<LegId, { readonly node: NodeId; readonly tokenHash: string }>;
  readonly intermediary: NodeId;
  /** Media links of this site's nodes. */
  readonly here: ReadonlyMap<NodeId, string>;
  /** The other sites' intermediaries, as far as they have told us. */
  readonly elsewhere: ReadonlyMap<SiteId, Neighbour>;
  /** By which ways media go between sites. */
  readonly network: Network;
}

const NOTHING: Stage = { main: null, thumbnails: [] };

/** A group of viewers that stand behind one pipe, and what they need to see. */
interface Audience {
  readonly large: ReadonlySet<LegId>;
  readonly small: ReadonlySet<LegId>;
  readonly anyone: boolean;
}

/**
 * What each of this site's nodes should be doing for one conference, from what everyone should see. Within a site the
 * nodes stand in a star around the intermediary; intermediaries pipe to those of the next sites on the way. A layer goes
 * down a pipe when, and only when, somebody behind that pipe needs it, once however many they are. A site that others see
 * each other through passes on what it gets, whether or not it has people of its own in the meeting.
 */
export const cascade = (given: Cascade): readonly NodeDesire[] => {
  const { view, placed, intermediary } = given;
  const visible = view.seats.filter((seat) => seat.inReach && !seat.held);
  const stages = new Map(visible.map(({ leg }) => [leg, stageOf(leg, view.byRecency)]));
  const seatOf = new Map(view.seats.map((seat) => [seat.leg, seat]));
  const everyone = audienceOf(visible, stages);

  const nodes = [...new Set([...placed.values()].map(({ node }) => node).concat(intermediary))].sort();
  const flows = flowsOf(
    given.network,
    visible.map(({ site }) => site),
  );
  const next = new Set(flows.flatMap(({ from, to }) => (from === view.site ? [to] : to === view.site ? [from] : [])));
  const nodeOf = (seat: Seat): NodeId | undefined => (seat.site === view.site ? placed.get(seat.leg)?.node : undefined);
  const audienceAt = (isThere: (seat: Seat) => boolean) => audienceOf(visible.filter(isThere), stages);

  const sends = (to: Audience, from: (seat: Seat) => boolean): PipeDesire['sends'] =>
    visible.filter(from).map((seat) => ({
      leg: seat.leg,
      large: !seat.cameraOff && to.large.has(seat.leg),
      small: !seat.cameraOff && to.small.has(seat.leg),
      voice: seat.muted !== 'host' && to.anyone,
    }));

  const pipesOf = (node: NodeId): PipeDesire[] => {
    const on = (which: NodeId) => (seat: Seat) => nodeOf(seat) === which;
    if (node !== intermediary) {
      const beyond = audienceAt((seat) => nodeOf(seat) !== node);
      return [{ to: neighbour(given, intermediary), sends: sends(beyond, on(node)) }];
    }
    const local = nodes
      .filter((other) => other !== node)
      .map((other) => ({ to: neighbour(given, other), sends: sends(audienceAt(on(other)), (seat) => nodeOf(seat) !== other) }));
    const sites = [...given.elsewhere]
      .filter(([site]) => next.has(site))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([site, { node: far, url }]) => ({
        to: { site, node: far, url },
        sends: flows
          .filter(({ from, to }) => from === view.site && to === site)
          .flatMap(({ origin, behind }) =>
            sends(
              audienceAt((seat) => behind.includes(seat.site)),
              (seat) => seat.site === origin,
            ),
          ),
      }));
    return [...local, ...sites];
  };

  const legDesire = (leg: LegId, tokenHash: string): LegDesire => {
    const seat = seatOf.get(leg);
    const seen = stages.has(leg);
    return {
      leg,
      tokenHash,
      stage: stages.get(leg) ?? NOTHING,
      hears: seen ? view.byRecency.filter((other) => other !== leg) : [],
      may: { speak: seen && seat?.muted !== 'host', show: seen },
      watched: { large: everyone.large.has(leg), small: everyone.small.has(leg) },
    };
  };

  return nodes.map((node) => ({
    node,
    conference: given.mediaId,
    room: view.room,
    version: view.version,
    legs: [...placed].filter(([, at]) => at.node === node).map(([leg, at]) => legDesire(leg, at.tokenHash)),
    pipes: pipesOf(node),
    intermediary: node === intermediary,
  }));
};

const audienceOf = (seats: readonly Seat[], stages: ReadonlyMap<LegId, Stage>): Audience => {
  const large = new Set<LegId>();
  const small = new Set<LegId>();
  for (const { leg } of seats) {
    const stage = stages.get(leg) ?? NOTHING;
    if (stage.main !== null) large.add(stage.main);
    for (const thumbnail of stage.thumbnails) small.add(thumbnail);
  }
  return { large, small, anyone: seats.length > 0 };
};

const neighbour = ({ view, here }: Cascade, node: NodeId): PipeDesire['to'] => ({ site: view.site, node, url: here.get(node) ?? '' });
