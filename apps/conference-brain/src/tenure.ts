import { writerIdOf, type SiteId, type StreamName } from '@isthmus/kernel';
import type { TroubleCode } from './troubles.js';
import type { Writer } from './writer.js';

export const FORKED =
  'One of the streams of this room has two stories: its site was cloned, or restored from a backup. Both are kept; look into that site.';

/** A site restored from a backup has begun so often since, and not more. */
const SKIPPED_MAX = 1_000;

/** Under which name this brain writes, and what makes it take another: that somebody wrote under this one (merge rule 4). */
export class Tenure {
  private beginning: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly writer: Writer,
    private readonly trouble: (code: TroubleCode, peer: SiteId, message: string) => void,
  ) {}

  /** Peers hold facts of ours that we do not have: this site was restored from a backup, or its disk lied. */
  async lostHistory(peer: SiteId, lastEpoch: number, streams: readonly StreamName[]): Promise<void> {
    if (!this.isCredible(peer, lastEpoch)) return;
    const what = `${peer} holds facts of ${streams.length} streams of this site that this site has lost: it was restored from an older state. It goes on under a new name and takes them back.`;
    this.trouble('history_lost', peer, what);
    await this.beginAfter(lastEpoch);
  }

  async forked(peer: SiteId, lastEpoch: number, stream: StreamName): Promise<void> {
    if (!this.isCredible(peer, lastEpoch)) return;
    this.trouble('stream_forked', this.writer.site, `${stream}, as ${peer} has it: ${FORKED}`);
    await this.beginAfter(lastEpoch);
  }

  private beginAfter(lastEpoch: number): Promise<void> {
    const turn = this.beginning.then(async () => {
      if (this.writer.epoch > lastEpoch) return;
      let epoch = await this.writer.store.beginEpoch();
      while (epoch <= lastEpoch) epoch = await this.writer.store.beginEpoch();
      this.writer.epoch = epoch;
      this.writer.id = writerIdOf(this.writer.site, epoch);
    });
    this.beginning = turn.catch(() => undefined);
    return turn;
  }

  private isCredible(peer: SiteId, lastEpoch: number): boolean {
    if (lastEpoch - this.writer.epoch <= SKIPPED_MAX) return true;
    this.trouble('peer_poison', peer, `${peer} says that this site has begun ${lastEpoch} times, which it cannot have.`);
    return false;
  }
}
