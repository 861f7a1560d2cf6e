import { Table } from './decider.js';
import type { FactHash, Head, SiteId, StreamName } from './fact.js';
import { authorOf, Placed, type Said } from './said.js';

/**
 * What a timeline comes to at some moment, without the facts that it came from: enough to fold what comes after them, and to write
 * the next one. Worth nothing as soon as a fact turns up that sorts before its last (merge rule 13).
 */
export interface Snapshot<State> {
  /** How many facts it comes from. */
  readonly length: number;
  /** The newest fact of each stream: all before them are in it, and nothing else is. */
  readonly tips: readonly Said[];
  /** The last in the order. */
  readonly last: Said;
  readonly state: State;
}

/** A fact as a snapshot knows it: where it stands, and not what it says. */
class Remembered implements Said {
  readonly site: SiteId;
  readonly epoch: number;

  constructor(
    readonly hash: FactHash,
    readonly stream: StreamName,
    readonly seq: number,
    readonly by: string,
    readonly ms: number,
    readonly step: number,
    readonly chain: number,
    readonly sight: readonly number[],
  ) {
    ({ site: this.site, epoch: this.epoch } = authorOf(stream));
  }
}

export const headOf = ({ stream, seq, hash }: Said): Head => ({ stream, seq, hash });

/** A snapshot as plain JSON. Whom its state mentions is listed once, and each name and what each could see once. */
export interface FrozenSnapshot {
  readonly names: readonly string[];
  readonly sights: readonly (readonly number[])[];
  /** `hash, stream, seq, by, ms, step, chain, sight`; streams and authors by their place among the names, sights likewise. */
  readonly said: readonly (readonly [string, number, number, number, number, number, number, number])[];
  readonly snapshot: unknown;
}

/** In a frozen state these keys of an object mean that it was a {@link Said}, by its place in the list, or a {@link Table}. */
const SAID = '$said';
const TABLE = '$table';

export const freeze = (snapshot: Snapshot<unknown>): FrozenSnapshot => {
  const [names, sights, saids] = [new Listed<string>(), new Listed<readonly number[]>(), new Listed<Said>()];
  const frozen = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Placed || value instanceof Remembered) return { [SAID]: saids.placeOf(value as Said) };
    if (value instanceof Table)
      return { [TABLE]: [...(value as Table<unknown, unknown>).entries()].map(([key, held]) => [key, frozen(held)]) };
    if (Array.isArray(value)) return value.map((each) => frozen(each));
    // A fact's author may have put any key into it.
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [key.startsWith('$') ? `$${key}` : key, frozen(held)]));
  };
  const content = frozen(snapshot);
  const said = saids.all.map(
    ({ hash, stream, seq, by, ms, step, chain, sight }) =>
      [hash, names.placeOf(stream), seq, names.placeOf(by), ms, step, chain, sights.placeOf(sight)] as const,
  );
  return { names: names.all, sights: sights.all, said, snapshot: content };
};

/** The other way. What was one thing is one thing again. Only for what {@link freeze} made, and somebody has proved unchanged. */
export const thaw = <State>({ names, sights, said, snapshot }: FrozenSnapshot): Snapshot<State> => {
  const saids = said.map(
    ([hash, stream, seq, by, ms, step, chain, sight]) =>
      new Remembered(hash as FactHash, names[stream] as StreamName, seq, names[by]!, ms, step, chain, sights[sight]!),
  );
  const thawed = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => thawed(each));
    const object = value as Readonly<Record<string, unknown>>;
    if (Object.hasOwn(object, SAID)) return saids[object[SAID] as number];
    if (Object.hasOwn(object, TABLE))
      return Table.of((object[TABLE] as (readonly [unknown, unknown])[]).map(([key, held]) => [key, thawed(held)]));
    return Object.fromEntries(Object.entries(object).map(([key, held]) => [key.startsWith('$') ? key.slice(1) : key, thawed(held)]));
  };
  return thawed(snapshot) as Snapshot<State>;
};

/** Each thing once, by its place. */
class Listed<Item> {
  readonly all: Item[] = [];
  private readonly places = new Map<Item, number>();

  placeOf(item: Item): number {
    const known = this.places.get(item);
    if (known !== undefined) return known;
    this.places.set(item, this.all.length);
    return this.all.push(item) - 1;
  }
}
