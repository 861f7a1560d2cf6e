import { Refusal } from '@isthmus/kernel';
import { normalAlias, type Estate, type Room } from './estate.js';

export const SEATS_MAX = 1000;
export const SEATS_DEFAULT = 50;
export const ALIASES_MAX = 20;

export type RoomRefusal =
  | 'room.unknown'
  | 'room.exists'
  | 'room.name-invalid'
  | 'room.description-invalid'
  | 'room.alias-invalid'
  | 'room.alias-taken'
  | 'room.aliases-too-many'
  | 'room.seats-invalid'
  | 'room.guest-pin-alone'
  | 'room.pin-invalid'
  | 'room.pins-equal';

/** Whatever a person may read on a screen: no control characters, none that turn the direction of text around them. */
const READABLE = /^[^\p{Cc}\u202a-\u202e\u2066-\u2069]+$/u;

/** `board`, `4711`, `board.room@example.com`: what fits into a link, a SIP URI and a telephone keypad alike. */
const ALIAS = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?(?:@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)?$/;

const PIN = /^[0-9]{4,20}$/;

/** A refusal about one field, in the shape that forms and `application/problem+json` show beside it. */
const about = (path: string, code: RoomRefusal, message: string): Refusal<RoomRefusal> =>
  new Refusal(code, message, { errors: [{ path, message }] });

/** Everything that must hold of one room by itself and among the others. @throws Refusal with a {@link RoomRefusal}. */
export const checkRoom = (room: Room, estate: Estate): void => {
  if (!isReadable(room.name, 100)) throw about('name', 'room.name-invalid', 'A room needs a name of 1 to 100 readable characters.');
  if (room.description !== '' && !isReadable(room.description, 500)) {
    throw about('description', 'room.description-invalid', 'A description has at most 500 readable characters on one line.');
  }
  if (!Number.isInteger(room.seatsMax) || room.seatsMax < 1 || room.seatsMax > SEATS_MAX) {
    throw about('seatsMax', 'room.seats-invalid', `A room has 1 to ${SEATS_MAX} seats.`);
  }
  if (room.guestPinHash !== null && room.hostPinHash === null) {
    throw about('guestPin', 'room.guest-pin-alone', 'A guest PIN needs a host PIN beside it, or nobody could ever be host.');
  }
  checkAliases(room, estate);
};

const checkAliases = (room: Room, estate: Estate): void => {
  if (room.aliases.length > ALIASES_MAX) throw about('aliases', 'room.aliases-too-many', `A room has at most ${ALIASES_MAX} aliases.`);
  room.aliases.forEach((alias, index) => {
    const path = `aliases.${index}`;
    if (!isAlias(alias)) {
      const form = 'letters a to z, digits, dot, hyphen and underscore, and perhaps @domain';
      throw about(path, 'room.alias-invalid', `“${alias.slice(0, 64)}” cannot be dialled. An alias has 1 to 64 characters: ${form}.`);
    }
    const owner = ownerOf(alias, estate, room.id) ?? (room.aliases.indexOf(alias) < index ? room : undefined);
    if (owner)
      throw about(
        path,
        'room.alias-taken',
        `“${alias}” already belongs to the room “${owner.name}”. Choose another, or take it from there first.`,
      );
  });
};

/** Whether it can be stored as an alias as it stands. */
export const isAlias = (alias: string): boolean => alias === normalAlias(alias) && ALIAS.test(alias);

/**
 * What must hold of PINs, checked where they are typed, for afterwards nobody knows them: only salted hashes become facts.
 * `undefined` stays as it is, so a change of one PIN is checked against the other only if the caller proves that other one.
 */
export const checkPins = (hostPin: string | null | undefined, guestPin: string | null | undefined): void => {
  for (const [path, pin] of [
    ['hostPin', hostPin],
    ['guestPin', guestPin],
  ] as const) {
    if (typeof pin === 'string' && !PIN.test(pin)) throw about(path, 'room.pin-invalid', 'A PIN has 4 to 20 digits, and nothing else.');
  }
  if (typeof hostPin === 'string' && hostPin === guestPin) throw pinsEqual();
};

/** Whoever has the guest PIN would be host. */
export const pinsEqual = (): Refusal<RoomRefusal> =>
  about('guestPin', 'room.pins-equal', 'Host PIN and guest PIN must differ: the PIN is how a room tells a host from a guest.');

export const isReadable = (text: string, lengthMax: number): boolean =>
  text.length <= lengthMax && text.trim() === text && READABLE.test(text);

const ownerOf = (alias: string, estate: Estate, except: string): Room | undefined =>
  Object.values(estate.rooms).find((room) => room.id !== except && room.aliases.includes(alias));
