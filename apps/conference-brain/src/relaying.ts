import { hash } from 'node:crypto';
import { isFact, siteOfStream, verify, type Fact, type Head, type SiteId, type StreamName } from '@isthmus/kernel';
import { textOfHead, type EventStore, type Signatures, type Signed } from '@isthmus/ports';
import { batchWord, brainMessage, LINK_LIST_MAX, type AuthorsWord, type BrainMessage, type SignedHead } from '@isthmus/protocol';
import type { Heads } from './heads.js';
import { Tellings } from './tellings.js';
import { Wants } from './wants.js';

export interface RelayingParts {
  readonly site: SiteId;
  readonly store: EventStore;
  readonly signatures: Signatures;
  readonly heads: Heads;
  readonly send: (to: SiteId, message: BrainMessage) => void;
  /** Peers whose link is up. */
  readonly peers: () => readonly SiteId[];
  /** Whether a site says that it hears another's facts itself. */
  readonly hears: (site: SiteId, author: SiteId) => boolean;
  /** Keeps facts that have turned out to be their author's word. */
  readonly take: (facts: readonly Fact[]) => Promise<void>;
  readonly poisoned: (peer: SiteId, what: string) => void;
}

type Heard = Extract<BrainMessage, { type: 'heads' }>;
type Relayed = Extract<BrainMessage, { type: 'relayed' }>;
interface Word {
  readonly head: SignedHead;
  readonly certificate: string;
  /** Who told us; nobody tells it back. Undefined: it was kept from before. */
  readonly from: SiteId | undefined;
  /** Whether it is in the store already. */
  readonly isKept: boolean;
}

/** About the most in one message of relayed facts, and the most streams that somebody is answered about at once. */
const BATCH_BYTES = 64 * 1024;
const BATCH_FACTS = 200;
const STREAMS_ANSWERED = 16;
/** Facts that may wait, all together, for the rest of their streams. */
const PARTIAL_MAX = 20_000;
/** Signatures of ours that are kept, because every peer is given the same facts. */
const SIGNATURES_KEPT = 1_000;

/**
 * Facts by way of a third site. Each site signs how far its streams go; these words are passed on to whoever does not hear
 * that site itself, who then asks for the facts that it lacks. A head names its fact by hash, and each fact the one before
 * it, so a whole stream stands under one signature, whoever brings it (ADR 0027).
 */
export class Relaying {
  /** The newest word about each stream of another site, and the newest of which all facts are here. */
  private readonly words = new Map<StreamName, Word>();
  private readonly proved = new Map<StreamName, Word>();
  /** What its author said with its facts on the way to the newest word: all that can be shown if it is lost before the rest has come. */
  private readonly onTheWay = new Map<StreamName, Word>();
  /** Streams of which a new word is to be passed on as soon as the facts are here. */
  private readonly news = new Set<StreamName>();
  private readonly wants: Wants;
  private readonly partial = new Map<StreamName, Fact[]>();
  private readonly signatures = new Map<string, Signed>();
  private readonly told = new Tellings<Word>();
  /** One text for all words under one certificate. */
  private readonly certificates = new Map<SiteId, string>();
  private receiving: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RelayingParts) {
    this.wants = new Wants(parts.site, parts.heads);
  }

  /** Reads the words that were kept for the streams that are here. */
  async start(): Promise<void> {
    const { heads, store, site } = this.parts;
    for (const author of heads.sites())
      for (const { stream } of author === site ? [] : heads.lately(author, LINK_LIST_MAX)) {
        const kept = await store.bookmark(bookmarkOf(stream));
        const word = kept === undefined ? undefined : readWord(kept);
        if (word === undefined) continue;
        this.words.set(stream, word);
        if (!this.holds(word)) this.news.add(stream);
      }
  }

  /** Our own word on how far our streams go, to one peer that has just come. */
  greet(peer: SiteId): void {
    const { site, heads } = this.parts;
    this.told.came(peer);
    this.sendOwn([peer], heads.lately(site, LINK_LIST_MAX));
    for (const author of this.authors()) if (author !== peer) this.passOn(peer, author);
  }

  /** Our word on these facts of ours, to travel with them: who has the facts can then always show that they are ours. */
  vouch(facts: readonly Fact[]): readonly AuthorsWord[] {
    return this.signed([...new Map(facts.map(({ stream, seq, hash }) => [stream, { stream, seq, hash }])).values()]);
  }

  /** What travelled with facts of a peer. It is kept before they are, so that they are never here without it. */
  async vouched(peer: SiteId, word: unknown): Promise<void> {
    const parsed = batchWord.safeParse(word ?? []);
    if (!parsed.success) return this.parts.poisoned(peer, 'a word on its facts that is none');
    for (const { certificate, heads } of parsed.data) {
      for (const head of heads) if (siteOfStream(head.stream) === peer) await this.keepFurther({ head, certificate });
      this.heard(peer, { type: 'heads', site: peer, certificate, heads }, true);
    }
  }

  /** A site has said of its links what is news: it may lack what somebody else wrote, and we may have it. */
  linksChanged(site: SiteId): void {
    if (!this.parts.peers().includes(site)) return;
    for (const author of this.authors()) if (author !== site && !this.parts.hears(site, author)) this.passOn(site, author);
  }

  /** Somebody's word on how far a site's streams go. */
  heard(from: SiteId, { site, certificate: text, heads }: Heard, isKept = false): void {
    const { signatures, poisoned } = this.parts;
    if (site === this.parts.site) return;
    const certificate = this.certificates.get(site) === text ? this.certificates.get(site)! : text;
    this.certificates.set(site, certificate);
    for (const head of heads) {
      if (this.wordOn(head.stream) >= head.seq) {
        if (from === site) this.saidOnTheWay({ head, certificate, from, isKept });
        continue;
      }
      // On its own link a site needs no signature; whether others can believe it is looked at when it is passed on.
      if (siteOfStream(head.stream) !== site || (from !== site && !isSigned(signatures, { head, certificate }))) {
        poisoned(from, `a word about ${head.stream} that ${site} has not signed`);
        continue;
      }
      const before = this.words.get(head.stream);
      if (before !== undefined && this.holds(before)) this.proved.set(head.stream, before);
      this.words.set(head.stream, { head, certificate, from, isKept });
      this.news.add(head.stream);
    }
    this.passNews();
    // Of a site that is heard itself the facts come without being asked for.
    if (from === site) return;
    for (const { stream, seq } of heads) this.wants.add(stream, from, Math.min(seq, this.wordOn(stream)));
    this.ask();
  }

  /** Facts are durable here that were not: what their author said of them can be passed on, if only of some of them so far. */
  passNews(): void {
    for (const stream of [...this.news]) {
      const word = this.heldWord(stream);
      if (word === undefined) continue;
      const { head, certificate, from, isKept } = word;
      if (word === this.words.get(stream)) {
        this.news.delete(stream);
        if (!isKept) this.keep({ head, certificate }).catch(() => undefined);
      }
      const author = siteOfStream(stream);
      const lacking = this.parts.peers().filter((peer) => peer !== from && peer !== author && !this.parts.hears(peer, author));
      const untold = lacking.filter((peer) => this.told.isNewTo(peer, word));
      if (untold.length === 0 || !isSigned(this.parts.signatures, word)) continue;
      for (const peer of untold) this.parts.send(peer, { type: 'heads', site: author, certificate, heads: [head] });
    }
  }

  /** Up to which seq its author's word on a stream goes; -1 if it has said nothing. */
  wordOn(stream: StreamName): number {
    return this.words.get(stream)?.head.seq ?? -1;
  }

  /** Whether facts of a site are still to come that, by its own word, it had. */
  lacks(site: SiteId): boolean {
    return [...this.words.values()].some((word) => siteOfStream(word.head.stream) === site && !this.holds(word));
  }

  /** A peer holds more of our own streams than we do, or another story: we lost it, and take it back. */
  takeBack(peer: SiteId, heads: readonly { readonly stream: StreamName; readonly upTo: number }[]): void {
    for (const { stream, upTo } of heads) this.wants.add(stream, peer, upTo);
    this.ask();
  }

  /** Every second: what nobody answered is asked for again. */
  tick(): void {
    this.wants.tick();
    this.ask();
  }

  async answer(from: SiteId, streams: readonly { readonly stream: StreamName; readonly from: number }[]): Promise<void> {
    for (const { stream, from: seq } of streams.slice(0, STREAMS_ANSWERED)) {
      const word = this.heldWord(stream) ?? (await this.keptWord(stream));
      if (word === undefined || word.head.seq < seq) continue;
      if (!isSigned(this.parts.signatures, word)) continue;
      const facts = firstOf(await this.storyOf(word, seq));
      if (facts.length > 0) this.parts.send(from, { type: 'relayed', certificate: word.certificate, head: word.head, facts: [...facts] });
    }
  }

  /** The facts from a seq on that lead to this word; of a forked stream there are others. */
  private async storyOf({ head }: Word, from: number): Promise<readonly Fact[]> {
    const byHash = new Map<string, Fact>();
    for await (const fact of this.parts.store.read(head.stream, from)) {
      if (fact.seq > head.seq || byHash.size >= 2 * PARTIAL_MAX) break;
      byHash.set(fact.hash, fact);
    }
    const story: Fact[] = [];
    for (let fact = byHash.get(head.hash); fact !== undefined; fact = byHash.get(fact.prev ?? '')) story.push(fact);
    return story.reverse();
  }

  /** Facts by way of a peer: adopted as they are once they are seen to be their author's. */
  relayed(from: SiteId, message: Relayed): Promise<void> {
    this.receiving = this.receiving.then(() => this.receive(from, message)).catch(() => undefined);
    return this.receiving;
  }

  private async receive(from: SiteId, { certificate, head, facts }: Relayed): Promise<void> {
    const { signatures } = this.parts;
    const { stream } = head;
    this.wants.answered(stream);
    if (!this.wants.has(stream)) return;
    if (!isSigned(signatures, { head, certificate })) return this.refuse(from, stream, 'its author has not signed it');
    const next = this.nextOf(stream);
    const sound = facts.filter(isFact).filter((fact) => fact.stream === stream && fact.seq >= next && fact.seq <= head.seq);
    if (sound.length === 0) return; // They came by another way meanwhile; else the next tick asks again.
    if (sound.some((fact, i) => fact.seq !== next + i)) return this.refuse(from, stream, 'not the facts that were asked for');
    const whole = [...(this.partial.get(stream) ?? []), ...sound];
    if (whole.at(-1)!.seq < head.seq) return this.waitForRest(from, stream, whole);
    this.partial.delete(stream);
    if (!isChainTo(head, whole)) return this.refuse(from, stream, 'facts that its author has not written');
    if (siteOfStream(stream) !== this.parts.site) await this.keepFurther({ head, certificate });
    await this.parts.take(whole); // If the store fails, they are asked for again.
    this.saidOnTheWay({ head, certificate, from, isKept: true });
    this.wants.came(stream, from);
    this.wants.add(stream, from, this.wordOn(stream)); // Its author may have written on meanwhile.
    this.ask();
  }

  private waitForRest(from: SiteId, stream: StreamName, facts: Fact[]): void {
    const others = [...this.partial].reduce((sum, [name, held]) => (name === stream ? sum : sum + held.length), 0);
    if (others + facts.length > PARTIAL_MAX) return this.refuse(from, stream, 'more at once than can be held until it is proved');
    this.partial.set(stream, facts);
    this.ask();
  }

  private refuse(from: SiteId, stream: StreamName, why: string): void {
    this.partial.delete(stream);
    this.wants.drop(stream, from);
    this.parts.poisoned(from, `facts of ${stream}: ${why}`);
    this.ask();
  }

  private ask(): void {
    const next = this.wants.next(new Set(this.parts.peers()));
    for (const stream of [...this.partial.keys()]) if (!this.wants.has(stream)) this.partial.delete(stream);
    for (const [of, streams] of next)
      this.parts.send(of, { type: 'ask', streams: streams.map((stream) => ({ stream, from: this.nextOf(stream) })) });
  }

  /** The seq of the fact that is needed next: of what we lost, which may be another story than ours, the first. */
  private nextOf(stream: StreamName): number {
    const held = this.partial.get(stream)?.at(-1);
    if (held !== undefined) return held.seq + 1;
    return siteOfStream(stream) === this.parts.site ? 0 : this.parts.heads.seqOf(stream) + 1;
  }

  private holds({ head }: Word): boolean {
    return this.parts.heads.seqOf(head.stream) >= head.seq;
  }

  /** The newest word on a stream of which everything is here. */
  private heldWord(stream: StreamName): Word | undefined {
    const known = [this.words.get(stream), this.onTheWay.get(stream), this.proved.get(stream)];
    return known.reduce(
      (best, word) => (word !== undefined && this.holds(word) && word.head.seq > (best?.head.seq ?? -1) ? word : best),
      undefined,
    );
  }

  private saidOnTheWay(word: Word): void {
    const { stream, seq } = word.head;
    const before = this.onTheWay.get(stream);
    if (siteOfStream(stream) === this.parts.site || seq >= this.wordOn(stream) || seq <= (before?.head.seq ?? -1)) return;
    if (before !== undefined && this.holds(before)) this.proved.set(stream, before);
    this.onTheWay.set(stream, word);
  }

  private keep({ head, certificate }: Pick<Word, 'head' | 'certificate'>, when?: 'before-facts'): Promise<void> {
    return this.parts.store.setBookmark(bookmarkOf(head.stream), JSON.stringify({ head, certificate }), when);
  }

  /**
   * Keeps a word before the facts that it is of, unless one is kept that goes further and of which all facts are here: an author that was put back to a backup
   * says again what it said before, and may need the end of it from us.
   */
  private async keepFurther(word: Pick<Word, 'head' | 'certificate'>): Promise<void> {
    const { stream, seq } = word.head;
    const known = this.heldWord(stream) ?? (await this.keptWord(stream));
    if (known === undefined || known.head.seq < seq) await this.keep(word, 'before-facts');
  }

  /** As it was kept, of a stream that nobody has asked about since we began. With nothing of a stream here, no word on it holds. */
  private async keptWord(stream: StreamName): Promise<Word | undefined> {
    if (this.parts.heads.seqOf(stream) < 0) return undefined;
    const kept = await this.parts.store.bookmark(bookmarkOf(stream));
    const word = kept === undefined ? undefined : readWord(kept);
    return word !== undefined && this.holds(word) ? word : undefined;
  }

  private authors(): ReadonlySet<SiteId> {
    return new Set([...this.words.keys()].map(siteOfStream));
  }

  private passOn(peer: SiteId, author: SiteId): void {
    if (this.parts.hears(peer, author)) return;
    const streams = [...this.words.keys()].filter((stream) => siteOfStream(stream) === author).slice(-LINK_LIST_MAX);
    const words = streams
      .flatMap((stream) => this.heldWord(stream) ?? [])
      .filter((word) => this.told.isNewTo(peer, word) && isSigned(this.parts.signatures, word));
    for (const [certificate, some] of Map.groupBy(words, (word) => word.certificate))
      this.parts.send(peer, { type: 'heads', site: author, certificate, heads: some.map(({ head }) => head) });
  }

  private sendOwn(to: readonly SiteId[], heads: readonly Head[]): void {
    const { site, send } = this.parts;
    for (const word of this.signed(heads)) for (const peer of to) send(peer, { type: 'heads', site, ...word });
  }

  private signed(heads: readonly Head[]): readonly AuthorsWord[] {
    const signed = heads.map((head) => ({ head, ...this.sign(head) }));
    const byCertificate = Map.groupBy(signed, ({ certificate }) => certificate);
    return [...byCertificate].map(([certificate, some]) => ({
      certificate,
      heads: some.map(({ head, signature }) => ({ ...head, signature })),
    }));
  }

  private sign(head: Head): Signed {
    const known = this.signatures.get(head.hash);
    if (known !== undefined) return known;
    const signed = this.parts.signatures.sign(textOfHead(head));
    this.signatures.set(head.hash, signed);
    if (this.signatures.size > SIGNATURES_KEPT) this.signatures.delete(this.signatures.keys().next().value!);
    return signed;
  }
}

/** Whether these facts, in order, lead to the head, each naming the one before it, and each is what its hash says. */
const isChainTo = (head: Head, facts: readonly Fact[]): boolean =>
  facts.at(-1)?.hash === head.hash && facts.every((fact, i) => (i === 0 || fact.prev === facts[i - 1]!.hash) && verify(fact, sha256));

/** As many as go into one message. */
const firstOf = (story: readonly Fact[]): readonly Fact[] => {
  let bytes = 0;
  const end = story.findIndex((fact, i) => {
    bytes += JSON.stringify(fact).length;
    return i === BATCH_FACTS || (i > 0 && bytes > BATCH_BYTES);
  });
  return end === -1 ? story : story.slice(0, end);
};

/** A word as it was kept; undefined if it cannot be read: then its author will say it again. */
const readWord = (kept: string): Word | undefined => {
  try {
    const parsed = brainMessage.safeParse({ type: 'relayed', facts: [], ...(JSON.parse(kept) as object) });
    return parsed.data?.type === 'relayed'
      ? { head: parsed.data.head, certificate: parsed.data.certificate, from: undefined, isKept: true }
      : undefined;
  } catch {
    return undefined;
  }
};

const bookmarkOf = (stream: StreamName): string => `word:${stream}`;

const isSigned = (signatures: Signatures, { head, certificate }: Pick<Word, 'head' | 'certificate'>): boolean =>
  signatures.verify(siteOfStream(head.stream), textOfHead(head), { signature: head.signature, certificate });

const sha256 = (text: string): string => hash('sha256', text);
