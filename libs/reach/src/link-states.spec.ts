import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SiteId } from '@isthmus/kernel';
import { isUp, merged, newerThan, type KnownStates, type LinkStates } from './link-states.js';

const site = fc.constantFrom('cpt', 'lon', 'nyc') as fc.Arbitrary<SiteId>;
const word: fc.Arbitrary<LinkStates> = fc.record({
  site,
  version: fc.record({ epoch: fc.nat(2), revision: fc.nat(3) }),
  hears: fc.uniqueArray(fc.record({ peer: site, facts: fc.boolean(), media: fc.boolean() }), {
    selector: ({ peer }) => peer,
    maxLength: 3,
  }),
});
const heard = (words: readonly LinkStates[]): KnownStates => words.reduce<KnownStates>(merged, new Map());
const plain = (known: KnownStates) => [...known.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
const say = (from: string, revision: number, ...peers: string[]): LinkStates => ({
  site: from as SiteId,
  version: { epoch: 1, revision },
  hears: peers.map((peer) => ({ peer: peer as SiteId, facts: true, media: true })),
});

describe('what sites say of their links', () => {
  it('comes to the same in whatever order it is heard, and however often', () => {
    fc.assert(
      fc.property(
        fc
          .array(word, { maxLength: 12 })
          .chain((words) => fc.tuple(fc.constant(words), fc.shuffledSubarray([...words, ...words], { minLength: 2 * words.length }))),
        ([words, again]) => {
          expect(plain(heard(again))).toEqual(plain(heard(words)));
        },
      ),
    );
  });
  it('is no news the second time', () => {
    const known = heard([say('nyc', 2, 'lon')]);
    expect(merged(known, say('nyc', 2, 'lon'))).toBe(known);
    expect(merged(known, say('nyc', 1))).toBe(known);
  });
  it('has a link up only while both ends hear, facts and media', () => {
    const both = heard([say('nyc', 1, 'lon'), say('lon', 1, 'nyc')]);
    const up = (known: KnownStates) => isUp(known, 'nyc' as SiteId, 'lon' as SiteId);
    expect(up(both)).toBe(true);
    expect(up(merged(both, say('lon', 2)))).toBe(false);
    expect(up(merged(both, { ...say('lon', 2), hears: [{ peer: 'nyc' as SiteId, facts: true, media: false }] }))).toBe(false);
    expect(up(heard([say('nyc', 1, 'lon')]))).toBe(false);
  });
  it('lets a site whose memory is older than that of the others be heard again', () => {
    expect(newerThan({ epoch: 3, revision: 9 }, { epoch: 2, revision: 50 })).toEqual({ epoch: 3, revision: 10 });
    expect(newerThan({ epoch: 3, revision: 9 }, { epoch: 4, revision: 1 })).toEqual({ epoch: 4, revision: 1 });
    expect(newerThan(undefined, { epoch: 1, revision: 1 })).toEqual({ epoch: 1, revision: 1 });
  });
});
