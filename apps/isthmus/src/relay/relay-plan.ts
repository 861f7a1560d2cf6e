/**
 * Who is who on the demo's links. Every place (a site) has a loopback address; what it sends to another place goes to an
 * *alias* of that place, an address that exists only between the two: 127.20.x.y is "y, as x sees it". The relay listens
 * there and passes on from the mirrored alias 127.20.y.x, so that y sees x where it would itself send to x. Addresses alone
 * say where a packet goes, so the relay keeps no state for UDP.
 */
export interface Place {
  readonly id: string;
  /** Its own loopback address. */
  readonly host: string;
  /** 0 to 254, unique: a part of its aliases. */
  readonly index: number;
  /** Ports that other places connect to (brain link, media links). */
  readonly tcpPorts: readonly number[];
  /** Where it receives RTP of crossings; both ends included. */
  readonly udpPorts: { readonly from: number; readonly to: number };
}

/** The links there are, each in both directions. */
export const directedLinks = (places: readonly Place[]): readonly { readonly from: Place; readonly to: Place }[] =>
  places.flatMap((from) => places.filter((to) => to.id !== from.id).map((to) => ({ from, to })));

/** Where `from` reaches `to`. */
export const aliasOf = (from: Pick<Place, 'index'>, to: Pick<Place, 'index'>): string => `127.20.${from.index}.${to.index}`;

/** For one place: the address that leads to a host of another place through the relay; any other host unchanged. */
export const translatorOf = (places: readonly Place[], self: string): ((host: string) => string) => {
  const from = places.find(({ id }) => id === self);
  const aliases = new Map(from && places.filter(({ id }) => id !== self).map((to) => [to.host, aliasOf(from, to)]));
  return (host) => aliases.get(host) ?? host;
};

export const portsOf = ({ udpPorts }: Place): readonly number[] => {
  return Array.from({ length: udpPorts.to - udpPorts.from + 1 }, (_, at) => udpPorts.from + at);
};
