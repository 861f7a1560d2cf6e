import { Refusal } from '@isthmus/kernel';
import type { ConferenceAct, ConferenceCommand, ConferenceRefusal, ConferenceSeen } from './commands.js';
import { withoutArchive } from './archive.js';
import type { Coming, ConferenceBody } from './facts.js';
import { floorOf, type Conference } from './selectors.js';
import { legOf, standingOf, type LegStanding } from './standing.js';
import type { LegId } from './words.js';

const refuse = (code: ConferenceRefusal, message: string): never => {
  throw new Refusal(code, message);
};

/**
 * What happens if the command is carried out now, or a {@link Refusal} that says why not. Asking for what is so already
 * yields nothing. Legs and floor are taken from those in reach; locks, removals and roles from everything known (merge
 * rule 8).
 */
export const decide = (command: ConferenceCommand, conference: Conference, seen: ConferenceSeen): readonly ConferenceBody[] => {
  switch (command.type) {
    case 'Join':
      return [...noteOfPins(conference, seen), ...join(command, conference, seen)];
    case 'NotePins':
      return noteOfPins(conference, seen);
    case 'WriteOff': {
      const isThere = [...standingOf(conference).legs.values()].some(({ leg, ended }) => ended === null && leg.site === command.site);
      return isThere ? [{ type: 'SiteWrittenOff', v: 1, by: 'system', body: { site: command.site, reason: command.reason } }] : [];
    }
    case 'Leave': {
      if (conference.legs.get(command.leg) === undefined) return [];
      return [{ type: 'LegLeft', v: 1, by: command.leg, body: { leg: command.leg, reason: command.reason ?? 'left' } }];
    }
    case 'TakeFloor': {
      const leg = standingOf(conference).legs.get(command.leg);
      const mayTake = leg !== undefined && isIn(leg) && leg.muted !== 'host';
      if (!mayTake || floorOf(conference, seen.reach) === command.leg) return [];
      return [{ type: 'FloorTaken', v: 1, by: command.leg, body: { leg: command.leg } }];
    }
    default:
      return act(command, conference, seen);
  }
};

/** Whoever knows of newer PINs says so before anybody comes in by them: from then on an older one opens no door unseen. */
const noteOfPins = ({ pins }: Conference, { room }: ConferenceSeen): readonly ConferenceBody[] => {
  const { host, guest } = room.pins ?? { host: 0, guest: 0 };
  const known = { host: Math.max(0, ...pins.map((change) => change.host)), guest: Math.max(0, ...pins.map((change) => change.guest)) };
  if (host <= known.host && guest <= known.guest) return [];
  return [{ type: 'PinChanged', v: 1, by: 'system', body: { host: Math.max(host, known.host), guest: Math.max(guest, known.guest) } }];
};

const join = (
  { type: _, ...coming }: Coming & { readonly type: 'Join' },
  conference: Conference,
  seen: ConferenceSeen,
): readonly ConferenceBody[] => {
  const standing = standingOf(conference);
  const { removals, ends } = withoutArchive(conference);
  const { leg, person, site, role, connect, from } = coming;

  const same = legOf(conference, leg);
  if (same !== undefined) {
    if (same.ended !== null) return refuseEnded(same);
    return same.leg.connect >= connect ? [] : [{ type: 'LegReturned', v: 1, by: leg, body: { leg, connect } }];
  }

  const others = [...standing.legs.values()].filter((other) => other.ended === null);
  const inReach = others.filter((other) => seen.reach.has(other.leg.site));
  if (role === 'guest' && removals.get(person) !== undefined)
    return refuse(
      'conference.removed',
      'A host has removed you from this meeting. You can come back when the next one begins, or with the host PIN.',
    );
  if (ends.some(({ sites }) => sites.includes(site)) && inReach.length === 0)
    return refuse('conference.ended', 'A host has ended this meeting for everyone. Join again to begin a new one.');
  if (others.some((other) => other.leg.person === person && other.leg.connect > connect))
    return refuse(
      'conference.elsewhere',
      'You are in this meeting already, on a newer connection. Close the other window, or join again from here.',
    );

  const left = from === undefined ? undefined : inReach.find((other) => other.leg.leg === from && other.leg.person === person);
  if (from !== undefined && (left === undefined || !isIn(left)))
    return refuse('conference.unknown-leg', 'The seat that you want to move from is not known here.');
  // Whoever is in is no stranger at another site's door.
  const mayAskToWait = role === 'guest' && left === undefined;

  const hostInReach = inReach.some((other) => isIn(other) && other.role === 'host');
  const knock = (reason: 'host' | 'lock'): readonly ConferenceBody[] => [
    { type: 'LegKnocked', v: 1, by: leg, body: { ...coming, reason, reach: [...seen.reach].sort() } },
  ];
  if (mayAskToWait && standing.locked)
    return hostInReach
      ? knock('lock')
      : refuse(
          'conference.locked',
          'The meeting is locked, and no host is there who could let you in. Try again later, or use the host PIN.',
        );
  if (mayAskToWait && seen.room.guestsWaitForHost && !hostInReach) return knock('host');
  if (inReach.filter((other) => isSeated(other) && other.leg.person !== person).length >= seen.room.seatsMax) return refuseFull(seen);
  return [{ type: 'LegJoined', v: 1, by: leg, body: coming }];
};

const act = (command: ConferenceAct & { readonly by: LegId }, conference: Conference, seen: ConferenceSeen): readonly ConferenceBody[] => {
  const standing = standingOf(conference);
  const { by } = command;
  const author = legOf(conference, by);
  if (author === undefined) return refuseUnknown();
  if (author.ended !== null) return refuseEnded(author);
  const byHost = author.role === 'host' && isIn(author);
  const ownDevice = 'leg' in command && command.leg === by && isDevice(command.type);
  if (!byHost && !ownDevice) return refuse('conference.host-only', `Only a host can ${DEEDS[command.type]}.`);

  switch (command.type) {
    case 'lock':
      return standing.locked ? [] : [{ type: 'ConferenceLocked', v: 1, by, body: {} }];
    case 'unlock':
      return standing.locked ? [{ type: 'ConferenceUnlocked', v: 1, by, body: {} }] : [];
    case 'end-for-all':
      return [{ type: 'MeetingEnded', v: 1, by, body: { sites: [...seen.reach].sort() } }];
    case 'mute-all-guests': {
      const live = [...standing.legs.values()].filter(({ ended }) => ended === null);
      const spared = live.filter(({ role }) => role === 'host').map(({ leg }) => leg.leg);
      const audible = live.some(({ role, muted }) => role === 'guest' && muted !== 'host');
      return audible ? [{ type: 'GuestsMuted', v: 1, by, body: { spared } }] : [];
    }
    default:
      return actOn(command.type, by, byHost, legOf(conference, command.leg) ?? refuseUnknown(), standing, seen);
  }
};

type ActOnLeg = Extract<ConferenceAct, { readonly leg: LegId }>['type'];

const actOn = (
  type: ActOnLeg,
  by: LegId,
  byHost: boolean,
  target: LegStanding,
  { legs }: { readonly legs: ReadonlyMap<LegId, LegStanding> },
  seen: ConferenceSeen,
): readonly ConferenceBody[] => {
  const { leg, person, name } = target.leg;
  if (target.ended !== null)
    return leg === by ? refuseEnded(target) : refuse('conference.unknown-leg', `${name} is no longer in the meeting.`);
  const body = { leg };
  const own = leg === by;

  switch (type) {
    case 'mute':
      return target.muted === 'host' || (own && target.muted === 'self') ? [] : [{ type: 'LegMuted', v: 1, by, body }];
    case 'unmute':
      if (target.muted === false) return [];
      if (own && target.muted === 'host' && !byHost)
        return refuse('conference.muted-by-host', 'A host has muted you. Ask a host to let you speak again.');
      if (!own && target.muted === 'self')
        return refuse('conference.owner-only', `${name} is muted by their own choice; only they can turn their microphone on.`);
      return [{ type: 'LegUnmuted', v: 1, by, body }];
    case 'camera-off':
      return target.camera === 'host' || (own && target.camera === 'self') ? [] : [{ type: 'CameraStopped', v: 1, by, body }];
    case 'camera-on':
      if (target.camera === 'on') return [];
      if (own && target.camera === 'host' && !byHost)
        return refuse('conference.camera-off-by-host', 'A host has turned your camera off. Ask a host to let you show yourself again.');
      if (!own && target.camera === 'self')
        return refuse('conference.owner-only', `${name} has their camera off by their own choice; only they can turn it on.`);
      return [{ type: 'CameraResumed', v: 1, by, body }];
    case 'remove':
      return [{ type: 'PersonRemoved', v: 1, by, body: { person, leg } }];
    case 'admit': {
      if (isIn(target)) return [];
      const seated = [...legs.values()].filter((other) => other.ended === null && isSeated(other) && seen.reach.has(other.leg.site));
      if (seated.length >= seen.room.seatsMax) return refuseFull(seen);
      return [{ type: 'LegAdmitted', v: 1, by, body }];
    }
    case 'reject':
      if (isIn(target)) return refuse('conference.not-waiting', `${name} is in the meeting already. Remove them instead.`);
      return [{ type: 'LegRejected', v: 1, by, body }];
    case 'make-host':
      if (!isIn(target)) return refuse('conference.not-waiting', `${name} is not in the meeting yet. Let them in first.`);
      return target.role === 'host' ? [] : [{ type: 'HostAppointed', v: 1, by, body }];
    case 'make-guest':
      return target.role === 'guest' ? [] : [{ type: 'HostDemoted', v: 1, by, body }];
  }
};

/** In the meeting with all that belongs to it. */
const isIn = ({ ended, waiting, held }: LegStanding): boolean => ended === null && waiting === null && !held;
/** Counts against the room's seats. */
const isSeated = ({ waiting, held }: LegStanding): boolean => waiting === null && !held;
const isDevice = (type: ConferenceAct['type']): boolean =>
  type === 'mute' || type === 'unmute' || type === 'camera-off' || type === 'camera-on';

const DEEDS: Readonly<Record<ConferenceAct['type'], string>> = {
  mute: 'mute somebody else',
  unmute: 'let somebody else speak again',
  'camera-off': "turn off somebody else's camera",
  'camera-on': 'let somebody else show themself again',
  'mute-all-guests': 'mute all guests',
  lock: 'lock the meeting',
  unlock: 'unlock the meeting',
  'end-for-all': 'end the meeting for everyone',
  remove: 'remove somebody',
  admit: 'let somebody in',
  reject: 'turn somebody away',
  'make-host': 'make somebody a host',
  'make-guest': 'take the host role from somebody',
};

const refuseFull = ({ room }: ConferenceSeen): never =>
  refuse('conference.full', `All ${room.seatsMax} seats of this meeting are taken. Try again when somebody has left.`);

const refuseUnknown = (): never =>
  refuse('conference.unknown-leg', 'That participant is not in this meeting. The list may have changed; look again.');

const refuseEnded = ({ ended }: LegStanding): never => {
  if (ended === 'removed') return refuse('conference.removed', 'A host has removed you from this meeting.');
  if (ended === 'ended') return refuse('conference.ended', 'A host has ended this meeting for everyone. Join again to begin a new one.');
  if (ended === 'replaced')
    return refuse('conference.elsewhere', 'You have joined this meeting again on a newer connection, which took over from this one.');
  return refuse('conference.unknown-leg', 'You are no longer in this meeting. Join again.');
};
