import { normalAlias, roomWithAlias, type Estate, type Room } from '@isthmus/estate';

/** The longest thing that is worth looking at: an alias has at most 64 characters before its domain, a link some more. */
const TYPED_MAX = 512;

/**
 * The room that somebody means, or undefined. What is typed, pasted or dialled comes in many shapes: a plain name, a whole
 * meeting link, a SIP URI, digits in groups. A disabled room is as good as none: nobody may learn that it exists.
 */
export const roomMeant = (estate: Estate, typed: string): Room | undefined => {
  const room = readings(typed)
    .map((alias) => roomWithAlias(estate, alias))
    .find((found) => found !== undefined);
  return room?.disabled ? undefined : room;
};

/** What may be meant by what was typed, the most literal reading first. */
export const readings = (typed: string): readonly string[] => {
  if (typed.length > TYPED_MAX) return [];
  // NFKC, not NFC: full-width digits from a Japanese keyboard are digits.
  const bare = normalAlias(fromSipUri(fromLink(typed.normalize('NFKC').trim())));
  const [user = ''] = bare.split('@');
  const digits = bare.replace(/[\s()./-]/g, '');
  const all = [bare, user, /^[0-9]+$/.test(digits) ? digits : ''];
  return [...new Set(all)].filter((alias) => alias !== '');
};

/** `https://meet.lon.example/r/board?x#y` → `board`. */
const fromLink = (text: string): string => {
  const [, segment] = /^https?:\/\/[^/]*\/r\/([^/?#]+)/i.exec(text) ?? [];
  return segment === undefined ? text : (decoded(segment) ?? text);
};

/** `sips:board@example.com;transport=tls?subject=x` → `board@example.com` (RFC 3261 §19.1.1). */
const fromSipUri = (text: string): string => {
  const [, address] = /^sips?:([^;?]+)/i.exec(text) ?? [];
  return address?.replace(/:[0-9]+$/, '') ?? text;
};

const decoded = (segment: string): string | undefined => {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A stray % is what somebody typed, not an error of theirs to be told of.
    return undefined;
  }
};
