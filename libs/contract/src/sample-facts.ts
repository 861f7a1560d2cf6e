import { seal, streamNameOf, writerIdOf, type Fact, type SiteId, type StreamName } from '@isthmus/kernel';
import { sha256 } from './sample-site.js';

/** A stream nobody else in the suite writes to: `streamOf('7f3a')` is `conference-7f3a@nyc.1`. */
export const streamOf = (subject: string, site = 'nyc', epoch = 1, category = 'conference'): StreamName =>
  streamNameOf(category, subject, writerIdOf(site as SiteId, epoch));

/** The next `count` facts of a stream, chained by hash as a brain would; `after` is the fact they follow, `say` tells forks apart. */
export const chain = (stream: StreamName, count: number, after?: Fact, say = 'hello'): Fact[] => {
  const facts: Fact[] = [];
  for (let last = after; facts.length < count; last = facts.at(-1)) {
    const seq = (last?.seq ?? -1) + 1;
    const body = { say, n: seq };
    facts.push(
      seal({ stream, seq, at: 1_700_000_000_000 + seq, prev: last?.hash ?? null, after: [], by: 'ana', type: 'Said', v: 1, body }, sha256),
    );
  }
  return facts;
};

export const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

/** Takes exactly `count` items, then leaves the loop (which ends the reader). */
export const take = async <T>(items: AsyncIterable<T>, count: number): Promise<T[]> => {
  const taken: T[] = [];
  if (count === 0) return taken;
  for await (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
};
