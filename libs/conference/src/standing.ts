import { apart, inOrder, saw, type Said } from '@isthmus/kernel';
import type { WaitingReason } from './facts.js';
import { withoutArchive } from './archive.js';
import { appointmentsOf, demotionsOf, heldHostRole, legIn, outdatedBy, trailOf, type Conference, type Device, type Leg } from './state.js';
import type { LegId, PersonId, Role } from './words.js';

/** Why a leg is no more. */
export type EndedReason = 'left' | 'removed' | 'rejected' | 'ended' | 'replaced' | 'room-disabled' | 'written-off';

/** What a held leg had not seen: a lock, or a change of the PIN it came in by. */
export type HeldReason = 'lock' | 'pin';

/** What stands for one leg, all things said and seen. */
export interface LegStanding {
  readonly leg: Leg;
  readonly ended: EndedReason | null;
  /** Still at the door, and why. */
  readonly waiting: WaitingReason | null;
  /** In the call, but without media, chat and roster (merge rule 2). */
  readonly held: false | HeldReason;
  readonly role: Role;
  readonly muted: false | 'self' | 'host';
  readonly camera: 'on' | 'self' | 'host';
}

export interface Standing {
  readonly locked: boolean;
  /** The locks that hold. */
  readonly locks: readonly Said[];
  /** Every leg that has not left, in the order in which they came. */
  readonly legs: ReadonlyMap<LegId, LegStanding>;
}

/**
 * What stands, all things said and seen. Loosening lifts only what its author had seen; restricting needs no leave from the
 * other side (merge rules 1, 2, 8, 9, 10, 12, 14). Worked out once for each state.
 */
export const standingOf = (conference: Conference): Standing => {
  const known = WORKED_OUT.get(conference);
  if (known !== undefined) return known;
  const standing = workOut(conference);
  WORKED_OUT.set(conference, standing);
  return standing;
};

const WORKED_OUT = new WeakMap<Conference, Standing>();

const workOut = (known: Conference): Standing => {
  const conference = withoutArchive(known);
  const entitled = entitlement(conference);
  const locks = conference.locks.filter((lock) => !since(lock, conference.unlocks).some((unlock) => saw(unlock, lock) && entitled(unlock)));
  const ended = endings(conference);

  const legs = new Map<LegId, LegStanding>();
  for (const leg of conference.legs.values()) {
    const entries = entriesOf(leg, conference);
    const waits = leg.door !== null && entries.length === 0;
    const microphone = wordsAbout('microphone', leg, conference);
    legs.set(leg.leg, {
      leg,
      ended: ended.get(leg.leg) ?? null,
      waiting: waits ? leg.door.reason : null,
      held: waits ? false : heldBy(conference, leg, entries, locks, entitled),
      role: isHost(conference, leg, entitled) ? 'host' : 'guest',
      muted: stopStands(microphone, hushesOf(leg, conference), entitled) ? 'host' : leg.microphone.offByOwner ? 'self' : false,
      camera: stopStands(wordsAbout('camera', leg, conference), [], entitled) ? 'host' : leg.camera.offByOwner ? 'self' : 'on',
    });
  }
  return { locked: locks.length > 0, locks, legs };
};

/** One leg as it stands; undefined if this conference never had it. */
export const legOf = (conference: Conference, leg: LegId): LegStanding | undefined => {
  const gone = conference.gone.get(leg);
  if (gone === undefined) return standingOf(conference).legs.get(leg);
  const ended = gone.left === 'lost' || gone.left === null ? 'left' : gone.left;
  return { leg: gone, ended, waiting: null, held: false, role: gone.role, muted: false, camera: 'on' };
};

type Entitled = (act: Said) => boolean;

/**
 * Tells which permissive acts count. One is void if its author had lost the host role meanwhile and did not know (merge
 * rule 12), or had it from somebody of whom that is true. Losing it later, by somebody who saw the act, voids nothing
 * (ADR 0003).
 */
const entitlement = (conference: Conference): Entitled => {
  const appointed = new Set<Said>();
  const entitled: Entitled = (act) => {
    const author = legIn(conference, act.by as LegId);
    if (author === undefined) return false;
    const lost =
      demotionsOf(conference, author).some((demotion) => apart(demotion, act)) ||
      (conference.removals.get(author.person) ?? []).some((removal) => apart(removal, act) && !saw(author.came, removal));
    return !lost && heldHostRole(conference, author, act, (appointment) => appointed.has(appointment));
  };
  // In their order, because each counts only if those that it rests on do, and they come before it.
  for (const appointment of conference.appointments) if (entitled(appointment)) appointed.add(appointment);
  return entitled;
};

const isHost = (conference: Conference, leg: Leg, entitled: Entitled): boolean => {
  const appointments = appointmentsOf(conference, leg).filter(entitled);
  return (
    (leg.role === 'host' || appointments.length > 0) &&
    demotionsOf(conference, leg).every((demotion) => appointments.some((appointment) => saw(appointment, demotion)))
  );
};

/** A host's word about a microphone or camera stands until a host who had seen it lifts it (merge rule 1). */
const stopStands = (device: Pick<Device, 'stops' | 'releases'>, hushes: readonly Said[], entitled: Entitled): boolean => {
  const stands = (stop: Said) => !since(stop, device.releases).some((release) => saw(release, stop) && entitled(release));
  return device.stops.some(stands) || hushes.some(stands);
};

/** What hosts said about a microphone or a camera, also while its owner had another leg, in fold order. */
const wordsAbout = (device: 'microphone' | 'camera', leg: Leg, conference: Conference): Pick<Device, 'stops' | 'releases'> => {
  if (leg.from === undefined) return leg[device];
  const all = trailOf(conference, leg).map((each) => each[device]);
  return { stops: all.flatMap(({ stops }) => stops), releases: all.flatMap(({ releases }) => releases).toSorted(inOrder) };
};

/** What silenced all guests, this one among them. Whoever was spared is spared while they move, too (ADR 0098). */
const hushesOf = (leg: Leg, conference: Conference): readonly Said[] => {
  if (conference.hushes.length === 0) return [];
  const trail = trailOf(conference, leg);
  return trail.flatMap((each) => hushesAgainst(each, trail, conference));
};

const hushesAgainst = (leg: Leg, trail: readonly Leg[], { hushes }: Conference): readonly Said[] =>
  hushes
    .filter(({ said, spared }) => {
      if (saw(leg.came, said)) return false;
      if (saw(said, leg.came)) return !spared.includes(leg.leg);
      return leg.role === 'guest' && !trail.some((each) => spared.includes(each.leg));
    })
    .map(({ said }) => said);

/** What let somebody in who had to wait at the door. */
interface Entry {
  readonly said: Said;
  /** By the word of a host who may have seen more than the guest; else by a host's coming, which decides nothing about locks. */
  readonly decided: boolean;
}

/**
 * Guests who wait for a host are let in by one who comes knowing of them, or whom their door could have asked; not by a
 * split that ends (merge rule 14). Guests before a locked door are let in with its unlocking.
 */
const entriesOf = (leg: Leg, { unlocks, hosts }: Conference): readonly Entry[] => {
  const { door, came } = leg;
  if (door === null) return NO_ENTRIES;
  const admitted = leg.admissions.map((said) => ({ said, decided: true }));
  const others =
    door.reason === 'lock'
      ? since(came, unlocks)
          .filter((unlock) => saw(unlock, came))
          .map((said) => ({ said, decided: true }))
      : hosts
          .filter(({ site, said }) => saw(said, came) || (!saw(came, said) && door.reach.includes(site)))
          .map(({ said }) => ({ said, decided: false }));
  return [...admitted, ...others];
};

const NO_ENTRIES: readonly Entry[] = [];

/**
 * Whether a leg must wait although its call is up, and why: it came in, unaware, while the room was locked or its PIN changed
 * elsewhere (merge rule 2), or whoever let it in had no longer the right to (merge rule 12). Whoever locked with the leg inside
 * and in sight meant to keep it, also as another leg that its person moved from (ADR 0098). A host PIN opens every lock, unless it was changed.
 */
const heldBy = (
  conference: Conference,
  leg: Leg,
  entries: readonly Entry[],
  locks: readonly Said[],
  entitled: Entitled,
): false | HeldReason => {
  const outdated = outdatedBy(conference, leg);
  if (leg.role === 'host' && outdated.length === 0) return false;
  const validOf = (all: readonly Entry[]) => all.filter(({ said, decided }) => !decided || entitled(said));
  const own = { leg, valid: validOf(entries) };
  if (leg.door !== null && own.valid.length === 0) return 'lock';

  const before = leg.from === undefined ? [] : trailOf(conference, leg).slice(1);
  const vouched = [leg, ...before].flatMap(({ admissions, appointments }) => [...admissions, ...appointments]).filter(entitled);
  const trail = [own, ...before.map((each) => ({ leg: each, valid: validOf(entriesOf(each, conference)) }))];
  const lockedOut = locks.some((lock) => !trail.some((each) => isKnown(each, lock)) && !vouched.some((voucher) => saw(voucher, lock)));
  if (lockedOut) return 'lock';
  return outdated.some(({ said }) => !vouched.some((voucher) => saw(voucher, said))) ? 'pin' : false;
};

/** Whether somebody is no stranger to a lock: they came, or were let in, knowing of it, or whoever locked had them inside. */
const isKnown = ({ leg, valid }: { readonly leg: Leg; readonly valid: readonly Entry[] }, lock: Said): boolean => {
  const aware = leg.door === null ? saw(leg.came, lock) : valid.some(({ said, decided }) => saw(decided ? said : leg.came, lock));
  const inside = saw(lock, leg.came) && (leg.door === null || valid.some(({ said }) => saw(lock, said)));
  return aware || inside;
};

/** Who is no longer there, and why. */
const endings = (conference: Conference): ReadonlyMap<LegId, EndedReason> => {
  const ended = new Map<LegId, EndedReason>();
  const newest = new Map<PersonId, Leg>();
  for (const leg of conference.legs.values()) {
    const reason = endingOf(leg, conference);
    if (reason !== null) {
      ended.set(leg.leg, reason);
      continue;
    }
    const other = newest.get(leg.person);
    const newer = other === undefined || isNewer(leg, other);
    if (other !== undefined) ended.set(newer ? other.leg : leg.leg, 'replaced');
    if (newer) newest.set(leg.person, leg);
  }
  // Whoever moves has two, until the site that they leave says that they are gone (ADR 0090): the newest, and one beside it.
  const beside = new Map<PersonId, Leg>();
  for (const [id, reason] of ended) {
    const leg = conference.legs.get(id);
    const latest = leg && newest.get(leg.person);
    if (leg === undefined || latest === undefined || reason !== 'replaced') continue;
    if (latest.from !== id && leg.from !== latest.leg) continue;
    const other = beside.get(leg.person);
    if (other === undefined || isNewer(leg, other)) beside.set(leg.person, leg);
  }
  for (const { leg } of beside.values()) ended.delete(leg);
  return ended;
};

const isNewer = (leg: Leg, other: Leg): boolean =>
  leg.connect > other.connect || (leg.connect === other.connect && inOrder(leg.came, other.came) > 0);

const endingOf = (leg: Leg, { removals, ends, writtenOff }: Conference): EndedReason | null => {
  // Only a host PIN brings back whoever was removed (merge rules 10 and 12).
  if (removals.get(leg.person)?.some((removal) => leg.role === 'guest' || !saw(leg.came, removal)) === true) return 'removed';
  if (leg.rejections.length > 0) return 'rejected';
  if (ends.some(({ sites, said }) => sites.includes(leg.site) && !saw(leg.came, said))) return 'ended';
  if (writtenOff.some(({ site, said }) => site === leg.site && !saw(leg.confirmed, said))) return 'written-off';
  return null;
};

/** The part of a list in fold order that comes after something: nothing before it can have seen it. */
const since = (said: Said, list: readonly Said[]): readonly Said[] => {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (inOrder(list[middle]!, said) <= 0) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? list : list.slice(low);
};
