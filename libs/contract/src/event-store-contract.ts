import { describe, expect, test } from 'vitest';
import type { Fact } from '@isthmus/kernel';
import type { Stored } from '@isthmus/ports';
import { chain, collect, streamOf, take } from './sample-facts.js';
import { PATIENCE } from './patience.js';
import { snapshotContract } from './snapshot-contract.js';
import { storeAtHand, type StorePlace } from './store-at-hand.js';

/** What every event store promises, whatever it is made of. Run it from the adapter's own spec. */
export const eventStoreContract = (name: string, makePlace: () => Promise<StorePlace>): void => {
  describe(`${name} keeps the promises of an event store`, PATIENCE, () => {
    const at = storeAtHand(makePlace);
    const readers = new AbortController();
    const stream = streamOf('7f3a');

    describe('append', () => {
      test('what was appended is read back word for word, in order', async () => {
        const facts = chain(stream, 5);
        await at.store.append(stream, -1, facts.slice(0, 2));
        await at.store.append(stream, 1, facts.slice(2));
        expect(await collect(at.store.read(stream))).toEqual(facts);
        expect(await collect(at.store.read(stream, 3))).toEqual(facts.slice(3));
      });

      test('unusual text, numbers and shapes come back as they went in', async () => {
        const [first] = chain(stream, 1);
        const body = {
          name: 'Zoë \u0000 \u202e 👩‍👩‍👧 \ud800',
          big: 2 ** 53 - 1,
          tiny: 5e-324,
          nothing: null,
          deep: [[[{ __proto: 1 }]]],
          empty: {},
        };
        const fact: Fact = { ...first!, body };
        await at.store.append(stream, -1, [fact]);
        expect(await collect(at.store.read(stream))).toEqual([fact]);
      });

      test('an append against a stale revision is refused and leaves nothing', async () => {
        const facts = chain(stream, 2);
        await at.store.append(stream, -1, facts);
        const late = chain(stream, 1, facts[0], 'too late');
        await expect(at.store.append(stream, 0, late)).rejects.toMatchObject({ kind: 'refusal', code: 'store.conflict' });
        expect(await collect(at.store.read(stream))).toEqual(facts);
      });

      test('an append against a revision that is not there yet is refused', async () => {
        const facts = chain(stream, 3);
        await at.store.append(stream, -1, facts.slice(0, 1));
        await expect(at.store.append(stream, 1, facts.slice(2))).rejects.toMatchObject({ code: 'store.conflict' });
      });

      test('of many that decide against the same revision exactly one wins', async () => {
        const rivals = Array.from({ length: 20 }, (_, n) => chain(stream, 1, undefined, `rival ${n}`));
        const outcomes = await Promise.allSettled(rivals.map((facts) => at.store.append(stream, -1, facts)));
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(await collect(at.store.read(stream))).toHaveLength(1);
      });

      test('the same append twice is once, so that an unknown outcome can be retried', async () => {
        const facts = chain(stream, 2);
        await at.store.append(stream, -1, facts);
        await at.store.append(stream, -1, facts);
        expect(await collect(at.store.read(stream))).toEqual(facts);
      });

      test('facts that do not continue the stream they are appended to are a defect of the caller', async () => {
        const [first, second] = chain(stream, 2);
        await expect(at.store.append(stream, -1, [second!])).rejects.toMatchObject({ kind: 'defect', code: 'store.bad-append' });
        await expect(at.store.append(streamOf('other'), -1, [first!])).rejects.toMatchObject({ code: 'store.bad-append' });
      });

      test('nothing appended is nothing done', async () => {
        await at.store.append(stream, -1, []);
        expect(await at.store.streams('conference')).toEqual([]);
      });

      test('a fact of more than 1 MiB is refused, and the next goes in', async () => {
        const [first] = chain(stream, 1, undefined, 'x'.repeat(1024 * 1024));
        await expect(at.store.append(stream, -1, [first!])).rejects.toMatchObject({ code: 'store.too-large' });
        await at.store.append(stream, -1, chain(stream, 1));
      });

      test('acknowledged means durable: what a crash leaves holds every acknowledged fact', async () => {
        const facts = chain(stream, 10);
        for (const [index, fact] of facts.entries()) await at.store.append(stream, index - 1, [fact]);
        const left = await at.place.openAfterCrash();
        expect(await collect(left.read(stream))).toEqual(facts);
      });

      test('facts survive a restart', async () => {
        const facts = chain(stream, 3);
        await at.store.append(stream, -1, facts);
        await at.reopen();
        expect(await collect(at.store.read(stream))).toEqual(facts);
        await at.store.append(stream, 2, chain(stream, 1, facts[2]));
      });
    });

    describe('read', () => {
      test('a stream that nobody wrote is empty', async () => {
        expect(await collect(at.store.read(streamOf('nobody')))).toEqual([]);
      });

      test('a long stream arrives whole', async () => {
        const facts = chain(stream, 2_500);
        await at.store.append(stream, -1, facts);
        expect(await collect(at.store.read(stream))).toEqual(facts);
      });

      test('streams lists a category, each once, and no other category', async () => {
        const room = streamOf('9', 'nyc', 1, 'room');
        await at.store.append(stream, -1, chain(stream, 2));
        await at.store.append(room, -1, chain(room, 1));
        await at.store.adopt(chain(streamOf('7f3a', 'lon', 4), 3));
        expect([...(await at.store.streams('conference'))].sort()).toEqual([streamOf('7f3a', 'lon', 4), stream]);
        expect(await at.store.streams('room')).toEqual([room]);
      });
    });

    describe('adopt', () => {
      const theirs = streamOf('7f3a', 'lon', 4);

      test('a peer’s facts are kept as they are; the second time there is nothing new', async () => {
        const facts = chain(theirs, 4);
        expect(await at.store.adopt(facts.slice(0, 3))).toEqual(facts.slice(0, 3));
        expect(await at.store.adopt(facts)).toEqual(facts.slice(3));
        expect(await at.store.adopt(facts)).toEqual([]);
        expect(await collect(at.store.read(theirs))).toEqual(facts);
      });

      test('the same fact twice in one batch is new once', async () => {
        const [fact] = chain(theirs, 1);
        expect(await at.store.adopt([fact!, fact!])).toEqual([fact]);
      });

      test('the same batch adopted many times at once is new once', async () => {
        const facts = chain(theirs, 10);
        const news = await Promise.all(Array.from({ length: 8 }, () => at.store.adopt(facts)));
        expect(news.flat()).toHaveLength(10);
        expect(await collect(at.store.read(theirs))).toEqual(facts);
      });

      test('facts may arrive out of order and are read in order', async () => {
        const facts = chain(theirs, 6);
        await at.store.adopt([facts[4]!, facts[1]!]);
        await at.store.adopt([facts[5]!, facts[0]!, facts[3]!, facts[2]!]);
        expect(await collect(at.store.read(theirs))).toEqual(facts);
      });

      test('a forked writer: both stories are kept, side by side', async () => {
        const [root] = chain(theirs, 1);
        const one = chain(theirs, 2, root, 'one');
        const other = chain(theirs, 2, root, 'other');
        await at.store.adopt([root!, ...one]);
        expect(await at.store.adopt(other)).toEqual(other);
        const kept = await collect(at.store.read(theirs));
        expect(kept.map(({ seq }) => seq)).toEqual([0, 1, 1, 2, 2]);
        expect(new Set(kept.map(({ hash }) => hash))).toEqual(new Set([root!, ...one, ...other].map(({ hash }) => hash)));
      });

      test('adopted means durable', async () => {
        const facts = chain(theirs, 3);
        await at.store.adopt(facts);
        const left = await at.place.openAfterCrash();
        expect(await collect(left.read(theirs))).toEqual(facts);
      });
    });

    describe('follow', () => {
      const seen = (items: readonly Stored[]) => items.map(({ fact }) => `${fact.stream}/${fact.seq}`);

      test('replays a category in the order it was learned, own and adopted alike, and leaves out others', async () => {
        const theirs = chain(streamOf('7f3a', 'lon', 4), 2);
        const room = streamOf('9', 'nyc', 1, 'room');
        const ours = chain(stream, 2);
        await at.store.append(stream, -1, ours.slice(0, 1));
        await at.store.adopt(theirs);
        await at.store.append(room, -1, chain(room, 1));
        await at.store.append(stream, 0, ours.slice(1));
        const items = await take(at.store.follow('conference', undefined, readers.signal), 4);
        expect(items.map(({ fact }) => fact)).toEqual([ours[0], ...theirs, ours[1]]);
      });

      test('goes live after the replay', async () => {
        const facts = chain(stream, 4);
        await at.store.append(stream, -1, facts.slice(0, 2));
        const following = take(at.store.follow('conference', undefined, readers.signal), 4);
        await new Promise((resolve) => setTimeout(resolve, 30));
        await at.store.append(stream, 1, facts.slice(2, 3));
        await at.store.append(stream, 2, facts.slice(3));
        expect((await following).map(({ fact }) => fact)).toEqual(facts);
      });

      test('resumes after any position without a gap or a double, also after a restart', async () => {
        await at.store.append(stream, -1, chain(stream, 6));
        const all = await take(at.store.follow('conference', undefined, readers.signal), 6);
        await at.reopen();
        for (const [index, { position }] of all.slice(0, -1).entries()) {
          const rest = await take(at.store.follow('conference', position, readers.signal), 5 - index);
          expect(seen(rest)).toEqual(seen(all.slice(index + 1)));
        }
      });

      test('a position of another store replays from the start: twice is harmless, missing is not', async () => {
        const elsewhere = await makePlace();
        const other = await elsewhere.open();
        const others = streamOf('elsewhere', 'cpt', 9);
        await other.append(others, -1, chain(others, 3));
        const foreign = await take(other.follow('conference', undefined, readers.signal), 3);
        await other.close();
        await elsewhere.dispose();

        const facts = chain(stream, 5);
        await at.store.append(stream, -1, facts);
        const items = await take(at.store.follow('conference', foreign[2]!.position, readers.signal), 5);
        expect(items.map(({ fact }) => fact)).toEqual(facts);
      });

      test('under concurrent appends from many writers nothing is missed, doubled or out of its stream’s order', async () => {
        const writers = Array.from({ length: 8 }, (_, n) => streamOf(`c${n}`));
        const each = 60;
        const early = take(at.store.follow('conference', undefined, readers.signal), writers.length * each);
        const write = async (name: (typeof writers)[number]) => {
          for (const fact of chain(name, each)) await at.store.append(name, fact.seq - 1, [fact]);
        };
        const writing = Promise.all(writers.map(write));
        await new Promise((resolve) => setTimeout(resolve, 20));
        const late = take(at.store.follow('conference', undefined, readers.signal), writers.length * each);
        await writing;
        for (const items of [await early, await late]) {
          expect(new Set(seen(items)).size).toBe(writers.length * each);
          for (const name of writers) {
            const seqs = items.filter(({ fact }) => fact.stream === name).map(({ fact }) => fact.seq);
            expect(seqs).toEqual(Array.from({ length: each }, (_, n) => n));
          }
        }
        expect(seen(await early)).toEqual(seen(await late));
      });

      test('an aborted reader ends quietly, whether it waits or not, and the store goes on', async () => {
        const stop = new AbortController();
        const waiting = Array.from({ length: 100 }, () => collect(at.store.follow('conference', undefined, stop.signal)));
        await new Promise((resolve) => setTimeout(resolve, 10));
        stop.abort();
        expect((await Promise.all(waiting)).flat()).toEqual([]);
        expect(await collect(at.store.follow('conference', undefined, stop.signal))).toEqual([]);
        await at.store.append(stream, -1, chain(stream, 1));
        expect(await take(at.store.follow('conference', undefined, readers.signal), 1)).toHaveLength(1);
      });

      test('closing the store ends its readers', async () => {
        const reading = collect(at.store.follow('conference', undefined, readers.signal));
        await new Promise((resolve) => setTimeout(resolve, 10));
        await at.store.close();
        expect(await reading).toEqual([]);
      });

      test('a slow reader does not hold up writers', async () => {
        const facts = chain(stream, 50);
        const iterator = at.store.follow('conference', undefined, readers.signal)[Symbol.asyncIterator]();
        await at.store.append(stream, -1, facts.slice(0, 1));
        await iterator.next();
        for (const fact of facts.slice(1)) await at.store.append(stream, fact.seq - 1, [fact]);
        expect((await iterator.next()).value).toMatchObject({ fact: { seq: 1 } });
        await iterator.return?.();
      });
    });

    describe('epochs and bookmarks', () => {
      test('no epoch is ever given twice, not at once and not after a restart or a crash', async () => {
        const given = await Promise.all(Array.from({ length: 20 }, () => at.store.beginEpoch()));
        await at.reopen();
        given.push(await at.store.beginEpoch());
        const left = await at.place.openAfterCrash();
        given.push(await left.beginEpoch());
        expect(new Set(given).size).toBe(22);
        expect(given.every((epoch) => Number.isSafeInteger(epoch) && epoch > 0)).toBe(true);
        expect(Math.max(...given.slice(0, 20))).toBeLessThan(given[20]!);
      });

      test('a bookmark is what was last set, by name, and survives a restart', async () => {
        expect(await at.store.bookmark('lon')).toBeUndefined();
        await at.store.append(stream, -1, chain(stream, 2));
        const [one, two] = await take(at.store.follow('conference', undefined, readers.signal), 2);
        await at.store.setBookmark('lon', one!.position);
        await at.store.setBookmark('lon', two!.position);
        await at.store.setBookmark('cpt', one!.position);
        expect(await at.store.bookmark('lon')).toBe(two!.position);
        await at.reopen();
        expect(await at.store.bookmark('lon')).toBe(two!.position);
        expect(await at.store.bookmark('cpt')).toBe(one!.position);
      });

      test('a bookmark that is to be there before facts is there after a crash, whenever they are', async () => {
        const [first, second] = [chain(stream, 3), chain(streamOf('9c01', 'lon', 2), 2)];
        await at.store.setBookmark('word:first', '0', 'before-facts');
        await at.store.setBookmark('word:first', '2', 'before-facts');
        await at.store.setBookmark('word:second', '1', 'before-facts');
        await Promise.all([at.store.adopt(first), at.store.adopt(second)]);
        const left = await at.place.openAfterCrash();
        expect(await collect(left.read(stream))).toEqual(first);
        expect(await left.bookmark('word:first')).toBe('2');
        expect(await left.bookmark('word:second')).toBe('1');
      });
    });

    test('closing twice is quiet; afterwards every call says that the store is closed', async () => {
      await at.store.close();
      await at.store.close();
      await expect(at.store.append(stream, -1, chain(stream, 1))).rejects.toMatchObject({ kind: 'fault', code: 'store.unavailable' });
      await expect(collect(at.store.read(stream))).rejects.toMatchObject({ code: 'store.unavailable' });
      await expect(at.store.beginEpoch()).rejects.toMatchObject({ code: 'store.unavailable' });
    });
  });

  snapshotContract(name, makePlace);
};
