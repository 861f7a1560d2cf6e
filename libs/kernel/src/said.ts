import { epochOf, siteOf, writerOf, type Fact, type FactHash, type Head, type SiteId, type StreamName } from './fact.js';

/**
 * Who said something, where it stands among everything said, and what they could see when they said it.
 *
 * The place (`ms`, `step`) starts at the writer's own clock and is pushed behind everything that the writer had seen, so
 * effects follow causes however wrong the clocks are. Lamport's rule on physical time, after Kulkarni et al., "Logical
 * Physical Clocks" (2014), with one difference: the push is computed by whoever reads, not written down by whoever
 * observes, so a lying clock can neither drag an honest one along nor exhaust its counter.
 */
export interface Said {
  readonly hash: FactHash;
  readonly stream: StreamName;
  readonly site: SiteId;
  readonly epoch: number;
  readonly seq: number;
  /** Who acted: a leg, a person or `system`. */
  readonly by: string;
  readonly ms: number;
  readonly step: number;
  /** Names, within one timeline only, the writer's unbroken line of facts. A second line appears where a writer was cloned and both clones went on. */
  readonly chain: number;
  /** By chain: how far along it the writer could see. Shared between facts, never changed. */
  readonly sight: readonly number[];
}

/** Whether whoever said `later` knew of `earlier`. The question that every rule about security asks. Both must come from one timeline. */
export const saw = (later: Said, earlier: Said): boolean =>
  later.chain === earlier.chain ? later.seq > earlier.seq : (later.sight[earlier.chain] ?? -1) >= earlier.seq;

/** Whether neither knew of the other: what happens on two sides of a split, or within one round trip. */
export const apart = (one: Said, other: Said): boolean => !saw(one, other) && !saw(other, one);

/** Any two facts have one order, and every site computes the same one (merge.md, "Order"). */
export const inOrder = (a: Said, b: Said): number =>
  a.ms - b.ms || a.step - b.step || compareText(a.site, b.site) || a.epoch - b.epoch || a.seq - b.seq || compareText(a.hash, b.hash);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const LAST_SANE_MS = 2 ** 48;
/** The step carries into the time, so that neither ever leaves the integers that a double holds exactly. */
const STEPS_PER_MS = 2 ** 20;
const FIRST_EPOCH_UNREADABLE = -1;

/** A clock may say anything, and NaN would break sorting. What cannot be a time counts as the beginning of time (merge rule 3). */
export const sane = (ms: number): number => (ms >= 0 && ms <= LAST_SANE_MS ? ms : 0);

/** A fact that has been given its place. A class, so that a million of them have one shape. */
export class Placed<Body> implements Said {
  readonly hash: FactHash;
  readonly stream: StreamName;
  readonly seq: number;
  readonly by: string;

  constructor(
    readonly fact: Fact,
    /** What the fact says, brought up to date; undefined if it says nothing to this version of the code. */
    readonly body: Body | undefined,
    readonly site: SiteId,
    readonly epoch: number,
    readonly ms: number,
    readonly step: number,
    readonly chain: number,
    readonly sight: readonly number[],
  ) {
    this.hash = fact.hash;
    this.stream = fact.stream;
    this.seq = fact.seq;
    this.by = fact.by;
  }

  get head(): Head {
    return { stream: this.stream, seq: this.seq, hash: this.hash };
  }
}

/** Site and epoch of a stream's writer; an epoch that is no number sorts first, so that a malformed name cannot break the order. */
export const authorOf = (stream: StreamName): { readonly site: SiteId; readonly epoch: number } => {
  const writer = writerOf(stream);
  const epoch = epochOf(writer);
  return { site: siteOf(writer), epoch: Number.isFinite(epoch) ? epoch : FIRST_EPOCH_UNREADABLE };
};

/** The earliest place for a fact whose writer's clock said `at` and who had seen these. */
export const placeAfter = (at: number, causes: readonly Said[]): { readonly ms: number; readonly step: number } => {
  let ms = sane(at);
  let step = 0;
  for (const cause of causes) {
    const carried = cause.step + 1 === STEPS_PER_MS;
    const nextMs = carried ? cause.ms + 1 : cause.ms;
    const nextStep = carried ? 0 : cause.step + 1;
    if (nextMs > ms || (nextMs === ms && nextStep > step)) {
      ms = nextMs;
      step = nextStep;
    }
  }
  return { ms, step };
};
