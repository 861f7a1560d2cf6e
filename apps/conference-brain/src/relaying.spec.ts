import { createHash } from 'node:crypto';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';
import { seal, siteOfStream, streamNameOf, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import { textOfHead, type EventStore, type Signatures } from '@isthmus/ports';
import type { BrainMessage } from '@isthmus/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Heads } from './heads.js';
import { Relaying } from './relaying.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('an author’s word on its facts', () => {
  const [nyc, cpt, lon] = ['nyc', 'cpt', 'lon'] as SiteId[] as [SiteId, SiteId, SiteId];
  const stream = streamNameOf('conference', 'r0_1', writerIdOf(cpt, 1));
  const signatureOf = (certificate: string, text: string) => createHash('sha256').update(`${certificate}: ${text}`).digest('base64');
  const signaturesOf = (site: SiteId): Signatures => ({
    sign: (text) => ({ certificate: site, signature: signatureOf(site, text) }),
    verify: (author, text, { certificate, signature }) => certificate === author && signature === signatureOf(certificate, text),
  });
  const history = Array.from({ length: 6 }, () => 0).reduce<Fact[]>((facts, _, seq) => {
    const draft = { stream, seq, prev: facts.at(-1)?.hash ?? null, at: 1, after: [], by: 'system', type: 'Said', v: 1, body: {} };
    return [...facts, seal(draft, sha256)];
  }, []);
  const wordUpTo = ({ seq, hash }: Fact) => {
    const { certificate, signature } = signaturesOf(cpt).sign(textOfHead({ stream, seq, hash }));
    return [{ certificate, heads: [{ stream, seq, hash, signature }] }];
  };

  let store: EventStore;
  beforeEach(async () => {
    store = await sqliteEventStore({ file: ':memory:' });
  });
  afterEach(() => store.close());

  /** What passes words on at New York, as a brain that has just begun finds it in its store, and what it says. */
  const begin = async () => {
    const said: BrainMessage[] = [];
    const toldLondon: number[] = [];
    const heads = new Heads();
    for (const name of await store.streams('conference')) for await (const fact of store.read(name)) heads.keep([fact]);
    const relaying = new Relaying({
      ...{ site: nyc, store, heads, signatures: signaturesOf(nyc) },
      send: (to, message) => {
        if (to === cpt) said.push(message);
        else if (message.type === 'heads') toldLondon.push(...message.heads.map(({ seq }) => seq));
      },
      peers: () => [cpt, lon],
      hears: (site) => site !== lon,
      take: async (facts) => heads.keep(await store.adopt(facts)),
      poisoned: (peer, what) => expect.fail(`${peer}: ${what}`),
    });
    await relaying.start();
    const hears = async (facts: readonly Fact[]) => {
      await relaying.vouched(siteOfStream(stream), wordUpTo(facts.at(-1)!));
      heads.keep(await store.adopt(facts));
      relaying.passNews();
    };
    const shows = async () => {
      await relaying.answer(cpt, [{ stream, from: 0 }]);
      return said.flatMap((message) => (message.type === 'relayed' ? message.facts.map((fact) => (fact as Fact).seq) : []));
    };
    const isTold = async (last: Fact) => relaying.vouched(siteOfStream(stream), wordUpTo(last));
    return { hears, isTold, shows, toldLondon };
  };

  it('is kept as far as it went, when an author that lost the end of its history says the beginning again', async () => {
    const before = await begin();
    await before.hears(history.slice(0, 2));
    await before.hears(history.slice(2, 4));
    const again = await begin();
    await again.hears(history.slice(0, 2));
    const after = await begin();
    expect(await after.shows()).toEqual([0, 1, 2, 3]);
  });

  it('is replaced by an earlier one while what it spoke of has not come', async () => {
    const before = await begin();
    await before.hears(history.slice(0, 1));
    // It was kept, and the process died before the facts were.
    await store.setBookmark(`word:${stream}`, JSON.stringify({ head: wordUpTo(history[3]!)[0]!.heads[0], certificate: cpt }));
    const again = await begin();
    await again.hears(history.slice(0, 2));
    const after = await begin();
    expect(await after.shows()).toEqual([0, 1]);
  });

  it('is shown as far as its facts have come, when the author is lost on the way to what it said it has', async () => {
    const site = await begin();
    await site.hears(history.slice(0, 1));
    await site.isTold(history[3]!);
    await site.hears(history.slice(1, 2));
    await site.hears(history.slice(2, 3));
    expect(await site.shows()).toEqual([0, 1, 2]);
    // And again on the way to what it said next.
    await site.hears(history.slice(3, 4));
    await site.isTold(history[5]!);
    expect((await site.shows()).slice(3)).toEqual([0, 1, 2, 3]);
  });

  it('is passed on to who does not hear the author as far as its facts have come, before all that it said it has is here', async () => {
    const site = await begin();
    await site.isTold(history[3]!);
    await site.hears(history.slice(0, 2));
    expect(site.toldLondon).toEqual([1]);
    await site.hears(history.slice(2, 4));
    expect(site.toldLondon).toEqual([1, 3]);
  });

  it('is passed on when the facts come after a restart that lay between them and the word', async () => {
    const before = await begin();
    await before.hears(history.slice(0, 1));
    await before.isTold(history[3]!);
    const again = await begin();
    expect(again.toldLondon).toEqual([]);
    await again.hears(history.slice(1, 4));
    expect(again.toldLondon).toEqual([3]);
  });

  it('needs nothing of the store where a stream is new, which comes with each meeting: the store may be away', async () => {
    const whole = store;
    const asked: string[] = [];
    store = { ...whole, bookmark: (name) => whole.bookmark(name).finally(() => asked.push(name)) };
    const site = await begin();
    await site.hears(history.slice(0, 2));
    await site.hears(history.slice(2, 4));
    expect(asked).toEqual([]);
    expect(await site.shows()).toEqual([0, 1, 2, 3]);
  });
});
