import { siteOfStream, type SiteId, type StreamName } from '@isthmus/kernel';
import type { Heads } from './heads.js';

interface Want {
  /** Who says that they hold more than is here, and up to which seq; without end for another story than ours. The first that is there is asked. */
  readonly holders: Map<SiteId, number>;
  /** How often the one that is asked now has not answered. */
  times: number;
}

/** Streams that are asked for at once. */
const STREAMS_AT_ONCE = 16;
/** Whoever does not answer is asked again after so many seconds. */
const PATIENCE_TICKS = 3;
/** Whoever says that they hold what we lost, and cannot show it, is asked so often. */
const TIMES_ASKED_MAX = 5;

/**
 * What is lacking here of streams that others hold, and who is asked for it: one at a time, and the next one when that one is
 * gone, has nothing more or does not answer. Nobody says twice what they hold while they are there, so all who said it are
 * kept in mind. What we wrote and lost ourselves waits also for those who are away.
 */
export class Wants {
  private readonly wants = new Map<StreamName, Want>();
  private readonly asked = new Map<StreamName, { readonly of: SiteId; ticks: number }>();

  constructor(
    private readonly site: SiteId,
    private readonly heads: Heads,
  ) {}

  has(stream: StreamName): boolean {
    return this.wants.has(stream);
  }

  /** Somebody says that they hold a stream up to this seq. */
  add(stream: StreamName, holder: SiteId, upTo: number): void {
    if (this.heads.seqOf(stream) >= upTo) return;
    const want = this.wants.get(stream) ?? { holders: new Map<SiteId, number>(), times: 0 };
    this.wants.set(stream, want);
    want.holders.set(holder, upTo);
  }

  /** What one of them had of it is here now. */
  came(stream: StreamName, from: SiteId): void {
    if (this.isOurs(stream)) this.drop(stream, from);
    else this.prune(stream);
  }

  /** One of them answered with what cannot be true. */
  drop(stream: StreamName, holder: SiteId): void {
    const want = this.wants.get(stream);
    if (want === undefined) return;
    want.holders.delete(holder);
    want.times = 0;
    this.prune(stream);
  }

  /** An answer has come, whatever it is worth. */
  answered(stream: StreamName): void {
    this.asked.delete(stream);
  }

  /** Every second. */
  tick(): void {
    for (const [stream, asked] of [...this.asked]) {
      if (++asked.ticks < PATIENCE_TICKS) continue;
      this.asked.delete(stream);
      this.passOver(stream, asked.of);
    }
  }

  /** Whom to ask for what now; they count as asked. What nobody who is there holds is no longer wanted, unless we lost it. */
  next(peers: ReadonlySet<SiteId>): ReadonlyMap<SiteId, readonly StreamName[]> {
    const open: { readonly stream: StreamName; readonly of: SiteId }[] = [];
    for (const [stream, { holders }] of [...this.wants]) {
      if (!this.isOurs(stream)) for (const holder of [...holders.keys()]) if (!peers.has(holder)) holders.delete(holder);
      if (!this.prune(stream) || this.asked.has(stream)) continue;
      const of = [...holders.keys()].find((holder) => peers.has(holder));
      if (of !== undefined) open.push({ stream, of });
    }
    const next = open.slice(0, Math.max(0, STREAMS_AT_ONCE - this.asked.size));
    for (const { stream, of } of next) this.asked.set(stream, { of, ticks: 0 });
    const byHolder = Map.groupBy(next, ({ of }) => of);
    return new Map([...byHolder].map(([of, some]) => [of, some.map(({ stream }) => stream)]));
  }

  private isOurs(stream: StreamName): boolean {
    return siteOfStream(stream) === this.site;
  }

  /** Whoever has not answered is asked after the others; of what we lost, only when it is plain that they cannot show it. */
  private passOver(stream: StreamName, holder: SiteId): void {
    const want = this.wants.get(stream);
    const upTo = want?.holders.get(holder);
    if (want === undefined || upTo === undefined) return;
    if (this.isOurs(stream)) {
      if (++want.times >= TIMES_ASKED_MAX) this.drop(stream, holder);
      return;
    }
    want.holders.delete(holder);
    want.holders.set(holder, upTo);
  }

  /** True if something of the stream is still wanted. */
  private prune(stream: StreamName): boolean {
    const want = this.wants.get(stream);
    if (want === undefined) return false;
    for (const [holder, upTo] of want.holders) if (this.heads.seqOf(stream) >= upTo) want.holders.delete(holder);
    return want.holders.size > 0 || !this.wants.delete(stream);
  }
}
