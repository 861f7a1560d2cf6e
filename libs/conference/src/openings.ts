import { inOrder, Refusal, type Decider, type Fact, type Said, type SiteId } from '@isthmus/kernel';
import type { ConferenceId } from './words.js';

/** Bodies of the streams `room-<id>@<writer>`: which occasions a room has had, and which of them became one. */
export type OpeningBody =
  /** `reach` are the sites that could be asked whether a meeting was on: whom the opener could not ask may have opened one apart. */
  | {
      readonly type: 'ConferenceOpened';
      readonly v: 1;
      readonly by: string;
      readonly body: { readonly conference: ConferenceId; readonly room: string; readonly reach: readonly SiteId[] };
    }
  /** These are one meeting from now on, whatever is locked later. */
  | {
      readonly type: 'ConferencesJoined';
      readonly v: 1;
      readonly by: string;
      readonly body: { readonly conferences: readonly ConferenceId[] };
    };

export interface Opening {
  readonly conference: ConferenceId;
  readonly room: string;
  readonly reach: readonly SiteId[];
  readonly said: Said;
}

/** The openings of one room, in order, and what was joined. */
export interface Openings {
  readonly opened: readonly Opening[];
  readonly joined: readonly (readonly ConferenceId[])[];
}

/** What is known of a conference beyond its opening. */
export interface Liveness {
  /** Legs that are there, at any site (`liveLegsOf`), as their sites. */
  readonly sites: ReadonlySet<SiteId>;
  readonly locked: boolean;
}

/** Conferences that fold as one: one meeting. */
export interface Occasion {
  /** The least (key, id) of them: the same at every site. */
  readonly name: ConferenceId;
  /** In order, the one that gives the name first. */
  readonly conferences: readonly ConferenceId[];
  /** Occasions of the same room, live in the same component, that stay apart because one of them is locked: tell the hosts. */
  readonly besides: readonly ConferenceId[];
}

export interface OpenRoom {
  readonly type: 'Open';
  readonly room: string;
  /** A new id, in case it is needed. */
  readonly conference: ConferenceId;
}

export interface RoomSeen {
  readonly reach: ReadonlySet<SiteId>;
  readonly live: ReadonlyMap<ConferenceId, Liveness>;
}

/**
 * The occasions of a room that are alive in the component `reach`. Conferences of one room that are alive in one component
 * fold as one, except that one which was opened apart and is locked stays as it is; what was joined once stays joined
 * (merge rule 6), and a site whose people are in two makes one of them (ADR 0091). Least name first, which is the one that
 * newcomers join.
 */
export const occasionsOf = (openings: Openings, { reach, live }: RoomSeen): readonly Occasion[] => {
  const groups = joinedGroups(openings);
  const alive = groups.filter((group) => group.some(({ conference }) => isAlive(live.get(conference), reach)));
  const locked = (group: readonly Opening[]) => group.some(({ conference }) => live.get(conference)?.locked === true);

  const occasions: Opening[][] = [];
  for (const group of alive) {
    const other = occasions.find((occasion) => !(openedApart(occasion, group) && (locked(occasion) || locked(group))));
    if (other === undefined) occasions.push([...group]);
    else other.push(...group);
  }
  const sorted = joinedBySites(occasions, { reach, live }).map((occasion) => occasion.sort(inPlace));
  return sorted
    .sort(([a], [b]) => inPlace(a!, b!))
    .map((occasion) => ({
      name: occasion[0]!.conference,
      conferences: occasion.map(({ conference }) => conference),
      besides: sorted.filter((other) => other !== occasion).map((other) => other[0]!.conference),
    }));
};

/** What to record so that conferences which fold as one now do so for good; empty if that is known already. */
export const joiningsOf = (openings: Openings, occasions: readonly Occasion[]): readonly OpeningBody[] => {
  const groups = joinedGroups(openings);
  return occasions
    .filter(({ conferences }) => !groups.some((group) => conferences.every((id) => group.some(({ conference }) => conference === id))))
    .map(({ conferences }) => ({ type: 'ConferencesJoined', v: 1, by: 'system', body: { conferences } }));
};

/** A room's history of occasions. `Open` yields nothing if a meeting is on in reach: join that one. */
export const openings: Decider<Openings, OpenRoom, OpeningBody, RoomSeen> = {
  initial: { opened: [], joined: [] },

  decide: ({ conference, room }, state, seen) => {
    if (occasionsOf(state, seen).length > 0) return [];
    if (state.opened.some((opening) => opening.conference === conference))
      throw new Refusal('conference.id-taken', `The conference id ${conference} was used before. Ask again with a new one.`);
    return [{ type: 'ConferenceOpened', v: 1, by: 'system', body: { conference, room, reach: [...seen.reach].sort() } }];
  },

  evolve: (state, { type, body }, said) => {
    if (type === 'ConferencesJoined') return { ...state, joined: [...state.joined, body.conferences] };
    if (state.opened.some(({ conference }) => conference === body.conference)) return state; // An id names one occasion: the first.
    return { ...state, opened: [...state.opened, { ...body, said }] };
  },

  read: ({ type, v, by, body }: Fact) => {
    if (v !== 1 || typeof body !== 'object' || body === null) return undefined;
    const { conference, conferences, room, reach } = body as Readonly<Record<string, unknown>>;
    const isOpened = type === 'ConferenceOpened' && isName(conference) && isName(room) && isNames(reach);
    const isJoined = type === 'ConferencesJoined' && isNames(conferences);
    return isOpened || isJoined ? ({ type, v, by, body } as OpeningBody) : undefined;
  },
};

const isName = (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= 128;
const isNames = (value: unknown): boolean => Array.isArray(value) && value.length <= 1024 && value.every(isName);

/** Which conferences have been joined for good, each with itself at least. */
export const groupsOf = (openings: Openings): readonly (readonly ConferenceId[])[] =>
  joinedGroups(openings).map((group) => group.map(({ conference }) => conference));

const inPlace = (a: Opening, b: Opening): number => inOrder(a.said, b.said) || (a.conference < b.conference ? -1 : 1);

const isAlive = (liveness: Liveness | undefined, reach: ReadonlySet<SiteId>): boolean =>
  liveness !== undefined && [...liveness.sites].some((site) => reach.has(site));

/** Two sites that open a room at the same moment, with a link between them, have not opened apart; they could have asked. */
const openedApart = (some: readonly Opening[], others: readonly Opening[]): boolean =>
  some.every((one) => others.every((other) => !one.reach.includes(other.said.site) || !other.reach.includes(one.said.site)));

/** Those in which people of one site are, made one. */
const joinedBySites = (occasions: readonly Opening[][], { reach, live }: RoomSeen): readonly Opening[][] => {
  if (occasions.length < 2) return occasions;
  const sitesOf = (occasion: readonly Opening[]) => occasion.flatMap(({ conference }) => [...(live.get(conference)?.sites ?? [])]);
  return occasions.reduce<readonly Opening[][]>((others, occasion) => {
    const sites = new Set(sitesOf(occasion).filter((site) => reach.has(site)));
    const share = (other: readonly Opening[]) => sitesOf(other).some((site) => sites.has(site));
    return [...others.filter((other) => !share(other)), [...others.filter(share).flat(), ...occasion]];
  }, []);
};

type Groups = readonly (readonly Opening[])[];

/** Worked out once for each state. */
const joinedGroups = (openings: Openings): Groups => {
  const known = GROUPS.get(openings);
  if (known !== undefined) return known;
  const groups = groupsIn(openings);
  GROUPS.set(openings, groups);
  return groups;
};

const GROUPS = new WeakMap<Openings, Groups>();

const groupsIn = ({ opened, joined }: Openings): Groups => {
  const groups = new Map<ConferenceId, Opening[]>(opened.map((opening) => [opening.conference, [opening]]));
  for (const conferences of joined) {
    const known = [...new Set(conferences.flatMap((id) => groups.get(id) ?? []))];
    for (const { conference } of known) groups.set(conference, known);
  }
  return [...new Set(groups.values())];
};
