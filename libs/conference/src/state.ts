import { Table, saw, type Pass, type Said, type SiteId } from '@isthmus/kernel';
import type { Coming, ConferenceBody, LeftReason, PinGenerations, WaitingReason } from './facts.js';
import { countedFor } from './archive.js';
import { siteOfLeg, type LegId, type PersonId } from './words.js';

/** A microphone or a camera: what its owner wants, and what hosts have said about it. */
export interface Device {
  readonly offByOwner: boolean;
  readonly stops: readonly Said[];
  readonly releases: readonly Said[];
}

/** All that was said of one leg. */
export interface Leg extends Coming {
  readonly came: Said;
  /** When its site last said that it is there: what a write-off of the site must have been seen by. */
  readonly confirmed: Said;
  /** Why it could not simply come in, if it could not. */
  readonly door: { readonly reason: WaitingReason; readonly reach: readonly SiteId[] } | null;
  readonly left: LeftReason | null;
  readonly admissions: readonly Said[];
  readonly rejections: readonly Said[];
  readonly appointments: readonly Said[];
  readonly demotions: readonly Said[];
  readonly microphone: Device;
  readonly camera: Device;
}

/**
 * A conference keeps what was said, and by whom; what stands is asked of it (standing.ts). So nothing here depends on
 * which of two facts that did not know of each other is folded first, except where the last one simply wins.
 */
export interface Conference {
  /** In the order in which they came, without those whose own site has said that they are gone. */
  readonly legs: Table<LegId, Leg>;
  /** Still needed: what they did as long as they were here counts or does not. */
  readonly gone: Table<LegId, Leg>;
  /** Hosts let in those who wait, by coming. */
  readonly hosts: readonly { readonly site: SiteId; readonly said: Said }[];
  readonly appointments: readonly Said[];
  /** Somebody has been in. It sticks (merge rule 14). */
  readonly started: boolean;
  /** Everybody present who has spoken, by their last word: most recent speaker last. */
  readonly spoke: Table<LegId, true>;
  readonly locks: readonly Said[];
  readonly unlocks: readonly Said[];
  readonly hushes: readonly { readonly spared: readonly LegId[]; readonly said: Said }[];
  readonly removals: Table<PersonId, readonly Said[]>;
  readonly ends: readonly { readonly sites: readonly SiteId[]; readonly said: Said }[];
  readonly pins: readonly PinChange[];
  readonly writtenOff: readonly { readonly site: SiteId; readonly said: Said }[];
}

export interface PinChange extends PinGenerations {
  readonly said: Said;
}

export const initial: Conference = {
  started: false,
  legs: Table.empty(),
  gone: Table.empty(),
  hosts: [],
  appointments: [],
  spoke: Table.empty(),
  locks: [],
  unlocks: [],
  hushes: [],
  removals: Table.empty(),
  ends: [],
  pins: [],
  writtenOff: [],
};

/** Whenever the same facts fold to another state than before, this goes up: states are compared per fold version only (merge rule 5). */
export const FOLD_VERSION = 2;

export const evolve = (conference: Conference, fact: ConferenceBody, said: Said, pass?: Pass): Conference => {
  if (!mayBeSaidBy(said, fact, conference)) return conference; // Kept in the history, inert here (merge rule 5).
  const change = (leg: LegId, changed: (leg: Leg) => Partial<Leg>): Conference => {
    const present = conference.legs.get(leg);
    if (present !== undefined) {
      const legs = conference.legs.set(leg, { ...present, ...changed(present) }, pass);
      return legs === conference.legs ? conference : { ...conference, legs };
    }
    const gone = conference.gone.get(leg);
    return gone === undefined ? conference : { ...conference, gone: conference.gone.set(leg, { ...gone, ...changed(gone) }, pass) };
  };

  switch (fact.type) {
    case 'LegJoined': {
      const { leg, site, role } = fact.body;
      const hosts = role === 'host' ? [...conference.hosts, { site, said }] : conference.hosts;
      return { ...conference, started: true, hosts, legs: conference.legs.set(leg, newcomer(fact.body, null, said), pass) };
    }
    case 'LegKnocked': {
      const { reason, reach, ...coming } = fact.body;
      return { ...conference, legs: conference.legs.set(coming.leg, newcomer(coming, { reason, reach }, said), pass) };
    }
    case 'LegReturned':
      return change(fact.body.leg, (leg) => ({ connect: Math.max(leg.connect, fact.body.connect), confirmed: said }));
    case 'LegLeft': {
      const spoke = conference.spoke.delete(fact.body.leg, pass);
      const leg = { ...conference.legs.get(fact.body.leg)!, left: fact.body.reason };
      return { ...conference, spoke, legs: conference.legs.delete(leg.leg, pass), gone: conference.gone.set(leg.leg, leg, pass) };
    }
    case 'FloorTaken': {
      // By far the most frequent, so within a pass it makes nothing new.
      const spoke = conference.spoke.setLast(fact.body.leg, true, pass);
      return spoke === conference.spoke ? conference : { ...conference, spoke };
    }
    case 'LegAdmitted':
      return change(fact.body.leg, (leg) => ({ admissions: [...leg.admissions, said] }));
    case 'LegRejected':
      return change(fact.body.leg, (leg) => ({ rejections: [...leg.rejections, said] }));
    case 'HostAppointed':
      return {
        ...change(fact.body.leg, (leg) => ({ appointments: [...leg.appointments, said] })),
        appointments: [...conference.appointments, said],
      };
    case 'HostDemoted':
      return change(fact.body.leg, (leg) => ({ demotions: [...leg.demotions, said] }));
    case 'LegMuted':
      return change(fact.body.leg, (leg) => ({ microphone: stopped(leg, leg.microphone, said) }));
    case 'LegUnmuted':
      return change(fact.body.leg, (leg) => ({ microphone: released(leg, leg.microphone, said, conference) }));
    case 'CameraStopped':
      return change(fact.body.leg, (leg) => ({ camera: stopped(leg, leg.camera, said) }));
    case 'CameraResumed':
      return change(fact.body.leg, (leg) => ({ camera: released(leg, leg.camera, said, conference) }));
    case 'GuestsMuted':
      return { ...conference, hushes: [...conference.hushes, { spared: fact.body.spared, said }] };
    case 'ConferenceLocked':
      return { ...conference, locks: [...conference.locks, said] };
    case 'ConferenceUnlocked':
      return { ...conference, unlocks: [...conference.unlocks, said] };
    case 'PersonRemoved': {
      const { person } = fact.body;
      return { ...conference, removals: conference.removals.set(person, [...(conference.removals.get(person) ?? []), said], pass) };
    }
    case 'MeetingEnded':
      return { ...conference, ends: [...conference.ends, { sites: fact.body.sites, said }] };
    case 'PinChanged':
      return { ...conference, pins: [...conference.pins, { host: fact.body.host, guest: fact.body.guest, said }] };
    case 'SiteWrittenOff':
      return { ...conference, writtenOff: [...conference.writtenOff, { site: fact.body.site, said }] };
  }
};

const newcomer = (coming: Coming, door: Leg['door'], said: Said): Leg => ({
  ...coming,
  came: said,
  confirmed: said,
  door,
  left: null,
  admissions: [],
  rejections: [],
  appointments: [],
  demotions: [],
  microphone: { offByOwner: coming.muted, stops: [], releases: [] },
  camera: { offByOwner: coming.cameraOff, stops: [], releases: [] },
});

const stopped = (leg: Leg, device: Device, said: Said): Device =>
  said.by === leg.leg ? { ...device, offByOwner: true } : { ...device, stops: [...device.stops, said] };

/** A leg that ever was. */
export const legIn = ({ legs, gone }: Conference, leg: LegId): Leg | undefined => legs.get(leg) ?? gone.get(leg);

/** A host who switches their own device on also lifts what other hosts had said about it. */
const released = (leg: Leg, device: Device, said: Said, conference: Conference): Device => ({
  ...device,
  offByOwner: said.by === leg.leg ? false : device.offByOwner,
  releases: wasHost(conference, said) ? [...device.releases, said] : device.releases,
});

/**
 * Whose word it is (merge rule 5): a leg comes, goes and speaks only by the word of its own site, switches its own devices
 * there, and all else is a host's act, told by the host's site and said by somebody who was a host as far as they could see.
 */
const mayBeSaidBy = (said: Said, fact: ConferenceBody, conference: Conference): boolean => {
  switch (fact.type) {
    case 'LegJoined':
    case 'LegKnocked':
      return fact.body.site === said.site && siteOfLeg(fact.body.leg) === said.site && legIn(conference, fact.body.leg) === undefined;
    case 'LegReturned':
    case 'LegLeft':
    case 'FloorTaken':
      return conference.legs.get(fact.body.leg)?.site === said.site;
    case 'LegMuted':
    case 'LegUnmuted':
    case 'CameraStopped':
    case 'CameraResumed':
      return fact.body.leg === said.by ? conference.legs.get(fact.body.leg)?.site === said.site : wasHost(conference, said);
    case 'LegAdmitted':
    case 'LegRejected':
    case 'HostAppointed':
    case 'HostDemoted':
    case 'GuestsMuted':
    case 'ConferenceLocked':
    case 'ConferenceUnlocked':
    case 'PersonRemoved':
    case 'MeetingEnded':
      return wasHost(conference, said);
    case 'PinChanged':
      return said.by === 'system'; // Every site learns it from management, and what it claims only holds people.
    case 'SiteWrittenOff':
      return said.by === 'system' && said.site !== fact.body.site;
  }
};

/** Whether whoever acted was a host as far as they could see. All that they saw is folded by now, so the answer never changes. */
const wasHost = (conference: Conference, act: Said): boolean => {
  const author = legIn(conference, act.by as LegId);
  return author !== undefined && author.site === act.site && heldHostRole(conference, author, act, () => true);
};

/** A leg, and those of the same person that they moved from to get there, the newest first (ADR 0090). */
export const trailOf = (conference: Conference, leg: Leg): readonly Leg[] => {
  const trail = [leg];
  for (let at = leg; at.from !== undefined && trail.length < TRAIL_MAX;) {
    const before = legIn(conference, at.from);
    if (before === undefined || before.person !== leg.person || trail.includes(before)) break;
    trail.push(before);
    at = before;
  }
  return trail;
};
/** Nobody moves more often within one meeting; what another site claims is followed no further. */
const TRAIL_MAX = 16;

/** Who made somebody a host, as this leg or as one that they moved from. */
export const appointmentsOf = (conference: Conference, leg: Leg): readonly Said[] =>
  leg.from === undefined ? leg.appointments : trailOf(conference, leg).flatMap(({ appointments }) => appointments);

/** Whether the leg had the host role in the eyes of whoever said `act`, if only appointments that `count` do. */
export const heldHostRole = (conference: Conference, leg: Leg, act: Said, count: (appointment: Said) => boolean): boolean => {
  const known = (said: Said) => saw(act, said) && countedFor(conference, act, said);
  const appointments = appointmentsOf(conference, leg).filter((appointment) => known(appointment) && count(appointment));
  if (leg.role !== 'host' && appointments.length === 0) return false;
  const removals = conference.removals.get(leg.person) ?? [];
  return (
    demotionsOf(conference, leg).every((demotion) => !known(demotion) || appointments.some((appointment) => saw(appointment, demotion))) &&
    removals.every((removal) => !known(removal) || saw(leg.came, removal))
  );
};

/**
 * Changes of the PIN by which this leg came in, of which neither the leg nor whoever learnt of the change knew the other. Whoever
 * was known as a leg of the same role that this one is from, was known (ADR 0098).
 */
export const outdatedBy = (conference: Conference, leg: Leg): readonly PinChange[] => {
  const { pins } = conference;
  if (pins.length === 0) return pins;
  const known = trailOf(conference, leg).filter(({ role }) => role === leg.role);
  return pins.filter((change) => change[leg.role] > leg.proof && known.every(({ came }) => !saw(change.said, came)));
};

/** What took the host role from a leg. A host PIN that was changed behind its back makes nobody host (ADR 0030). */
export const demotionsOf = (conference: Conference, leg: Leg): readonly Said[] => {
  const outdated = leg.role === 'host' ? outdatedBy(conference, leg) : [];
  const demotions = leg.from === undefined ? leg.demotions : trailOf(conference, leg).flatMap((each) => each.demotions);
  return outdated.length === 0 ? demotions : [...demotions, ...outdated.map(({ said }) => said)];
};
