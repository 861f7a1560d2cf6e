import type { LegId } from '@isthmus/conference';
import type { Stream } from '@isthmus/media-mediasoup';
import type { NodeId } from '@isthmus/placement';
import type { Source } from '@isthmus/protocol';

/** A microphone or camera that reaches this node, and how. */
export interface Arriving {
  readonly leg: LegId;
  readonly source: Source;
  /** `client`: its owner is attached here. Otherwise the node that sends it to us. */
  readonly from: 'client' | NodeId;
  /** When it came, monotonic ms. */
  readonly since: number;
  readonly stream: Stream;
}

/**
 * Everything that arrives here for one conference. While a leg moves between nodes its camera may arrive twice for a
 * moment; the newest counts, its owner's own before any node's.
 */
export class Streams {
  private readonly bySource = new Map<string, Arriving[]>();
  /** Another one whenever something has come or gone. */
  version = 0;

  /** `changed` is called whenever something arrives, ceases to, or a layer of it does. */
  constructor(private readonly changed: (arriving: Arriving) => void) {}

  get(leg: LegId, source: Source): Arriving | undefined {
    const all = this.bySource.get(keyOf(leg, source));
    return all?.findLast(({ from }) => from === 'client') ?? all?.at(-1);
  }

  add(arriving: Arriving): void {
    const key = keyOf(arriving.leg, arriving.source);
    const all = this.bySource.get(key);
    if (all) all.push(arriving);
    else this.bySource.set(key, [arriving]);
    this.version++;
    arriving.stream.onClosed(() => this.remove(key, arriving));
    arriving.stream.onLive(() => this.changed(arriving));
    this.changed(arriving);
  }

  *all(source?: Source): IterableIterator<Arriving> {
    for (const arrivals of this.bySource.values()) {
      const [first] = arrivals;
      const current = first && this.get(first.leg, first.source);
      if (current && (source === undefined || current.source === source)) yield current;
    }
  }

  private remove(key: string, arriving: Arriving): void {
    const left = this.bySource.get(key)?.filter((other) => other !== arriving) ?? [];
    if (left.length > 0) this.bySource.set(key, left);
    else this.bySource.delete(key);
    this.version++;
    this.changed(arriving);
  }
}

export const keyOf = (leg: LegId, source: Source): string => `${leg}/${source}`;
