import type { SiteId } from '@isthmus/kernel';
import { byRecencyOf, floorOf } from './selectors.js';
import { standingOf, type HeldReason } from './standing.js';
import type { Conference } from './state.js';
import type { ConferenceId, LegId, PersonId, Role } from './words.js';

/** One seat as a site sees it. */
export interface Seat {
  readonly leg: LegId;
  readonly person: PersonId;
  readonly name: string;
  readonly site: SiteId;
  readonly role: Role;
  /** Who silenced the microphone, if anyone: a host's mute is lifted by a host, or by its owner after the host allowed it. */
  readonly muted: false | 'self' | 'host';
  readonly cameraOff: boolean;
  /** Call up, but no media, chat or roster for it until somebody admits it (merge rule 2). */
  readonly held: boolean;
  /** What it had not seen, if it is held. */
  readonly heldFor?: HeldReason;
  /** Its site is in this site's component; only such seats are on anyone's stage here. */
  readonly inReach: boolean;
  /** The leg of the same person that this one is to take over from, as long as both are there (ADR 0090): people are shown one of them. */
  readonly from?: LegId;
}

/** Somebody at the door, and why they are not in. */
export interface Waiting {
  readonly leg: LegId;
  readonly person: PersonId;
  readonly name: string;
  readonly site: SiteId;
  readonly reason: 'host' | 'lock';
}

/**
 * A conference as one site sees it now: its history, restricted to the sites in reach. Plain data, sent from the brain to
 * the gateway-router and to whoever draws. Stages follow from it by {@link stageOf}.
 */
export interface ConferenceView {
  readonly conference: ConferenceId;
  readonly room: string;
  readonly site: SiteId;
  /** Orders views of one site: a later epoch, then a later revision, wins. */
  readonly version: { readonly epoch: number; readonly revision: number };
  readonly started: boolean;
  readonly locked: boolean;
  readonly seats: readonly Seat[];
  readonly waiting: readonly Waiting[];
  /** Legs that may be seen here, the most recent speaker first, then in order of joining. */
  readonly byRecency: readonly LegId[];
  /** The most recent speaker, if anyone has spoken. */
  readonly floor: LegId | null;
  /** Other meetings of the same room in reach that stay apart because one is locked (merge rule 6): hosts are told. */
  readonly besides?: readonly { readonly sites: readonly SiteId[] }[];
}

/** One number that grows as (epoch, revision) does; exact as long as a brain has begun fewer than two million epochs. */
export const revisionOf = ({ version }: ConferenceView): number => version.epoch * 2 ** 32 + version.revision;

/** From where a conference is looked at, and under which name. */
export interface Viewpoint {
  readonly conference: ConferenceId;
  readonly room: string;
  readonly site: SiteId;
  /** The sites in the viewing site's component, itself among them. */
  readonly reach: ReadonlySet<SiteId>;
  readonly version: { readonly epoch: number; readonly revision: number };
}

/** Looks at a conference from a site. Reachability comes in here and nowhere else: it is no fact (architecture, idea 4). */
export const viewOf = (state: Conference, { conference, room, site, reach, version }: Viewpoint): ConferenceView => {
  const { legs, locked } = standingOf(state);
  const live = [...legs.values()].filter(({ ended }) => ended === null);
  return {
    conference,
    room,
    site,
    version,
    started: state.started,
    locked,
    seats: live
      .filter(({ waiting }) => waiting === null)
      .map(({ leg, role, muted, camera, held }) => ({
        leg: leg.leg,
        person: leg.person,
        name: leg.name,
        site: leg.site,
        role,
        muted,
        cameraOff: camera !== 'on',
        held: held !== false,
        ...(held === false ? {} : { heldFor: held }),
        inReach: reach.has(leg.site),
        ...(leg.from !== undefined && legs.get(leg.from)?.ended === null ? { from: leg.from } : {}),
      })),
    waiting: live.flatMap(({ leg, waiting }) =>
      waiting === null || !reach.has(leg.site)
        ? []
        : [{ leg: leg.leg, person: leg.person, name: leg.name, site: leg.site, reason: waiting }],
    ),
    byRecency: byRecencyOf(state, reach),
    floor: floorOf(state, reach),
  };
};
