import type { LegId } from '@isthmus/conference';
import { Refusal } from '@isthmus/kernel';
import type { ClientTransport, MediaRoom } from '@isthmus/media-mediasoup';
import type { LegDesire } from '@isthmus/placement';
import type { ConsumerOffer, MediaToClient, Opaque, Source, TransportOffer } from '@isthmus/protocol';
import { Publisher } from './publisher.js';
import type { Streams } from './streams.js';
import { Viewer } from './viewer.js';

/** What a client says of itself when it attaches. */
export interface ClientMedia {
  readonly rtpCapabilities: Opaque;
  /** Under which certificate it will come, if it knows. */
  readonly dtlsParameters?: Opaque | undefined;
}

export interface SeatOptions {
  readonly leg: LegId;
  readonly room: MediaRoom;
  readonly streams: Streams;
  readonly client: ClientMedia;
  /** To this client, for as long as it is attached. */
  readonly tell: (message: MediaToClient) => void;
  readonly now: () => number;
}

export interface Attached {
  readonly send: TransportOffer;
  readonly receive: TransportOffer;
  readonly consumers: readonly ConsumerOffer[];
  readonly connected: boolean;
}

/** A leg whose client is attached: its two transports, what it publishes and what it is shown. */
export class Seat {
  private closed = false;

  private constructor(
    private readonly options: SeatOptions,
    private readonly send: ClientTransport,
    private readonly receive: ClientTransport,
    private readonly publisher: Publisher,
    private readonly viewer: Viewer,
  ) {}

  static async open(options: SeatOptions): Promise<Seat> {
    const { leg, room, streams, client, tell, now } = options;
    const [send, receive] = await Promise.all([room.clientTransport(), room.clientTransport()]);
    const publisher = new Publisher(leg, send, streams, (layers) => tell({ type: 'layers', ...layers }), now);
    const handlers = {
      offered: (consumers: readonly ConsumerOffer[]) => tell({ type: 'consume', consumers }),
      closed: (consumers: readonly string[]) => tell({ type: 'closed', consumers }),
    };
    return new Seat(options, send, receive, publisher, new Viewer(receive, client.rtpCapabilities, handlers, now));
  }

  async begin(desire: LegDesire): Promise<Attached> {
    const { streams, client } = this.options;
    const { dtlsParameters } = client;
    const [consumers] = await Promise.all([
      this.viewer.begin(desire, streams),
      ...(dtlsParameters === undefined ? [] : [this.send.connect(dtlsParameters), this.receive.connect(dtlsParameters)]),
    ]);
    return { send: this.send.offer, receive: this.receive.offer, consumers, connected: dtlsParameters !== undefined };
  }

  async connect(transport: 'send' | 'receive', dtlsParameters: Opaque): Promise<void> {
    await this.transport(transport).connect(dtlsParameters);
  }

  async restartIce(transport: 'send' | 'receive'): Promise<Opaque> {
    return this.transport(transport).restartIce();
  }

  async produce(source: Source, kind: 'audio' | 'video', rtpParameters: Opaque, desire: LegDesire): Promise<string> {
    return (await this.publisher.produce(source, kind, rtpParameters, desire)).id;
  }

  pause(source: Source, paused: boolean, desire: LegDesire): Promise<void> {
    return this.publisher.pause(source, paused, desire);
  }

  ready(consumers: readonly string[]): Promise<void> {
    return this.viewer.ready(consumers);
  }

  /** Its owner begins to speak. */
  warm(desire: LegDesire): void {
    this.publisher.warm(desire);
  }

  tell(message: MediaToClient): void {
    if (!this.closed) this.options.tell(message);
  }

  /** True if something should be looked at again soon. */
  async reconcile(desire: LegDesire): Promise<boolean> {
    if (this.closed || this.receive.closed) return false;
    const [unsettled] = await Promise.all([this.viewer.reconcile(desire, this.options.streams), this.publisher.reconcile(desire)]);
    return unsettled;
  }

  /** Quiet the second time. `reason` is what its client is told. */
  close(reason?: string): void {
    if (this.closed) return;
    if (reason !== undefined) this.options.tell({ type: 'ended', reason });
    this.closed = true;
    this.send.close();
    this.receive.close();
  }

  private transport(which: 'send' | 'receive'): ClientTransport {
    if (this.closed) throw new Refusal('media.not-attached', 'This seat was attached elsewhere, or is gone.');
    return which === 'send' ? this.send : this.receive;
  }
}
