import type { LegId } from '@isthmus/conference';
import { Refusal } from '@isthmus/kernel';
import type { ClientTransport, Stream } from '@isthmus/media-mediasoup';
import type { LegDesire } from '@isthmus/placement';
import type { Opaque, Source } from '@isthmus/protocol';
import type { Streams } from './streams.js';

const KIND_OF = { microphone: 'audio', camera: 'video' } as const satisfies Record<Source, 'audio' | 'video'>;
/** A camera that begins sends all its layers for so long: every layer's clock is then known before anybody waits for it (ADR 0006). */
const BEGINS_WITH_ALL_MS = 8_000;
/** A voice makes its owner's camera send the large picture before anyone has decided that it will be needed. */
const WARM_MS = 3_000;

/** Which layers its owner is asked to send. */
export interface Layers {
  readonly large: boolean;
  readonly small: boolean;
}

/** The sending side of one leg: its microphone and camera, what it may do with them, and which layers it need not send. */
export class Publisher {
  private readonly own = new Map<Source, Stream>();
  private readonly pausedByOwner = new Set<Source>();
  private told: Layers | undefined;
  private beginsUntil = 0;
  private warmUntil = 0;

  constructor(
    private readonly leg: LegId,
    private readonly transport: ClientTransport,
    private readonly streams: Streams,
    private readonly tell: (layers: Layers) => void,
    private readonly now: () => number,
  ) {}

  async produce(source: Source, kind: 'audio' | 'video', rtpParameters: Opaque, desire: LegDesire): Promise<Stream> {
    if (KIND_OF[source] !== kind) throw new Refusal('media.wrong-kind', `A ${source} sends ${KIND_OF[source]}, not ${kind}.`);
    this.own.get(source)?.close();
    this.own.delete(source);
    this.pausedByOwner.delete(source);
    const stream = await this.transport.produce(kind, rtpParameters, allowed(source, desire));
    this.own.set(source, stream);
    if (source === 'camera') {
      this.told = undefined;
      this.beginsUntil = this.now() + BEGINS_WITH_ALL_MS;
    }
    this.streams.add({ leg: this.leg, source, from: 'client', since: this.now(), stream });
    return stream;
  }

  async pause(source: Source, paused: boolean, desire: LegDesire): Promise<void> {
    const stream = this.own.get(source);
    if (!stream) throw new Refusal('media.unknown-source', `This client has no ${source} to ${paused ? 'pause' : 'resume'}.`);
    if (paused) this.pausedByOwner.add(source);
    else this.pausedByOwner.delete(source);
    await this.gate(source, stream, desire);
  }

  /** Its voice begins: have the large picture ready. */
  warm(desire: LegDesire): void {
    this.warmUntil = Math.max(this.warmUntil, this.now() + WARM_MS);
    this.tellLayers(desire);
  }

  async reconcile(desire: LegDesire): Promise<void> {
    this.tellLayers(desire);
    await Promise.all([...this.own].map(([source, stream]) => this.gate(source, stream, desire)));
  }

  private async gate(source: Source, stream: Stream, desire: LegDesire): Promise<void> {
    await stream.gate(allowed(source, desire) && !this.pausedByOwner.has(source));
  }

  private tellLayers({ watched }: LegDesire): void {
    const camera = this.own.get('camera');
    if (!camera || camera.closed) return;
    const begins = this.now() < this.beginsUntil;
    const layers = { large: watched.large || begins || this.now() < this.warmUntil, small: watched.small || begins };
    if (layers.large === this.told?.large && layers.small === this.told.small) return;
    this.told = layers;
    this.tell(layers);
  }
}

const allowed = (source: Source, { may }: LegDesire): boolean => (source === 'microphone' ? may.speak : may.show);
