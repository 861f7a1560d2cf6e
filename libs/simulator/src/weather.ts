import type { SiteId } from '@isthmus/kernel';
import type { Network } from './network.js';
import type { Random } from './random.js';

/** Ways in which sites lose sight of each other, by name. */
export const PARTITIONS = [
  'symmetric',
  'one-way',
  'isolate one',
  'halves',
  'three-way',
  'flapping',
  'split during a merge',
  'one link',
] as const;
export type Partition = (typeof PARTITIONS)[number];

/** Each as often as it is listed: where three sites or more lose one link only, nothing splits. */
export const WEATHER: readonly Partition[] = [
  ...PARTITIONS,
  ...(['symmetric', 'symmetric', 'isolate one', 'isolate one', 'isolate one'] as const),
  ...(['halves', 'halves', 'halves', 'three-way', 'three-way'] as const),
];

/** From whom nothing comes to whom. */
type Cuts = readonly (readonly [SiteId, SiteId])[];

/** Groups of sites that lose each other, each in itself whole. */
const between = (groups: readonly (readonly SiteId[])[]): Cuts =>
  groups.flatMap((group, i) =>
    groups.flatMap((other, j) => (i === j ? [] : group.flatMap((from) => other.map((to) => [from, to] as const)))),
  );

const split = (sites: readonly SiteId[], parts: number, random: Random): Cuts => {
  const shuffled = random.shuffled(sites);
  const groups: SiteId[][] = Array.from({ length: Math.min(parts, sites.length) }, () => []);
  shuffled.forEach((site, i) => (i < groups.length ? groups[i]! : random.pick(groups)).push(site));
  return between(groups);
};

const cutsOf = (kind: Partition, sites: readonly SiteId[], random: Random): Cuts => {
  const [one, other, ...rest] = random.shuffled(sites);
  switch (kind) {
    case 'one-way':
      return [[one!, other!]];
    case 'one link':
      return between([[one!], [other!]]);
    case 'isolate one':
      return between([[one!], [other!, ...rest]]);
    case 'halves': {
      const shuffled = random.shuffled(sites);
      const half = Math.ceil(sites.length / 2);
      return between([shuffled.slice(0, half), shuffled.slice(half)]);
    }
    case 'three-way':
      return split(sites, 3, random);
    default:
      return split(sites, 2, random);
  }
};

/** A time in which sites do not hear each other. */
export interface Episode {
  readonly kind: Partition;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Nothing changes while it lasts. */
  readonly steady: boolean;
}

/** Plans one episode: what is cut when. Everything is healed at its end. */
export const bringWeather = (
  kind: Partition,
  fromMs: number,
  lengthMs: number,
  sites: readonly SiteId[],
  network: Network,
  random: Random,
): Episode => {
  const { schedule } = network;
  const at = (ms: number, work: () => void) => schedule.after(ms - schedule.nowMs, work);
  const cuts = cutsOf(kind, sites, random);
  const cut = (which: Cuts) => which.forEach(([from, to]) => network.cut(from, to));
  const heal = () => {
    for (const from of sites) for (const to of sites) if (from !== to) network.heal(from, to);
  };
  const untilMs = fromMs + lengthMs;
  at(fromMs, () => cut(cuts));
  if (kind === 'flapping') {
    let down = true;
    for (let ms = fromMs + random.between(300, 4_000); ms < untilMs; ms += random.between(300, 4_000)) {
      down = !down;
      at(ms, down ? () => cut(cuts) : heal);
    }
  } else if (kind === 'split during a merge') {
    const healMs = fromMs + lengthMs * 0.6;
    const others = split(sites, 2, random);
    at(healMs, heal);
    at(healMs + random.between(20, 1_500), () => cut(others));
  }
  at(untilMs, heal);
  const steady = kind !== 'flapping' && kind !== 'split during a merge';
  return { kind, fromMs, untilMs, steady };
};
