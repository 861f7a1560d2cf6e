import { siteOfStream, type SiteId } from '@isthmus/kernel';
import type { EventStore, Position, Stored } from '@isthmus/ports';

/** The categories whose facts travel between sites. */
const CATEGORIES = ['room', 'conference'] as const;
/** Why following ends. Without a reason, each end would cost an exception with its stack, which nobody reads. */
const OVER = 'over';
type Places = Partial<Record<(typeof CATEGORIES)[number], Position>>;

/**
 * What a site gives its peers: the facts it recorded itself, in the order it recorded them within each category, then live.
 * The position names a place in every category at once, so that a peer resumes exactly where it stopped.
 */
export async function* ownFacts(store: EventStore, site: SiteId, after: Position | undefined, signal: AbortSignal): AsyncIterable<Stored> {
  const places: Places = parse(after);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const sources = CATEGORIES.map((category) => ({
    category,
    facts: store.follow(category, places[category], both)[Symbol.asyncIterator](),
  }));
  const step = ({ category, facts }: (typeof sources)[number]) => facts.next().then((result) => ({ category, result }));
  const pending = new Map(sources.map((source) => [source.category, step(source)]));
  try {
    while (pending.size > 0) {
      const { category, result } = await Promise.race(pending.values());
      const source = sources.find((other) => other.category === category);
      if (result.done || source === undefined) {
        pending.delete(category);
        continue;
      }
      pending.set(category, step(source));
      places[category] = result.value.position;
      if (siteOfStream(result.value.fact.stream) === site) yield { position: JSON.stringify(places), fact: result.value.fact };
    }
  } finally {
    stop.abort(OVER);
    await Promise.allSettled(pending.values());
  }
}

/** A position that we cannot read means: from the start. The peer holds those facts already, and taking them twice is harmless. */
const parse = (position: Position | undefined): Places => {
  try {
    const places: unknown = JSON.parse(position ?? '{}');
    return typeof places === 'object' && places !== null
      ? Object.fromEntries(Object.entries(places).filter(([, at]) => typeof at === 'string'))
      : {};
  } catch {
    return {};
  }
};
