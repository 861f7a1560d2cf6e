import { revisionOf, stageOf, type ConferenceView, type LegId, type Seat } from '@isthmus/conference';
import type { MeetingView, RosterEntry } from '@isthmus/protocol';

/**
 * The meeting as one participant is told of it. Of somebody who has two legs, because they move to another site, one is shown: to
 * themself the one by which they look, to others the older one. Media of the other are on their way already. Somebody who is held (merge rule 2: no stranger by rejoin) sees only
 * themself, and only hosts see those who are held or wait at the door.
 */
export const meetingViewFor = (leg: LegId, view: ConferenceView): MeetingView => {
  const own = view.seats.find((seat) => seat.leg === leg);
  const held = own?.held ?? false;
  const isOther = (seat: Seat) => seat.leg !== leg && (seat.from !== undefined || seat.leg === own?.from);
  const others = new Set(view.seats.filter(isOther).map((seat) => seat.leg));
  const shown = held ? [] : view.seats.filter((seat) => !seat.held && !others.has(seat.leg));
  return {
    revision: revisionOf(view),
    roster: (own && held ? [own] : shown).map((seat) => rosterEntry(seat, leg)),
    stage: held
      ? { main: null, thumbnails: [] }
      : stageOf(
          leg,
          view.byRecency.filter((other) => !others.has(other)),
        ),
    floor: held ? null : view.floor !== null && view.floor === own?.from ? leg : view.floor,
    locked: view.locked,
    held,
    ...(own?.heldFor === undefined ? {} : { heldFor: own.heldFor }),
    ...(own?.role === 'host' && !held && view.besides ? { besides: view.besides.flatMap(({ sites }) => sites) } : {}),
    waiting: own?.role === 'host' && !held ? atTheDoor(view) : [],
  };
};

const rosterEntry = ({ leg, name, site, role, muted, cameraOff, inReach }: Seat, you: LegId): RosterEntry => ({
  leg,
  name,
  site,
  role,
  muted,
  cameraOff,
  inReach,
  you: leg === you,
});

/** A held leg is admitted by the same words as one that waits, so hosts find both in one list. */
const atTheDoor = (view: ConferenceView): MeetingView['waiting'] => [
  ...view.waiting.map(({ leg, name, reason }) => ({ leg, name, reason })),
  ...view.seats.filter((seat) => seat.held).map(({ leg, name, heldFor }) => ({ leg, name, reason: heldFor ?? ('lock' as const) })),
];
