import { Refusal } from '@isthmus/kernel';
import { connectRelay, type RelayClient } from './relay-client.js';

/** Which links: from one site to another, all of one site, or all there are. Unless `oneWay`, both directions. */
export interface LinkChoice {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly oneWay: boolean;
}

export interface LinkCut {
  readonly from: string;
  readonly to: string;
  readonly cut: boolean;
}

/** What somebody may do to the links of a running demo, by its command line or its portal. */
export interface RelayLinks {
  list(): Promise<readonly LinkCut[]>;
  /** @returns every link as it is then. @throws Fault `relay.unreachable`; Refusal `relay.no-link` */
  change(choice: LinkChoice, cut: boolean): Promise<readonly LinkCut[]>;
}

/** @param path the relay's `controlPath`. Every question is a connection of its own, so a relay that was started again is found. */
export const relayLinks = (path: string): RelayLinks => ({
  list: () => withRelay(path, list),
  change: (choice, cut) =>
    withRelay(path, async (relay) => {
      for (const { from, to } of chosen(await list(relay), choice)) {
        if (cut) await relay.cut(from, to, { oneWay: true });
        else await relay.heal(from, to, { oneWay: true });
      }
      return list(relay);
    }),
});

const withRelay = async <T>(path: string, work: (relay: RelayClient) => Promise<T>): Promise<T> => {
  const relay = await connectRelay(path);
  try {
    return await work(relay);
  } finally {
    relay.close();
  }
};

const list = async (relay: RelayClient): Promise<readonly LinkCut[]> =>
  (await relay.stats()).links.map(({ from, to, condition }) => ({ from, to, cut: condition.cut }));

const chosen = (links: readonly LinkCut[], { from, to, oneWay }: LinkChoice): readonly LinkCut[] => {
  const goes = (link: LinkCut, a: string | undefined, b: string | undefined) =>
    (a === undefined || link.from === a) && (b === undefined || link.to === b);
  const found = links.filter((link) => goes(link, from, to) || (!oneWay && goes(link, to, from)));
  if (found.length > 0) return found;
  const ends = [from, to].filter((end) => end !== undefined).join(' and ');
  throw new Refusal('relay.no-link', `There is no link of ${ends || 'any site'}: a link is between two sites.`);
};
