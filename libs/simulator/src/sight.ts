import type { Fact } from '@isthmus/kernel';

/** A fact with its body as something to look into. */
export interface Told extends Omit<Fact, 'body'> {
  readonly body: Readonly<Record<string, unknown>>;
}

/** Who could see what, worked out from nothing but the causes that each fact names: as sets of ancestors, not as chains. */
export class Sight {
  readonly #at: ReadonlyMap<string, number>;
  readonly #seen: readonly Uint32Array[];
  /** Facts that stand before something that they came after. */
  readonly disorder: readonly Fact[];

  constructor(facts: readonly Fact[]) {
    this.#at = new Map(facts.map(({ hash }, i) => [hash, i]));
    const words = (facts.length + 31) >>> 5;
    const seen: Uint32Array[] = [];
    const disorder: Fact[] = [];
    facts.forEach((fact, i) => {
      const mine = new Uint32Array(words);
      for (const cause of [...(fact.prev === null ? [] : [fact.prev]), ...fact.after.map(({ hash }) => hash)]) {
        const at = this.#at.get(cause);
        if (at === undefined || at >= i) {
          disorder.push(fact);
          continue;
        }
        const theirs = seen[at]!;
        for (let word = 0; word < words; word++) mine[word]! |= theirs[word]!;
        mine[at >>> 5]! |= 1 << (at & 31);
      }
      seen.push(mine);
    });
    this.#seen = seen;
    this.disorder = disorder;
  }

  /** Whether whoever said `later` knew of `earlier`. */
  readonly saw = (later: { readonly hash: string }, earlier: { readonly hash: string }): boolean => {
    const at = this.#at.get(earlier.hash)!;
    return (this.#seen[this.#at.get(later.hash)!]![at >>> 5]! & (1 << (at & 31))) !== 0;
  };

  apart(one: { readonly hash: string }, other: { readonly hash: string }): boolean {
    return !this.saw(one, other) && !this.saw(other, one);
  }
}
