import type { types } from 'mediasoup';
import { unlessGone } from './errors.js';

/** Which of a camera's two encodings: 0 the thumbnail, 1 the large picture. */
export type Layer = 0 | 1;

/** One microphone or camera as it arrives at this node, from its owner or over a crossing. */
export interface Stream {
  readonly id: string;
  readonly kind: 'audio' | 'video';
  /** 2: thumbnail and large picture. 1: a single encoding, which then is both. */
  readonly layers: 1 | 2;
  readonly closed: boolean;
  /** Packets of that layer are arriving (or did until 1.5 s ago; a single encoding always counts as arriving). */
  live(layer: Layer): boolean;
  /** Called when a layer begins or ceases to arrive. */
  onLive(handle: () => void): void;
  onClosed(handle: () => void): void;
  /** Lets nothing of it through to anyone, or lets it again. */
  gate(open: boolean): Promise<void>;
  /** RTP bytes received so far, headers included. */
  bytes(): Promise<number>;
  close(): void;
}

export class MediasoupStream implements Stream {
  readonly layers: 1 | 2;
  private readonly liveLayers: [boolean, boolean];
  private liveHandlers: (() => void)[] = [];

  constructor(private readonly producer: types.Producer) {
    // Asked for at every turn; mediasoup copies all parameters whenever it is asked for them.
    this.layers = producer.type === 'simulcast' && (producer.rtpParameters.encodings?.length ?? 1) > 1 ? 2 : 1;
    this.liveLayers = [this.layers === 1, this.layers === 1];
    producer.on('score', (scores) => this.scored(scores));
  }

  get id(): string {
    return this.producer.id;
  }

  get kind(): 'audio' | 'video' {
    return this.producer.kind;
  }

  get closed(): boolean {
    return this.producer.closed;
  }

  live(layer: Layer): boolean {
    return this.liveLayers[layer];
  }

  onLive(handle: () => void): void {
    this.liveHandlers.push(handle);
  }

  onClosed(handle: () => void): void {
    this.producer.observer.once('close', handle);
  }

  async gate(open: boolean): Promise<void> {
    if (this.producer.closed || this.producer.paused === !open) return;
    await unlessGone(open ? this.producer.resume() : this.producer.pause());
  }

  async bytes(): Promise<number> {
    const stats = await this.producer.getStats();
    return stats.reduce((sum, { byteCount }) => sum + byteCount, 0);
  }

  close(): void {
    this.liveHandlers = [];
    this.producer.close();
  }

  private scored(scores: types.ProducerScore[]): void {
    if (this.layers === 1) return;
    let changed = false;
    for (const { encodingIdx, score } of scores) {
      if (encodingIdx > 1) continue;
      const layer = encodingIdx as Layer;
      if (this.liveLayers[layer] === score > 0) continue;
      this.liveLayers[layer] = score > 0;
      changed = true;
    }
    if (changed) for (const handle of this.liveHandlers) handle();
  }
}
