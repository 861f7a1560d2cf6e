import type { SiteId } from '@isthmus/kernel';
import type { EndReason, RosterEntry } from '@isthmus/protocol';
import type { DeviceKind, DeviceProblem } from '../net/devices.js';
import { isLoopback, type Door } from '../net/doors.js';

/** "Ana", "Ana and Bo", "Ana, Bo and 3 others". */
export const names = (list: readonly string[], shown = 3): string => {
  if (list.length <= 1) return list[0] ?? '';
  const rest = list.length - shown;
  if (rest > 0) return `${list.slice(0, shown).join(', ')} and ${rest} other${rest === 1 ? '' : 's'}`;
  return `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`;
};

/** Two letters for an avatar: first and last name's, or the first two of a single name. Whole characters, not halves of emoji. */
export const initials = (name: string): string => {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = words.length > 1 ? [[...(words[0] ?? '')][0], [...(words.at(-1) ?? '')][0]] : [...(words[0] ?? '?')].slice(0, 2);
  return letters.join('').toLocaleUpperCase();
};

export type NameOfSite = (site: SiteId) => string;

/** One sentence per site that cannot be reached now, with whom we miss there. */
export const outOfReach = (roster: readonly RosterEntry[], nameOf: NameOfSite): readonly string[] => {
  const bySite = new Map<SiteId, string[]>();
  for (const { inReach, site, name } of roster) {
    if (!inReach) bySite.set(site, [...(bySite.get(site) ?? []), name]);
  }
  return [...bySite].map(([site, missing]) => `${nameOf(site)} is out of reach: ${names(missing)} will be back when the link is.`);
};

/** One sentence per site that could not be reached and can be again, with whom that brings back. */
export const backInReach = (
  before: readonly RosterEntry[],
  after: readonly RosterEntry[],
  nameOf: NameOfSite,
): readonly { readonly site: SiteId; readonly text: string }[] => {
  const still = sitesAway(after);
  return [...sitesAway(before)]
    .filter((site) => !still.has(site))
    .map((site) => {
      const back = after.filter((entry) => entry.site === site).map(({ name }) => name);
      return { site, text: `${nameOf(site)} is back${back.length === 0 ? '' : `, and with it ${names(back)}`}.` };
    });
};

/** Sites with people who cannot be reached now. */
export const sitesAway = (roster: readonly RosterEntry[]): ReadonlySet<SiteId> =>
  new Set(roster.flatMap(({ inReach, site }) => (inReach ? [] : [site])));

/** For hosts: the room has another meeting beside this one, and how they become one. */
export const besidesInWords = (sites: readonly SiteId[], locked: boolean, nameOf: NameOfSite): string | undefined => {
  if (sites.length === 0) return undefined;
  const where = names(sites.map(nameOf));
  const how = locked ? 'this one is locked. Unlock it to be one meeting' : 'that one is locked. Once it is unlocked, they are one';
  return `This room has another meeting, in ${where}, that began while the link was down. They stay apart because ${how}.`;
};

/** Why no sound and no pictures come, and who can do what about it. @param shunsLoopback the browser pairs no loopback address, as Firefox does */
export const blockedInWords = (doors: readonly Door[], shunsLoopback: boolean): string => {
  if (shunsLoopback && doors.length > 0 && doors.every(isLoopback))
    return 'This browser carries no sound or pictures over a loopback address such as 127.0.0.1. Start Isthmus with --listen and an address of this machine, or use another browser.';
  const protocols = new Map<string, string[]>();
  for (const { address, port, protocol } of doors) {
    const place = `${address} port ${port}`;
    protocols.set(place, [...(protocols.get(place) ?? []), protocol.toUpperCase()]);
  }
  const where = [...protocols].map(([place, those]) => `${place} (${those.join(' or ')})`);
  const server = where.length === 0 ? 'the media server' : names(where, 2);
  return `No sound or pictures get through between this browser and ${server}. Usually a firewall is in the way: ask whoever runs the network to open that. Your seat is kept, and it is tried again.`;
};

/** Why somebody waits who came this far. */
export const WAITING: Readonly<Record<'host' | 'lock' | 'held-lock' | 'held-pin', { readonly title: string; readonly text: string }>> = {
  host: {
    title: 'Waiting for the host',
    text: 'The meeting begins when a host is there. You will be brought in by yourself; there is nothing to do.',
  },
  lock: { title: 'Waiting to be let in', text: 'The room is locked. A host sees your name and can let you in.' },
  'held-lock': {
    title: 'Waiting to be let in',
    text: 'A host locked the room while your site was cut off from theirs, so they could not know of you. They see your name now and can let you in.',
  },
  'held-pin': {
    title: 'Waiting to be let in',
    text: 'The PIN of this room was changed while your site could not know. A host sees your name and can let you in; or leave, and join again with the new PIN.',
  },
};

export const ENDINGS: Readonly<Record<EndReason, { readonly title: string; readonly text: string; readonly back: 'rejoin' | 'home' }>> = {
  left: { title: 'You left the meeting', text: 'The others can go on. You can come back as long as it lasts.', back: 'rejoin' },
  removed: {
    title: 'A host removed you',
    text: 'You are no longer in this meeting. If that was a mistake, ask the host to let you back in.',
    back: 'home',
  },
  ended: { title: 'The meeting is over', text: 'The host ended it for everyone.', back: 'home' },
  replaced: {
    title: 'You are in from somewhere else',
    text: 'This meeting was opened again with the same identity, and that one took your seat. Nothing is lost.',
    back: 'rejoin',
  },
  rejected: { title: 'You were not let in', text: 'The host chose not to admit you this time.', back: 'home' },
  'room-disabled': { title: 'This room was closed', text: 'Whoever looks after the rooms has switched this one off.', back: 'home' },
  'node-lost': {
    title: 'The connection was lost',
    text: 'The server that carried your call is gone and no other could take you just now.',
    back: 'rejoin',
  },
  timeout: {
    title: 'The connection was lost',
    text: 'We did not hear from your browser for a while, so your seat was given up.',
    back: 'rejoin',
  },
};

/** What happened to a device, or to both alike, and what to do about it. */
export const problemWords = (what: DeviceKind | 'both', problem: DeviceProblem): { readonly title: string; readonly text: string } => {
  const [it, is, them] = what === 'both' ? ['camera and microphone', 'are', 'them'] : [what, 'is', 'it'];
  switch (problem) {
    case 'insecure':
      return {
        title: 'Needs a secure address',
        text: `Browsers give the ${it} only to pages opened with https:// (or on this very machine). Ask for the secure link; you can still join to watch and listen.`,
      };
    case 'denied':
      return {
        title: `The ${it} ${is} not allowed`,
        text: `The browser or the system refuses ${them}. Allow the ${it} next to the address bar, then turn ${them} on again. You can join without.`,
      };
    case 'none':
      return { title: `No ${it} found`, text: `Plug one in and it is picked up by itself. You can join without.` };
    case 'in-use':
      return {
        title: `The ${it} ${is} busy`,
        text: `Another program seems to be using ${them}. Close that one, then turn ${them} on again.`,
      };
    case 'failed':
      return { title: `The ${it} did not start`, text: `The browser gave no reason. Try another ${it}, or turn ${them} on again.` };
  }
};
