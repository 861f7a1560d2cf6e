import { Refusal } from '@isthmus/kernel';
import { relayLinks, type LinkCut } from '../relay/relay-links.js';
import { StateFolder, type RunningDemo } from './state-folder.js';

export interface LinkWish {
  readonly state: string;
  /** None: all sites; one: all links of it; two: the link between them. By name or id. */
  readonly sites: readonly string[];
  readonly oneWay: boolean;
  readonly cut: boolean;
}

type Site = RunningDemo['sites'][number];

/**
 * `isthmus demo cut` and `isthmus demo heal`: what a bad network does to the links of the running demo, and undoes.
 * @returns what to tell whoever asked
 * @throws Fault `demo.not-running`; Refusal `demo.unknown-site`, `demo.no-link`
 */
export const changeLinks = async ({ state, sites: wanted, oneWay, cut }: LinkWish): Promise<string> => {
  const demo = StateFolder.mustFind(state);
  if (demo.sites.length < 2) throw new Refusal('demo.no-link', 'The running demo has one site, and so no link.');
  const [from, to] = wanted.map((name) => siteCalled(name, demo.sites));
  if (from && from === to) throw new Refusal('demo.no-link', `A link is between two sites; ${from.name} was named twice.`);
  if (oneWay && !from) throw new Refusal('demo.no-link', 'One way is from a site: name at least that one.');
  const links = await relayLinks(demo.relay).change({ from: from?.id, to: to?.id, oneWay }, cut);
  return saidOf(links, demo.sites);
};

/** `New York`, `new-york`, `nyc`: however somebody types it. */
const siteCalled = (typed: string, sites: readonly Site[]): Site => {
  const found = sites.find(({ id, name }) => id === typed || plain(name) === plain(typed) || plain(id) === plain(typed));
  if (found) return found;
  const known = sites.map(({ id, name }) => `${name} (${id})`).join(', ');
  throw new Refusal('demo.unknown-site', `There is no site "${typed}" in the running demo. It has ${known}.`);
};

const plain = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-');

/** All that is cut now, a line each, so that nobody has to remember what they cut before. */
const saidOf = (links: readonly LinkCut[], sites: readonly Site[]): string => {
  const nameOf = (id: string) => sites.find((site) => site.id === id)?.name ?? id;
  const isCut = (from: string, to: string) => links.some((link) => link.from === from && link.to === to && link.cut);
  const cut = links.filter(({ from, to }) => isCut(from, to));
  if (cut.length === 0) return 'Every link is whole.';
  const lines = cut
    .filter(({ from, to }, index) => !cut.slice(0, index).some((other) => other.from === to && other.to === from))
    .map(({ from, to }) => `  ${nameOf(from)} ${isCut(to, from) ? 'and' : 'to'} ${nameOf(to)}`);
  return ['Cut now:', ...lines].join('\n');
};
