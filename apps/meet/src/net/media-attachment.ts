import type { LegId } from '@isthmus/conference';
import type { ClientToMedia, ConsumerOffer, MediaToClient, Opaque, Source, TransportOffer } from '@isthmus/protocol';
import type { Device, types } from 'mediasoup-client';
import { doorsOf, type Door } from './doors.js';
import type { DtlsIdentity } from './dtls-identity.js';
import { Publisher, type WatchedLayers } from './publisher.js';
import { granted, RequestSocket, type OpenSocket } from './request-socket.js';
import type { Seat, Wanted } from './media-session.js';
import { readMediaMessage } from './wire.js';

/** The live tracks of everybody else, by leg and source. */
export type Streams = ReadonlyMap<LegId, Readonly<Partial<Record<Source, MediaStreamTrack>>>>;

export interface AttachmentOptions {
  readonly device: Device;
  readonly identity: DtlsIdentity | null;
  readonly openSocket?: OpenSocket | undefined;
  readonly traceparent?: string | undefined;
  readonly mark?: ((moment: string) => void) | undefined;
  readonly onStreams: (streams: Streams) => void;
  readonly onMessage: (message: MediaToClient) => void;
  /** Attached; or, `through`, something got through to the node: the first time, or again after `onShaky`. */
  readonly onGood: (through: boolean) => void;
  /** Nothing has ever got through to the node, where it should by now: {@link BLOCKED_AFTER_MS} after it was begun, or by the browser's word. */
  readonly onBlocked: (doors: readonly Door[]) => void;
  /** The path under the media is in doubt; a restart of ICE is under way. */
  readonly onShaky: () => void;
  /** Beyond repair; not called after {@link Attachment.close}. */
  readonly onLost: () => void;
}

/** ICE may recover by itself from `disconnected` (RFC 7675 consent, WebRTC §5.6.4); we help after this long. */
const RESTART_ICE_AFTER_MS = 1_500;
/** And attach anew when the restart did not help in this time. */
const GIVE_UP_AFTER_MS = 6_000;
/** A first path to a node that can be reached takes a second or two even over a poor network; browsers themselves give up after 5 to 30 s. */
export const BLOCKED_AFTER_MS = 8_000;

/** Our own camera waits so long at most for what others show (ADR 0095). */
const PUBLISH_AFTER_MS = 500;

type Direction = 'send' | 'receive';
// mediasoup's and mediasoup-client's own shapes travel opaque; each checks what it is given.
const as = <T>(value: unknown): T => value as T;

/** One WebSocket to a media node, with the two transports that belong to it. It lives once; the session makes another. */
export class Attachment {
  readonly #socket: RequestSocket<ClientToMedia, MediaToClient>;
  readonly #consumers = new Map<string, { readonly consumer: types.Consumer; readonly leg: LegId; readonly source: Source }>();
  readonly #transports: Partial<Record<Direction, types.Transport>> = {};
  readonly #timers: Partial<Record<Direction, ReturnType<typeof setTimeout>>> = {};
  /** Offers of the first answer that the node has not been told to start yet. */
  #unready: string[] = [];
  /** The node knows our certificate since we attached. */
  #connected = false;
  /** Where media would get in. */
  #doors: readonly Door[] = [];
  #through = false;
  #blockedTimer: ReturnType<typeof setTimeout> | undefined;
  #publisher: Publisher | null = null;
  #wanted: Readonly<Record<Source, Wanted>> | null = null;
  #layers: WatchedLayers = { large: true, small: true };
  #lastCount = { lost: 0, received: 0 };
  #retired = false;
  #closed = false;

  constructor(
    private readonly seat: Seat,
    private readonly options: AttachmentOptions,
  ) {
    this.#socket = new RequestSocket<ClientToMedia, MediaToClient>({
      url: seat.url,
      read: readMediaMessage,
      openSocket: options.openSocket,
      onOpen: () => {
        options.mark?.('media-open');
        this.#attach().catch(() => this.#lose());
      },
      onMessage: (message) => this.#hear(message),
      onLost: () => this.#lose(),
    });
    this.#watch('receive', GIVE_UP_AFTER_MS);
  }

  send(wanted: Readonly<Record<Source, Wanted>>): void {
    this.#wanted = wanted;
    this.#publisher?.send(wanted);
  }

  /** Whether it ever had something to show. */
  get everGood(): boolean {
    return this.#transports.receive !== undefined;
  }

  async lossReceived(): Promise<number | null> {
    const stats = await this.#transports.receive?.getStats();
    if (stats === undefined) return null;
    let lost = 0;
    let received = 0;
    for (const entry of stats.values() as Iterable<{ type: string; packetsLost?: number; packetsReceived?: number }>) {
      if (entry.type !== 'inbound-rtp') continue;
      lost += entry.packetsLost ?? 0;
      received += entry.packetsReceived ?? 0;
    }
    const newlyLost = Math.max(0, lost - this.#lastCount.lost);
    const all = newlyLost + Math.max(0, received - this.#lastCount.received);
    this.#lastCount = { lost, received };
    return all < 50 ? null : newlyLost / all;
  }

  /** Says and hears nothing any more, but what flows may flow on (or stand still) until the next attachment takes over. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    for (const timer of [...Object.values(this.#timers), this.#blockedTimer]) clearTimeout(timer);
    this.#publisher?.close();
    this.#socket.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.retire();
    this.#transports.send?.close();
    this.#transports.receive?.close();
  }

  async #attach(): Promise<void> {
    const { device, identity, traceparent, mark } = this.options;
    const answer = await this.#socket.request({
      type: 'attach',
      leg: this.seat.leg,
      token: this.seat.token,
      rtpCapabilities: as<Opaque>(device.recvRtpCapabilities),
      ...(identity === null ? {} : { dtlsParameters: as<Opaque>(identity.dtlsParameters) }),
      ...(traceparent === undefined ? {} : { traceparent }),
    });
    if (this.#retired) return;
    const attached = granted(answer, 'attached');
    mark?.('attached');
    clearTimeout(this.#timers.receive);
    this.#connected = attached.connected === true;
    this.#doors = doorsOf(attached.receive);
    const optionsOf = (offer: TransportOffer): types.TransportOptions => ({
      ...transportOptions(offer),
      ...(identity === null ? {} : { additionalSettings: { certificates: [identity.certificate] } }),
    });
    this.#transports.receive = this.#prepare('receive', device.createRecvTransport(optionsOf(attached.receive)));
    // What others show comes first: that is what the click waits for. Our own camera follows on its own transport.
    await this.#consume(attached.consumers, true);
    if (this.#retired) return;
    this.options.onGood(false);
    await this.#receiving(attached.consumers.length > 0);
    if (this.#retired) return;
    const send = this.#prepare('send', device.createSendTransport(optionsOf(attached.send)));
    this.#transports.send = send;
    this.#publisher = new Publisher(send, (source, action) => this.#tell(source, action), mark);
    this.#publisher.useLayers(this.#layers);
    if (this.#wanted !== null) this.#publisher.send(this.#wanted);
  }

  /** Resolves when media can come in, or after so long: setting up a camera takes the browser long, in which it answers nobody. */
  async #receiving(expected: boolean): Promise<void> {
    const receive = this.#transports.receive;
    if (!expected || receive === undefined || receive.connectionState === 'connected') return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, PUBLISH_AFTER_MS);
      receive.on('connectionstatechange', (state) => {
        if (state !== 'connected') return;
        clearTimeout(late);
        resolve();
      });
    });
  }

  #prepare(direction: Direction, transport: types.Transport): types.Transport {
    transport.on('connect', ({ dtlsParameters }, done) => {
      // Not at the state `connecting`: a browser without a single pair of addresses to try stays at `new`.
      if (!this.#through) this.#blockedTimer ??= setTimeout(() => this.options.onBlocked(this.#doors), BLOCKED_AFTER_MS);
      if (!this.#connected) {
        this.#socket
          .request({ type: 'connect', transport: direction, dtlsParameters: as<Opaque>(dtlsParameters) })
          .then((answer) => granted(answer, 'ok'))
          .catch(() => this.#lose());
      }
      if (direction === 'receive') this.#ready(this.#unready.splice(0));
      // mediasoup-client would wait for the answer before it starts ICE. ICE needs none, and a first DTLS flight that
      // comes too early is repeated after 50 ms, so the two go side by side.
      done();
    });
    transport.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      this.#socket
        .request({ type: 'produce', source: appData.source as Source, kind, rtpParameters: as<Opaque>(rtpParameters) })
        .then((answer) => granted(answer, 'produced'))
        .then(({ producerId }) => done({ id: producerId }), failed);
    });
    transport.on('connectionstatechange', (state) => this.#judge(direction, state));
    return transport;
  }

  #judge(direction: Direction, state: types.ConnectionState): void {
    if (this.#retired) return;
    if (state === 'connected') {
      this.#through = true;
      clearTimeout(this.#blockedTimer);
      clearTimeout(this.#timers[direction]);
      if (direction === 'receive') this.options.mark?.('receive-connected');
      this.options.onGood(true);
    } else if (state === 'disconnected') {
      if (this.#through) this.options.onShaky();
      clearTimeout(this.#timers[direction]);
      this.#timers[direction] = setTimeout(() => this.#restartIce(direction), RESTART_ICE_AFTER_MS);
    } else if (state === 'failed') {
      if (this.#through) this.options.onShaky();
      else this.options.onBlocked(this.#doors);
      this.#restartIce(direction);
    }
  }

  #restartIce(direction: Direction): void {
    this.#watch(direction, GIVE_UP_AFTER_MS);
    this.#socket
      .request({ type: 'restart-ice', transport: direction })
      .then((answer) => this.#transports[direction]?.restartIce({ iceParameters: as(granted(answer, 'restarted').iceParameters) }))
      .catch(() => this.#lose());
  }

  #watch(direction: Direction, ms: number): void {
    clearTimeout(this.#timers[direction]);
    this.#timers[direction] = setTimeout(() => this.#lose(), ms);
  }

  #hear(message: MediaToClient): void {
    if (message.type === 'consume') {
      this.#consume(message.consumers, false).catch((reason: unknown) =>
        this.#ifAlive(() => console.warn('Isthmus: a stream could not be received.', reason)),
      );
    } else if (message.type === 'closed') {
      for (const id of message.consumers) {
        this.#consumers.get(id)?.consumer.close();
        this.#consumers.delete(id);
      }
      this.#publishStreams();
    } else if (message.type === 'layers') {
      this.#layers = message;
      this.#publisher?.useLayers(message);
    }
    this.options.onMessage(message);
  }

  async #consume(offers: readonly ConsumerOffer[], first: boolean): Promise<void> {
    const transport = this.#transports.receive;
    if (transport === undefined) return;
    // The first time nothing can flow before ICE and DTLS are through, so "ready" goes right behind "connect", which must not
    // wait behind it: a node that does not know our fingerprint yet drops our first DTLS flight. Later "ready" must wait: a
    // key frame that comes before we know its stream is lost.
    if (first) this.#unready = offers.map(({ id }) => id);
    if (this.#connected) this.#ready(this.#unready.splice(0));
    // mediasoup-client joins what is asked for in one turn into one negotiation, so all are asked for before any is awaited.
    const results = await Promise.allSettled(
      offers.map(async (offer) => {
        const { id, producerId, kind } = offer;
        const consumer = await transport.consume({ id, producerId, kind, rtpParameters: as(offer.rtpParameters) });
        this.#consumers.set(id, { consumer, leg: offer.leg, source: offer.source });
        return id;
      }),
    );
    if (this.#retired) return;
    this.options.mark?.('consumers-ready');
    for (const result of results) {
      if (result.status === 'rejected') console.warn('Isthmus: a stream could not be received.', result.reason);
    }
    this.#ready(first ? this.#unready.splice(0) : results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
    this.#publishStreams();
  }

  #ready(consumers: string[]): void {
    if (consumers.length === 0) return;
    this.#socket
      .request({ type: 'ready', consumers })
      .then((answer) => granted(answer, 'ok'))
      .catch((reason: unknown) => this.#ifAlive(() => console.warn('Isthmus: streams were not started.', reason)));
  }

  #publishStreams(): void {
    const streams = new Map<LegId, Partial<Record<Source, MediaStreamTrack>>>();
    for (const { consumer, leg, source } of this.#consumers.values()) {
      streams.set(leg, { ...streams.get(leg), [source]: consumer.track });
    }
    this.options.onStreams(streams);
  }

  async #tell(source: Source, action: 'pause' | 'resume'): Promise<void> {
    granted(await this.#socket.request({ type: action, source }), 'ok');
  }

  #lose(): void {
    this.#ifAlive(() => this.options.onLost());
  }

  #ifAlive(act: () => void): void {
    if (!this.#retired) act();
  }
}

const transportOptions = (offer: TransportOffer): types.TransportOptions => ({
  id: offer.id,
  iceParameters: as(offer.iceParameters),
  iceCandidates: as(offer.iceCandidates),
  dtlsParameters: as(offer.dtlsParameters),
});
