import { describe, expect, test } from 'vitest';
import { SNAPSHOT_BYTES, type Position, type Stored } from '@isthmus/ports';
import { PATIENCE } from './patience.js';
import { chain, collect, streamOf, take } from './sample-facts.js';
import { storeAtHand, type StorePlace } from './store-at-hand.js';

/** What every event store promises to whoever keeps snapshots in it: a place for them, and what came after each (merge rule 13). */
export const snapshotContract = (name: string, makePlace: () => Promise<StorePlace>): void => {
  describe(`${name} keeps snapshots, and tells what came after them`, PATIENCE, () => {
    const at = storeAtHand(makePlace);
    const stream = streamOf('7f3a');

    describe('learned', () => {
      const theirs = streamOf('7f3a', 'lon', 4);
      const hashes = (items: readonly Stored[]) => items.map(({ fact }) => fact.hash);
      const learned = (from: typeof stream, after?: Position) => collect(at.store.learned(from, after));

      test('gives a stream in the order of learning, and behind a place what came later, also a second story', async () => {
        const [root] = chain(theirs, 1);
        const one = chain(theirs, 3, root, 'one');
        const other = chain(theirs, 2, root, 'other');
        await at.store.adopt([one[0]!, root!]);
        await at.store.append(stream, -1, chain(stream, 3));
        const first = await learned(theirs);
        expect(hashes(first)).toEqual([one[0]!.hash, root!.hash]);
        expect(await learned(theirs, first.at(-1)!.position)).toEqual([]);
        await at.store.adopt([one[2]!, ...other]);
        await at.reopen();
        const later = [one[2]!, ...other].map(({ hash }) => hash);
        expect(hashes(await learned(theirs, first.at(-1)!.position))).toEqual(later);
        expect(hashes(await learned(theirs))).toEqual([one[0]!.hash, root!.hash, ...later]);
        expect(await learned(streamOf('nobody'))).toEqual([]);
      });

      test('takes a place that it never gave for the beginning, and gives a long stream whole', async () => {
        const facts = chain(stream, 1_200);
        await at.store.append(stream, -1, facts);
        const elsewhere = await makePlace();
        const other = await elsewhere.open();
        await other.append(stream, -1, chain(stream, 3, undefined, 'elsewhere'));
        const [, , third] = await collect(other.learned(stream));
        await other.close();
        await elsewhere.dispose();
        for (const odd of [third!.position, '', 'nonsense', '999999.0123456789abcdef'])
          expect(hashes(await learned(stream, odd))).toEqual(facts.map(({ hash }) => hash));
      });
    });

    describe('snapshots', () => {
      test('are what was last kept, by name, over a restart and a crash, and nothing once they are dropped', async () => {
        expect(await at.store.snapshot('r-1')).toBeUndefined();
        await at.store.keepSnapshot('r-1', 'first');
        await at.store.keepSnapshot('r_1', 'another');
        await at.store.keepSnapshot('r-1', 'second \u0000 Zoë 👩‍👩‍👧');
        await at.reopen();
        expect(await at.store.snapshot('r-1')).toBe('second \u0000 Zoë 👩‍👩‍👧');
        const left = await at.place.openAfterCrash();
        expect(await left.snapshot('r-1')).toBe('second \u0000 Zoë 👩‍👩‍👧');
        await at.store.keepSnapshot('r-1', undefined);
        expect(await at.store.snapshot('r-1')).toBeUndefined();
        expect(await at.store.snapshot('r_1')).toBe('another');
      });

      test('are no facts: nobody who lists, reads or follows meets one', async () => {
        await at.store.keepSnapshot('r1', 'text');
        await at.store.append(stream, -1, chain(stream, 1));
        await at.store.keepSnapshot('r1', 'text');
        expect(await at.store.streams('conference')).toEqual([stream]);
        await at.store.append(stream, 0, chain(stream, 1, chain(stream, 1)[0]));
        expect(await take(at.store.follow('conference', undefined, new AbortController().signal), 2)).toHaveLength(2);
      });

      test('may be large, and are refused when they are too large, with the one before left in place', async () => {
        const large = 'x'.repeat(SNAPSHOT_BYTES);
        await at.store.keepSnapshot('r1', large);
        await expect(at.store.keepSnapshot('r1', `${large}x`)).rejects.toMatchObject({ kind: 'refusal', code: 'store.too-large' });
        expect(await at.store.snapshot('r1')).toBe(large);
      });
    });
  });
};
