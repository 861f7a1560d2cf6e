import { epochOf, Refusal, writerOf, type Fact, type SiteId } from '@isthmus/kernel';
import { emptyEstate, pinsOf, type Estate, type Room, type Site } from './estate.js';
import { decideNode, withNodeWord, withoutNodesOf, type NodeCommand, type NodeFact, type NodeRefusal } from './node-words.js';
import { checkRoom, isReadable, type RoomRefusal } from './room-rules.js';

/**
 * What IT does to the estate, as facts. Rooms and sites are written whole when they begin and by difference when they
 * change, so that a change says what was changed and two that touch different things both count.
 */
export type EstateFact =
  | { readonly type: 'RoomCreated'; readonly room: Room }
  | { readonly type: 'RoomChanged'; readonly id: string; readonly change: RoomChange }
  | { readonly type: 'RoomDeleted'; readonly id: string }
  | { readonly type: 'SiteEnrolled'; readonly site: Site }
  | { readonly type: 'SiteChanged'; readonly id: SiteId; readonly change: SiteChange }
  | { readonly type: 'SiteRemoved'; readonly id: SiteId }
  | NodeFact
  /** Sites hold facts that management has lost: it was put back from a backup. What it has is the estate from here on (ADR 0054). */
  | { readonly type: 'EstateRestored'; readonly generation: number };

export type RoomChange = Partial<Omit<Room, 'id'>>;
export type SiteChange = Partial<Omit<Site, 'id'>>;

export type EstateCommand =
  | { readonly type: 'CreateRoom'; readonly room: Room }
  | { readonly type: 'ChangeRoom'; readonly id: string; readonly change: RoomChange }
  | { readonly type: 'DeleteRoom'; readonly id: string }
  | { readonly type: 'EnrolSite'; readonly site: Site }
  | { readonly type: 'ChangeSite'; readonly id: SiteId; readonly change: SiteChange }
  | { readonly type: 'RemoveSite'; readonly id: SiteId }
  | NodeCommand
  | { readonly type: 'DeclareRestored'; readonly generation: number };

export type EstateRefusal =
  RoomRefusal | NodeRefusal | 'site.unknown' | 'site.last' | 'site.exists' | 'site.id-invalid' | 'site.name-invalid' | 'site.url-invalid';

const ROOM_ID = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const SITE_ID = /^[a-z][a-z0-9_]{0,31}$/;
/** Management's own name among the writers; no site may have it. */
export const MANAGEMENT = 'management' as SiteId;

/** What a command leads to: facts to record, or none if it changes nothing. @throws Refusal with an {@link EstateRefusal}. */
export const decideEstate = (command: EstateCommand, estate: Estate): readonly EstateFact[] => {
  switch (command.type) {
    case 'CreateRoom': {
      if (!ROOM_ID.test(command.room.id) || estate.rooms[command.room.id]) {
        throw new Refusal<EstateRefusal>('room.exists', `There is a room “${command.room.id}” already.`);
      }
      checkRoom(command.room, estate);
      return [{ type: 'RoomCreated', room: command.room }];
    }
    case 'ChangeRoom': {
      const room = roomIn(estate, command.id);
      const change = differenceOf(room, command.change);
      if (change === undefined) return [];
      checkRoom({ ...room, ...change }, estate);
      return [{ type: 'RoomChanged', id: room.id, change }];
    }
    case 'DeleteRoom':
      return [{ type: 'RoomDeleted', id: roomIn(estate, command.id).id }];
    case 'EnrolSite': {
      const { site } = command;
      if (!SITE_ID.test(site.id) || site.id === MANAGEMENT) {
        throw refuseSite(
          'id',
          'site.id-invalid',
          'A site is named by 1 to 32 of a to z, 0 to 9 and _, a letter first, and not “management”.',
        );
      }
      if (estate.sites[site.id]) throw new Refusal<EstateRefusal>('site.exists', `There is a site “${site.id}” already.`);
      checkSite(site);
      return [{ type: 'SiteEnrolled', site }];
    }
    case 'ChangeSite': {
      const site = siteIn(estate, command.id);
      const change = differenceOf(site, command.change);
      if (change === undefined) return [];
      checkSite({ ...site, ...change });
      if (change.draining === true && !Object.values(estate.sites).some(({ id, draining }) => id !== site.id && draining !== true))
        throw new Refusal<EstateRefusal>('site.last', 'No other site takes people, so nobody could go anywhere. Add a site first.');
      return [{ type: 'SiteChanged', id: site.id, change }];
    }
    case 'RemoveSite':
      return [{ type: 'SiteRemoved', id: siteIn(estate, command.id).id }];
    case 'DrainNode':
    case 'UndrainNode':
    case 'RemoveNode':
    case 'AdmitNode':
      return decideNode(command, estate, siteIn(estate, command.site).id);
    case 'DeclareRestored':
      return command.generation > (estate.generation ?? 0) ? [{ type: 'EstateRestored', generation: command.generation }] : [];
  }
};

/**
 * The estate after one more fact. Total: what is malformed or unknown changes nothing but still counts, so that every
 * copy of the same facts has the same revision, whatever its version of this code understands.
 */
export const evolveEstate = (estate: Estate, fact: { readonly type: string; readonly body: unknown }): Estate => {
  const next = { ...estate, revision: estate.revision + 1 };
  const body = (typeof fact.body === 'object' ? fact.body : null) ?? {};
  const { room, site, id, change, generation } = body as Readonly<Record<string, unknown>>;
  switch (fact.type) {
    case 'RoomCreated':
      return withPins(withRoom(next, room), room);
    case 'RoomChanged':
      return withPins(withRoom(next, changed(next.rooms, id, change)), { ...(change as object | undefined), id });
    case 'RoomDeleted':
      return { ...next, rooms: without(next.rooms, id), pins: without(next.pins ?? {}, id) };
    case 'SiteEnrolled':
      return withSite(next, site);
    case 'SiteChanged':
      return withSite(next, changed(next.sites, id, change));
    case 'SiteRemoved':
      return { ...next, sites: without(next.sites, id), ...withoutNodesOf(next, id) };
    case 'NodeDrained':
    case 'NodeReturned':
    case 'NodeRemoved':
      return withNodeWord(next, fact.type, body);
    case 'EstateRestored':
      return typeof generation === 'number' && generation > (next.generation ?? 0) ? { ...next, generation } : next;
    default:
      return next;
  }
};

const withRoom = (estate: Estate, room: unknown): Estate =>
  isRoom(room) ? { ...estate, rooms: { ...estate.rooms, [room.id]: room } } : estate;
const withSite = (estate: Estate, site: unknown): Estate =>
  isSite(site) ? { ...estate, sites: { ...estate.sites, [site.id]: site } } : estate;

/** A PIN that was set is a new generation, named by the estate's own and the revision, so that none is named twice. Taking one away shuts nobody out, and begins none. */
const withPins = (estate: Estate, change: unknown): Estate => {
  const { id, hostPinHash, guestPinHash } = (change ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || !Object.hasOwn(estate.rooms, id)) return estate;
  const before = pinsOf(estate, id);
  const now = (estate.generation ?? 0) + estate.revision;
  const pins = {
    host: typeof hostPinHash === 'string' ? now : before.host,
    guest: typeof guestPinHash === 'string' ? now : before.guest,
  };
  return pins.host === before.host && pins.guest === before.guest ? estate : { ...estate, pins: { ...estate.pins, [id]: pins } };
};

const changed = (things: Readonly<Record<string, object>>, id: unknown, change: unknown): unknown =>
  typeof id === 'string' && Object.hasOwn(things, id) ? { ...things[id], ...(change as object | undefined), id } : undefined;

/** Whether it is a room at least in shape; a fact may come from a later version, or from a disk that lies. */
const isRoom = (it: unknown): it is Room => {
  const room = it as Partial<Record<keyof Room, unknown>> | null | undefined;
  return (
    typeof room?.id === 'string' &&
    ROOM_ID.test(room.id) &&
    typeof room.name === 'string' &&
    typeof room.description === 'string' &&
    Array.isArray(room.aliases) &&
    room.aliases.every((alias) => typeof alias === 'string') &&
    [room.hostPinHash, room.guestPinHash].every((hash) => hash === null || typeof hash === 'string') &&
    [room.guestsWaitForHost, room.disabled].every((flag) => typeof flag === 'boolean') &&
    typeof room.seatsMax === 'number'
  );
};

const isSite = (it: unknown): it is Site => {
  const site = it as Partial<Record<keyof Site, unknown>> | null | undefined;
  return (
    typeof site?.id === 'string' &&
    SITE_ID.test(site.id) &&
    [site.name, site.meetUrl, site.linkUrl].every((text) => typeof text === 'string') &&
    [site.transit, site.draining].every((flag) => flag === undefined || typeof flag === 'boolean')
  );
};

/** The estate that a set of facts makes, in management's own order, whatever order they arrived in. */
export const foldEstate = (facts: readonly Fact[]): Estate => inForce(facts).reduce(evolveEstate, emptyEstate);

/**
 * The facts that management goes by, in its own order. The first fact of its latest tenure names how far it had all tenures
 * before: what goes further was lost by a management that was put back from a backup, and is the estate no more (ADR 0054).
 */
export const inForce = (facts: readonly Fact[]): readonly Fact[] => {
  const ordered = [...facts].sort(inManagementsOrder);
  const latest = ordered.at(-1)?.stream;
  const first = ordered.find(({ stream, seq }) => stream === latest && seq === 0);
  if (first === undefined) return ordered;
  const had = new Map(first.after.map(({ stream, seq }) => [stream, seq]));
  return ordered.filter(({ stream, seq }) => stream === latest || seq <= (had.get(stream) ?? -1));
};

/** Management alone writes the estate, one tenure after the other: epoch, then seq. The hash decides between forks only. */
export const inManagementsOrder = (a: Fact, b: Fact): number =>
  epochIn(a) - epochIn(b) || a.seq - b.seq || (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0);

const epochIn = ({ stream }: Fact): number => epochOf(writerOf(stream));

const roomIn = (estate: Estate, id: string): Room => {
  const room = Object.hasOwn(estate.rooms, id) ? estate.rooms[id] : undefined;
  if (!room) throw new Refusal<EstateRefusal>('room.unknown', 'There is no such room. It may have been deleted; look at the list again.');
  return room;
};

const siteIn = (estate: Estate, id: string): Site => {
  const site = Object.hasOwn(estate.sites, id) ? estate.sites[id] : undefined;
  if (!site) throw new Refusal<EstateRefusal>('site.unknown', 'There is no such site.');
  return site;
};

const checkSite = (site: Site): void => {
  if (!isReadable(site.name, 100)) throw refuseSite('name', 'site.name-invalid', 'A site needs a name of 1 to 100 readable characters.');
  if (!/^https?:\/\/[^\s/]+/.test(site.meetUrl))
    throw refuseSite('meetUrl', 'site.url-invalid', 'meetUrl begins with http:// or https:// and a host.');
  if (!/^wss:\/\/[^\s/]+/.test(site.linkUrl)) throw refuseSite('linkUrl', 'site.url-invalid', 'linkUrl begins with wss:// and a host.');
};

const refuseSite = (path: string, code: EstateRefusal, message: string): Refusal<EstateRefusal> =>
  new Refusal(code, message, { errors: [{ path, message }] });

/** Only what is really different; undefined if nothing is. */
const differenceOf = <Thing extends object>(now: Thing, wanted: Partial<Thing>): Partial<Thing> | undefined => {
  const changed = (Object.keys(wanted) as (keyof Thing)[]).filter((key) => wanted[key] !== undefined && !same(now[key], wanted[key]));
  return changed.length === 0 ? undefined : (Object.fromEntries(changed.map((key) => [key, wanted[key]])) as Partial<Thing>);
};

const same = (a: unknown, b: unknown): boolean =>
  a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => item === b[index]));

const without = <Thing>(things: Readonly<Record<string, Thing>>, id: unknown): Readonly<Record<string, Thing>> =>
  Object.fromEntries(Object.entries(things).filter(([key]) => key !== id));
