import { siteOfStream, type Fact, type SiteId, type StreamName } from '@isthmus/kernel';

/** An author that has been heard all this while, and has said nothing of such a fact, will not: its list of streams is too long for that. */
const OWED_FOR_TICKS = 4;

interface Waiting {
  readonly facts: Fact[];
  ticks: number;
}

/**
 * Facts that came from their author and are durable here, but of which the author has not said yet that its stream goes so far.
 * Until then nobody could be convinced of them, were the author gone, and what this site wrote having seen them would wait
 * everywhere else for a cause that nobody can give. So they are not folded before (ADR 0050).
 */
export class Unvouched {
  private readonly waiting = new Map<StreamName, Waiting>();

  /** @param wordOn up to which seq an author's word on a stream goes; -1 if it has said nothing */
  constructor(private readonly wordOn: (stream: StreamName) => number) {}

  /** Of facts that came from their author, those that count now; the others are kept. */
  sift(facts: readonly Fact[]): readonly Fact[] {
    return facts.filter((fact) => {
      if (fact.seq <= this.wordOn(fact.stream)) return true;
      const waiting = this.waiting.get(fact.stream);
      if (waiting === undefined) this.waiting.set(fact.stream, { facts: [fact], ticks: 0 });
      else waiting.facts.push(fact);
      return false;
    });
  }

  /** Those of which the word has come. */
  vouched(): readonly Fact[] {
    return [...this.waiting].flatMap(([stream, { facts }]) => {
      const word = this.wordOn(stream);
      const released = facts.filter(({ seq }) => seq <= word);
      if (released.length === facts.length) this.waiting.delete(stream);
      else if (released.length > 0) facts.splice(0, facts.length, ...facts.filter(({ seq }) => seq > word));
      return released;
    });
  }

  /** Every second: those that their author, which is heard, must be taken to have said without a word. */
  overdue(isHeard: (site: SiteId) => boolean): readonly Fact[] {
    return [...this.waiting].flatMap(([stream, waiting]) => {
      waiting.ticks = isHeard(siteOfStream(stream)) ? waiting.ticks + 1 : 0;
      if (waiting.ticks < OWED_FOR_TICKS) return [];
      this.waiting.delete(stream);
      return waiting.facts;
    });
  }
}
