import type { Fact } from '@isthmus/kernel';
import type { ConferenceBody } from './facts.js';

/**
 * The door through which stored and foreign facts come into the domain: it checks the shape of what it knows and brings
 * old facts up to date (there is only version 1 so far, to which `proof` was added). Undefined for all else, which then folds as nothing but is
 * kept and passed on: a newer site may understand it (merge rule 5).
 */
export const upcast = (fact: Fact): ConferenceBody | undefined => {
  const { type, v, body } = fact;
  if (v !== 1 || !Object.hasOwn(SHAPES, type) || !isRecord(body)) return undefined;
  if (!SHAPES[type as ConferenceBody['type']](body)) return undefined;
  const isComing = type === 'LegJoined' || type === 'LegKnocked';
  if (isComing && body.proof === undefined) return { ...fact, body: { ...body, proof: 0 } } as unknown as ConferenceBody;
  return fact as unknown as ConferenceBody; // As it is: version 1 is what the domain speaks.
};

type Shape = (body: Readonly<Record<string, unknown>>) => boolean;

const NAME_LENGTH_MAX = 256;
const SITES_MAX = 1024;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isName = (value: unknown): value is string => typeof value === 'string' && value.length > 0 && value.length <= NAME_LENGTH_MAX;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isNames = (value: unknown): boolean => Array.isArray(value) && value.length <= SITES_MAX && value.every(isName);
const isOneOf = (value: unknown, ...words: readonly string[]): boolean => typeof value === 'string' && words.includes(value);

const leg: Shape = (body) => isName(body.leg);
const nothing: Shape = () => true;
const coming: Shape = (body) =>
  isName(body.leg) &&
  isName(body.person) &&
  isName(body.name) &&
  isName(body.site) &&
  isOneOf(body.role, 'host', 'guest') &&
  isCount(body.connect) &&
  typeof body.muted === 'boolean' &&
  typeof body.cameraOff === 'boolean' &&
  (body.proof === undefined || isCount(body.proof)) &&
  (body.from === undefined || isName(body.from));

const SHAPES: Readonly<Record<ConferenceBody['type'], Shape>> = {
  LegJoined: coming,
  LegKnocked: (body) => coming(body) && isOneOf(body.reason, 'host', 'lock') && isNames(body.reach),
  LegReturned: (body) => leg(body) && isCount(body.connect),
  LegLeft: (body) => leg(body) && isOneOf(body.reason, 'left', 'lost', 'replaced', 'room-disabled'),
  LegAdmitted: leg,
  LegRejected: leg,
  FloorTaken: leg,
  LegMuted: leg,
  LegUnmuted: leg,
  GuestsMuted: (body) => isNames(body.spared),
  CameraStopped: leg,
  CameraResumed: leg,
  ConferenceLocked: nothing,
  ConferenceUnlocked: nothing,
  PersonRemoved: (body) => leg(body) && isName(body.person),
  HostAppointed: leg,
  HostDemoted: leg,
  MeetingEnded: (body) => isNames(body.sites),
  PinChanged: (body) => isCount(body.host) && isCount(body.guest),
  SiteWrittenOff: (body) => isName(body.site) && isOneOf(body.reason, 'removed', 'silent'),
};
