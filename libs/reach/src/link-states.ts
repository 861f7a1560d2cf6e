import { canonical, type SiteId } from '@isthmus/kernel';

/** What one end of a link hears of the other. */
export interface Hearing {
  readonly peer: SiteId;
  /** Its brain: facts and messages. */
  readonly facts: boolean;
  /** Its media nodes; true also where nobody can tell. */
  readonly media: boolean;
}

/** What a site says of its links, whole each time. The newest that a site said is what holds (merge rule 7). */
export interface LinkStates {
  readonly site: SiteId;
  readonly version: { readonly epoch: number; readonly revision: number };
  readonly hears: readonly Hearing[];
}

/** The newest word of each site. */
export type KnownStates = ReadonlyMap<SiteId, LinkStates>;

/**
 * What is known after one more word, from whomever it came: the newest of each site. Commutative and idempotent, so it may go
 * round in any order and any number of times. Gives back the very same map if it was no news.
 */
export const merged = (known: KnownStates, said: LinkStates): KnownStates => {
  const before = known.get(said.site);
  return before !== undefined && inAge(said, before) <= 0 ? known : new Map(known).set(said.site, said);
};

/**
 * What a site must say so that its own word is newer than what others believe it said: its memory may be older than theirs,
 * after a backup was restored.
 */
export const newerThan = (believed: LinkStates['version'] | undefined, own: LinkStates['version']): LinkStates['version'] =>
  believed === undefined || ageOf(believed, own) < 0 ? own : { epoch: believed.epoch, revision: believed.revision + 1 };

/** Whether one site hears another, facts and media. */
export const hears = (known: KnownStates, site: SiteId, peer: SiteId): boolean => {
  const word = known.get(site);
  return word !== undefined && heardBy(word).has(peer);
};

/** Worked out once for each word: with twenty sites each is asked for hundreds of times. */
const heard = new WeakMap<LinkStates, ReadonlySet<SiteId>>();
const heardBy = (word: LinkStates): ReadonlySet<SiteId> => {
  const before = heard.get(word);
  if (before !== undefined) return before;
  const peers = new Set(word.hears.flatMap(({ peer, facts, media }) => (facts && media ? [peer] : [])));
  heard.set(word, peers);
  return peers;
};

/** A link is up when both ends say that they hear. */
export const isUp = (known: KnownStates, one: SiteId, other: SiteId): boolean => hears(known, one, other) && hears(known, other, one);

/** Which links are up, as a text: where it is the same, so is the network. */
export const linksUpText = (known: KnownStates): string => {
  const sites = [...known.keys()].sort();
  return sites.map((site) => `${site}: ${sites.filter((other) => other > site && isUp(known, site, other)).join()}`).join('; ');
};

const ageOf = (a: LinkStates['version'], b: LinkStates['version']): number => a.epoch - b.epoch || a.revision - b.revision;

const isSame = (a: LinkStates['hears'], b: LinkStates['hears']): boolean =>
  a.length === b.length && a.every(({ peer, facts, media }, i) => peer === b[i]!.peer && facts === b[i]!.facts && media === b[i]!.media);

/** Two words under one version can come from a cloned site only; which of them holds must still be the same everywhere. */
const inAge = (a: LinkStates, b: LinkStates): number => {
  const age = ageOf(a.version, b.version);
  if (age !== 0 || a === b || isSame(a.hears, b.hears)) return age;
  const [one, other] = [canonical(a.hears), canonical(b.hears)];
  return one < other ? -1 : one > other ? 1 : 0;
};
