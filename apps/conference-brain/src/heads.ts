import { epochOf, siteOfStream, writerOf, type FactHash, type Head, type SiteId, type StreamName } from '@isthmus/kernel';

/** How far each stream goes that this site has durable, most recently written last. Of a forked stream: the story that was here first. */
export class Heads {
  private readonly bySite = new Map<SiteId, Map<StreamName, { readonly seq: number; readonly hash: FactHash }>>();

  /** Takes facts that are durable here. */
  keep(facts: readonly Head[]): void {
    for (const { stream, seq, hash } of facts) {
      const site = siteOfStream(stream);
      const streams = this.bySite.get(site) ?? new Map<StreamName, { seq: number; hash: FactHash }>();
      this.bySite.set(site, streams);
      if ((streams.get(stream)?.seq ?? -1) >= seq) continue;
      streams.delete(stream); // So that it goes to the end.
      streams.set(stream, { seq, hash });
    }
  }

  /** The last seq of a stream that is here; -1 if nothing of it is. */
  seqOf(stream: StreamName): number {
    return this.bySite.get(siteOfStream(stream))?.get(stream)?.seq ?? -1;
  }

  headOf(stream: StreamName): Head | undefined {
    const head = this.bySite.get(siteOfStream(stream))?.get(stream);
    return head && { stream, ...head };
  }

  sites(): readonly SiteId[] {
    return [...this.bySite.keys()];
  }

  /** Heads of what a site wrote lately: at most so many, the most recently written last. */
  lately(site: SiteId, most: number): readonly Head[] {
    const streams = [...(this.bySite.get(site) ?? [])].map(([stream, { seq, hash }]) => ({ stream, seq, hash }));
    return streams.slice(-most);
  }

  /** Heads of all that a site wrote, in the order of their names: at most so many behind this one. */
  behind(site: SiteId, name: string, most: number): readonly Head[] {
    const behind = [...(this.bySite.get(site) ?? [])].filter(([stream]) => stream > name).sort(([a], [b]) => (a < b ? -1 : 1));
    return behind.slice(0, most).map(([stream, { seq, hash }]) => ({ stream, seq, hash }));
  }

  /** The last tenure of a site of which something is here; -1 if nothing is. */
  lastEpoch(site: SiteId): number {
    return [...(this.bySite.get(site)?.keys() ?? [])].reduce((last, stream) => Math.max(last, epochOf(writerOf(stream))), -1);
  }
}
