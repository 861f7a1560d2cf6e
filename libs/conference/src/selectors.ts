import type { SiteId } from '@isthmus/kernel';
import { withoutArchive } from './archive.js';
import type { ConferenceBody } from './facts.js';
import { legOf, standingOf, type EndedReason, type LegStanding } from './standing.js';
import type { Conference, Leg } from './state.js';
import type { LegId, PersonId } from './words.js';

export type { Conference } from './state.js';

/** Whether a leg may be seen and heard: in the call, and not held. */
const isFree = ({ ended, waiting, held }: LegStanding): boolean => ended === null && waiting === null && !held;

/** Legs that are there, at the door and held ones too, in the order in which they came. */
export const liveLegsOf = (conference: Conference): readonly Leg[] => {
  const known = LIVE.get(conference);
  if (known !== undefined) return known;
  const live = [...standingOf(conference).legs.values()].flatMap(({ leg, ended }) => (ended === null ? [leg] : []));
  LIVE.set(conference, live);
  return live;
};

/** Worked out once for each state: every half second it is asked of every meeting. */
const LIVE = new WeakMap<Conference, readonly Leg[]>();

/** A conference is over when no legs remain anywhere. */
export const isOver = (conference: Conference): boolean => liveLegsOf(conference).length === 0;

/** Whether a host has removed this person. It voids resume tokens; only the host PIN brings them back (merge rules 10 and 12). */
export const isRemoved = (conference: Conference, person: PersonId): boolean =>
  withoutArchive(conference).removals.get(person) !== undefined;

/** Who may be seen and heard at the sites in reach: the most recent speaker first, and after them, as they came, those who have not spoken. */
export const byRecencyOf = (conference: Conference, reach: ReadonlySet<SiteId>): readonly LegId[] => {
  const { legs } = standingOf(conference);
  const free = [...legs.values()].filter((standing) => isFree(standing) && reach.has(standing.leg.site)).map(({ leg }) => leg.leg);
  const waitingForAWord = new Set(free);
  const spoken = recentFirst(conference).filter((leg) => waitingForAWord.delete(leg));
  return [...spoken, ...waitingForAWord];
};

/** The most recent speaker among those in reach; null if none of them has spoken. */
export const floorOf = (conference: Conference, reach: ReadonlySet<SiteId>): LegId | null => {
  const { legs } = standingOf(conference);
  const mayHold = (leg: LegId) => {
    const standing = legs.get(leg);
    return standing !== undefined && isFree(standing) && reach.has(standing.leg.site);
  };
  return recentFirst(conference).find(mayHold) ?? null;
};

/** Legs of a site that were there in one state and are not in a later one, and why: whom the gateway must tell. */
export const endedBetween = (
  before: Conference,
  after: Conference,
  site: SiteId,
): readonly { readonly leg: LegId; readonly reason: EndedReason }[] => {
  return [...standingOf(before).legs.values()].flatMap(({ leg, ended }) => {
    if (ended !== null || leg.site !== site) return [];
    const reason = legOf(after, leg.leg)?.ended ?? null;
    return reason === null ? [] : [{ leg: leg.leg, reason }];
  });
};

/**
 * What a site should record so that a leg of its own which has been replaced stays closed: "the higher count stays and the
 * owning site closes the other" (merge rule 10). Otherwise it would be there again when the newer one leaves.
 */
export const closingsAt = (conference: Conference, site: SiteId): readonly ConferenceBody[] =>
  [...standingOf(conference).legs.values()]
    .filter(({ leg, ended }) => leg.site === site && ended === 'replaced')
    .map(({ leg }) => ({ type: 'LegLeft', v: 1, by: 'system', body: { leg: leg.leg, reason: 'replaced' } }));

/**
 * What a site records when it hears that it was written off although its people are there: they come back into the meeting, as
 * themselves (merge rule 6, ADR 0031).
 */
export const returnsAt = (conference: Conference, site: SiteId, there: ReadonlySet<LegId>): readonly ConferenceBody[] =>
  conference.writtenOff.length === 0
    ? []
    : [...standingOf(conference).legs.values()]
        .filter(({ leg, ended }) => leg.site === site && ended === 'written-off' && there.has(leg.leg))
        .map(({ leg }) => ({ type: 'LegReturned', v: 1, by: leg.leg, body: { leg: leg.leg, connect: leg.connect } }));

/** Whether the door is shut to newcomers. */
export const isLocked = (conference: Conference): boolean => standingOf(conference).locked;

/** Whoever has spoken, most recent first. */
const recentFirst = ({ spoke }: Conference): readonly LegId[] => [...spoke.keys()].reverse();
