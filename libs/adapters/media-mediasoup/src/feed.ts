import type { types } from 'mediasoup';
import type { Opaque } from '@isthmus/protocol';
import { unlessGone } from './errors.js';
import type { Layer } from './stream.js';

/** One stream on its way out of this node: to a viewer, or into a crossing. */
export interface Feed {
  readonly id: string;
  readonly streamId: string;
  readonly kind: 'audio' | 'video';
  readonly rtpParameters: Opaque;
  readonly open: boolean;
  readonly closed: boolean;
  /** The layer that leaves now; undefined while none does. */
  readonly layer: Layer | undefined;
  /** What was asked for by {@link prefer}; undefined for a stream of one layer. */
  readonly preferred: Layer | undefined;
  /** 0 (all lost) to 10, by what the receiver reports; 10 before it has. */
  readonly quality: number;
  /** Lets packets flow, beginning with a key frame, or stops them. */
  gate(open: boolean): Promise<void>;
  /** Which layer to send when both arrive; the lower one is sent as long as the wanted one does not. */
  prefer(layer: Layer): Promise<void>;
  requestKeyFrame(): Promise<void>;
  /** Resolves when a key frame begins to leave, or after `withinMs`. */
  keyFrame(withinMs: number): Promise<boolean>;
  /** The stream behind it is gone, or the feed was closed. */
  onClosed(handle: () => void): void;
  /** RTP bytes sent so far, headers and retransmissions included. */
  bytes(): Promise<number>;
  close(): void;
}

export class MediasoupFeed implements Feed {
  private currentLayer: Layer | undefined;
  private score = 10;

  constructor(
    private readonly consumer: types.Consumer,
    public preferred: Layer | undefined,
  ) {
    consumer.on('layerschange', (layers) => (this.currentLayer = layers && (layers.spatialLayer > 0 ? 1 : 0)));
    consumer.on('score', ({ score }) => (this.score = score));
  }

  get id(): string {
    return this.consumer.id;
  }

  get streamId(): string {
    return this.consumer.producerId;
  }

  get kind(): 'audio' | 'video' {
    return this.consumer.kind;
  }

  get rtpParameters(): Opaque {
    return this.consumer.rtpParameters;
  }

  get open(): boolean {
    return !this.consumer.paused;
  }

  get closed(): boolean {
    return this.consumer.closed;
  }

  get layer(): Layer | undefined {
    return this.currentLayer;
  }

  get quality(): number {
    return this.score;
  }

  async gate(open: boolean): Promise<void> {
    if (this.consumer.closed || this.consumer.paused === !open) return;
    await unlessGone(open ? this.consumer.resume() : this.consumer.pause());
  }

  async prefer(layer: Layer): Promise<void> {
    if (this.consumer.closed || this.consumer.type !== 'simulcast' || this.preferred === layer) return;
    this.preferred = layer;
    await unlessGone(this.consumer.setPreferredLayers({ spatialLayer: layer }));
  }

  async requestKeyFrame(): Promise<void> {
    if (!this.consumer.closed && this.kind === 'video') await unlessGone(this.consumer.requestKeyFrame());
  }

  async keyFrame(withinMs: number): Promise<boolean> {
    if (this.consumer.closed) return false;
    await unlessGone(this.consumer.enableTraceEvent(['keyframe']));
    const began = await new Promise<boolean>((resolve) => {
      const settle = (seen: boolean) => {
        clearTimeout(timer);
        this.consumer.off('trace', onTrace);
        resolve(seen);
      };
      const onTrace = () => settle(true);
      const timer = setTimeout(() => settle(false), withinMs);
      this.consumer.on('trace', onTrace);
    });
    if (!this.consumer.closed) await unlessGone(this.consumer.enableTraceEvent([]));
    return began;
  }

  onClosed(handle: () => void): void {
    this.consumer.observer.once('close', handle);
  }

  async bytes(): Promise<number> {
    const stats = await this.consumer.getStats();
    return stats.reduce((sum, stat) => sum + (stat.type === 'outbound-rtp' ? stat.byteCount : 0), 0);
  }

  close(): void {
    this.consumer.close();
  }
}
