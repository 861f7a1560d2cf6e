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
  const ready: Step[] = [];
  let wake = (): void => undefined;
  const step = (source: Source): Promise<void> => {
    const next = source.facts.next();
    const over = (): void => {
      ready.push({ source, next });
      wake();
    };
    return next.then(over, over);
  };
  const sources = CATEGORIES.map((category) => ({
    category,
    facts: store.follow(category, places[category], both)[Symbol.asyncIterator](),
  }));
  const pending = new Map(sources.map((source) => [source, step(source)]));
  try {
    while (pending.size > 0) {
      // Not a race: a category in which nothing happens for long would keep something of every race that it has not won.
      if (ready.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const { source, next } = ready.shift()!;
      const result = await next;
      if (result.done === true) {
        pending.delete(source);
        continue;
      }
      pending.set(source, step(source));
      const { fact, position } = result.value;
      places[source.category] = position;
      if (siteOfStream(fact.stream) === site) yield { position: JSON.stringify(places), fact };
    }
  } finally {
    stop.abort(OVER);
    await Promise.allSettled(pending.values());
  }
}

interface Source {
  readonly category: (typeof CATEGORIES)[number];
  readonly facts: AsyncIterator<Stored>;
}

/** The next fact of a category, which is there or will never be. */
interface Step {
  readonly source: Source;
  readonly next: Promise<IteratorResult<Stored>>;
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
