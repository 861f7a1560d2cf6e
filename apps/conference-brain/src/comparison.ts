import { epochOf, siteOfStream, writerOf, type Head, type SiteId, type StreamName } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';
import { LINK_LIST_MAX, type BrainMessage } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit/observing';
import type { Heads } from './heads.js';

type Yours = Extract<BrainMessage, { type: 'yours' }>;

export interface ComparisonParts {
  readonly site: SiteId;
  readonly store: EventStore;
  readonly heads: Heads;
  /** Peers hold what we wrote and do not have. */
  readonly lost: (peer: SiteId, lastEpoch: number, streams: readonly StreamName[]) => Promise<void>;
  /** A peer holds another story of one of our streams. */
  readonly forked: (peer: SiteId, lastEpoch: number, stream: StreamName) => Promise<void>;
  /** What of that is to be asked for; without end for another story than ours. */
  readonly takeBack: (peer: SiteId, streams: readonly { readonly stream: StreamName; readonly upTo: number }[]) => void;
  readonly poisoned: (peer: SiteId, what: string) => void;
  readonly send: (peer: SiteId, message: BrainMessage) => void;
}

/**
 * What a peer has of ours is ours too, or we have lost it, or somebody else wrote under our name (merge rule 4). It takes the store
 * to tell. While that is away the peer is not kept waiting, or the link with it: what it said last is looked at again until it is known.
 */
export class Comparison {
  private readonly said = new Map<SiteId, Yours>();
  private readonly comparing = new Set<SiteId>();
  private troubled = false;
  private readonly log = logOf('conference-brain');

  constructor(private readonly parts: ComparisonParts) {}

  /** How far streams of ours go at a peer. */
  heard(peer: SiteId, yours: Yours): void {
    this.said.set(peer, yours);
    void this.look(peer);
  }

  /** Every second: those that could not be compared are looked at again. */
  tick(): void {
    for (const peer of this.said.keys()) void this.look(peer);
  }

  private async look(peer: SiteId): Promise<void> {
    if (this.comparing.has(peer)) return;
    this.comparing.add(peer);
    try {
      for (let yours = this.said.get(peer); yours !== undefined; yours = this.said.get(peer)) {
        await this.compare(peer, yours);
        if (this.said.get(peer) === yours) this.said.delete(peer);
        this.troubled = false;
      }
    } catch (error) {
      if (!this.troubled)
        this.log.warn({ peer, error }, 'what a peer holds of this site could not be compared with what is here; it is tried again');
      this.troubled = true;
    } finally {
      this.comparing.delete(peer);
    }
  }

  private async compare(peer: SiteId, { heads: theirs, rest }: Yours): Promise<void> {
    const { site, lost: tellLost, forked: tellForked, takeBack, poisoned, send } = this.parts;
    const lost: Head[] = [];
    const forked: Head[] = [];
    for (const head of theirs) {
      if (siteOfStream(head.stream) !== site) return poisoned(peer, `${head.stream} as one of ours`);
      const ours = await this.hashesAt(head);
      if (ours.length === 0) lost.push(head);
      else if (!ours.includes(head.hash)) forked.push(head);
    }
    for (const { stream } of forked) await tellForked(peer, epochOf(writerOf(stream)), stream);
    if (lost.length > 0) {
      const streams = lost.map(({ stream }) => stream);
      await tellLost(peer, Math.max(...streams.map((stream) => epochOf(writerOf(stream)))), streams);
    }
    takeBack(peer, [
      ...lost.map(({ stream, seq }) => ({ stream, upTo: seq })),
      ...forked.map(({ stream }) => ({ stream, upTo: Infinity })),
    ]);
    const after =
      rest === true ? theirs.at(-1)?.stream : rest === undefined && lost.length > 0 && theirs.length === LINK_LIST_MAX ? '' : undefined;
    if (after !== undefined) send(peer, { type: 'mine', after });
  }

  private async hashesAt({ stream, seq }: Head): Promise<readonly string[]> {
    const known = this.parts.heads.headOf(stream);
    if (known?.seq === seq) return [known.hash];
    const hashes: string[] = [];
    for await (const fact of this.parts.store.read(stream, seq)) {
      if (fact.seq !== seq) break;
      hashes.push(fact.hash);
    }
    return hashes;
  }
}
