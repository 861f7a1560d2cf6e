import type { SiteId } from '@isthmus/kernel';

/** What IT calls a virtual meeting room. */
export interface Room {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Names it can be dialled by, lower case; unique in the estate. */
  readonly aliases: readonly string[];
  /** argon2id hashes, never PINs. Null: no PIN for that role. With a host PIN and no guest PIN, guests come in without one. */
  readonly hostPinHash: string | null;
  readonly guestPinHash: string | null;
  /** Guests wait until a host is there. */
  readonly guestsWaitForHost: boolean;
  readonly seatsMax: number;
  readonly disabled: boolean;
}

/** A location: an office, a data centre. */
export interface Site {
  readonly id: SiteId;
  readonly name: string;
  /** Where people of this site open meetings: `https://meet.lon.example`. */
  readonly meetUrl: string;
  /** Where other sites' brains link to it: `wss://…`. */
  readonly linkUrl: string;
  /** False: its links carry no media between other sites. Left out: they do, where those do not hear each other. */
  readonly transit?: boolean;
  /** True: nobody new comes in there, and who is there goes to another site, because this one is to end (ADR 0073, 0090). */
  readonly draining?: boolean;
}

/** Where people of a site find a meeting: `https://meet.lon.example/r/board`. */
export const meetLink = ({ meetUrl }: Pick<Site, 'meetUrl'>, alias: string): string =>
  `${meetUrl.replace(/\/+$/, '')}/r/${encodeURIComponent(alias)}`;

/** Everything that sites need to know of what IT administers. Its revision is the configuration version. */
export interface Estate {
  /** How many estate facts are folded in. */
  readonly revision: number;
  /** Left out: 0. Greater after management was put back from a backup: revisions count within a generation only (ADR 0054). */
  readonly generation?: number;
  readonly rooms: Readonly<Record<string, Room>>;
  readonly sites: Readonly<Record<string, Site>>;
  /** By id: media nodes that are to be emptied, or are no part of their site any more. Of all others nothing needs to be said (ADR 0072). */
  readonly nodes?: Readonly<Record<string, NodeWord>>;
  /** By room: which generation of each PIN is in force. Derived, so that a site can say which one it went by and never the PIN. */
  readonly pins?: Readonly<Record<string, PinGenerations>>;
}

/** What an administrator wants of a media node. */
export interface NodeWord {
  readonly site: SiteId;
  /** `draining`: nobody new, and who is there is given another node. `removed`: not let onto the bus of its site either. */
  readonly state: 'draining' | 'removed';
  /** The revision of the estate that made it so: a site that goes by an older one does not know yet. */
  readonly since: number;
}

/** What was said of a media node; undefined if it is to do its work. */
export const nodeWordOf = ({ nodes }: Pick<Estate, 'nodes'>, node: string): NodeWord | undefined =>
  nodes !== undefined && Object.hasOwn(nodes, node) ? nodes[node] : undefined;

/** A number that grows whenever an administrator sets another PIN for the role, and says nothing else about it. */
export interface PinGenerations {
  readonly host: number;
  readonly guest: number;
}

const NEVER_SET: PinGenerations = { host: 0, guest: 0 };

/** Which PINs of a room are in force; 0 for one that has never been set. */
export const pinsOf = ({ pins }: Estate, room: string): PinGenerations =>
  pins !== undefined && Object.hasOwn(pins, room) ? (pins[room] ?? NEVER_SET) : NEVER_SET;

export const emptyEstate: Estate = { revision: 0, rooms: {}, sites: {} };

/** Whether one of two states of the estate is as new as the other or newer: management may have been put back, and count less since. */
export const isAsNew = (one: Pick<Estate, 'revision' | 'generation'>, other: Pick<Estate, 'revision' | 'generation'>): boolean => {
  const generations = (one.generation ?? 0) - (other.generation ?? 0);
  return generations > 0 || (generations === 0 && one.revision >= other.revision);
};

/** The room that an alias dials, however the caller wrote it. */
export const roomWithAlias = (estate: Estate, alias: string): Room | undefined => {
  const wanted = normalAlias(alias);
  return Object.values(estate.rooms).find((room) => room.aliases.includes(wanted));
};

/** An alias as it is stored and compared. */
export const normalAlias = (alias: string): string => alias.trim().toLowerCase();
