import type { ConferenceId } from '@isthmus/conference';
import type { SiteId } from '@isthmus/kernel';
import type { Neighbour } from '@isthmus/placement';
import type { BrainWord, Intermediaries } from '@isthmus/protocol';
import { networkOf, type LinkStates, type Network } from '@isthmus/reach';

/** How the brain that holds the links sees the other sites, as it tells the others of its site. */
export type LinksWord = Omit<Extract<BrainWord, { type: 'links' }>, 'type' | 'brain'>;

/** Which node stands for a site in each room, as that site last said. */
export interface StandInsOf {
  readonly version: Intermediaries['version'];
  readonly byRoom: ReadonlyMap<ConferenceId, Neighbour>;
}

/** The same, as it is heard. */
export interface Told {
  readonly text: string;
  readonly reach: ReadonlySet<SiteId>;
  readonly network: Network;
}

export const wordOf = (
  reach: ReadonlySet<SiteId>,
  { words, closed }: { readonly words: readonly LinkStates[]; readonly closed: readonly SiteId[] },
  standIns: ReadonlyMap<SiteId, StandInsOf>,
): LinksWord => ({
  reach: [...reach],
  closed: [...closed],
  words: words.map(({ site, version, hears }) => ({ site, version, hears: [...hears] })),
  elsewhere: [...standIns].map(([site, { version, byRoom }]) => ({
    ...{ site, version },
    intermediaries: [...byRoom].map(([conference, { node, url }]) => ({ conference, node, url })),
  })),
});

export const toldBy = (word: LinksWord): Told => {
  const known = new Map(word.words.map((states) => [states.site, states]));
  const network = networkOf(known, (site) => !word.closed.includes(site));
  return { text: JSON.stringify(word), reach: new Set(word.reach), network };
};

export const standInsOf = (version: Intermediaries['version'], list: Intermediaries['intermediaries']): StandInsOf => ({
  version,
  byRoom: new Map(list.map(({ conference, node, url }) => [conference, { node, url }])),
});
