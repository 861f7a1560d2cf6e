import { describe, expect, it } from 'vitest';
import { chain, streamOf, take } from '@isthmus/contract';
import type { SiteId } from '@isthmus/kernel';
import type { EventStore, Stored } from '@isthmus/ports';
import { ownFacts } from './own-facts.js';

const NYC = 'nyc' as SiteId;

/** A store in whose rooms nothing happens, while its conferences go on, until one that cannot be read. */
const storeOf = (said: readonly Stored[], quiet: Promise<IteratorResult<Stored>>, broken?: Error): EventStore => {
  const follow = async function* (): AsyncGenerator<Stored> {
    yield* said;
    if (broken) throw broken;
  };
  const nothing: AsyncIterable<Stored> = { [Symbol.asyncIterator]: () => ({ next: () => quiet }) };
  return { follow: (category: string) => (category === 'conference' ? follow() : nothing) } as unknown as EventStore;
};
const stored = (count: number, site: string): Stored[] =>
  chain(streamOf('7f3a', site), count).map((fact) => ({ fact, position: `${fact.seq}` }));

describe('what a site gives its peers', () => {
  it('keeps nothing of what it gave while nothing happens in another category', async () => {
    const { promise, resolve } = Promise.withResolvers<IteratorResult<Stored>>();
    let waiting = 0;
    /** Counts who waits for it, and for what comes of it. */
    const watched = <T>(what: Promise<T>): Promise<T> =>
      Object.assign(what, {
        then: (...then: Parameters<Promise<T>['then']>) => {
          waiting += 1;
          return watched(Promise.prototype.then.apply(what, then));
        },
      });
    const quiet = watched(promise);
    const facts = ownFacts(storeOf(stored(50, 'nyc'), quiet), NYC, undefined, AbortSignal.timeout(60_000));
    const given: Stored[] = [];
    for await (const each of facts) {
      given.push(each);
      if (given.length === 50) resolve({ done: true, value: undefined });
    }
    expect(given.map(({ fact }) => fact.seq)).toEqual(Array.from({ length: 50 }, (_, at) => at));
    expect(waiting).toBeLessThan(5);
  });

  it('is what it recorded itself, and ends with what the store says', async () => {
    const never = new Promise<IteratorResult<Stored>>(() => undefined);
    const facts = ownFacts(storeOf([...stored(3, 'lon'), ...stored(2, 'nyc')], never), NYC, undefined, AbortSignal.timeout(60_000));
    const first = facts[Symbol.asyncIterator]();
    expect((await first.next()).value).toMatchObject({ fact: { stream: streamOf('7f3a', 'nyc'), seq: 0 } });
    const ended = Promise.resolve<IteratorResult<Stored>>({ done: true, value: undefined });
    const broken = ownFacts(storeOf(stored(2, 'nyc'), ended, new Error('planted')), NYC, undefined, AbortSignal.timeout(60_000));
    await expect(take(broken, 3)).rejects.toThrow('planted');
  });
});
