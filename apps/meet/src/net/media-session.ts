import type { LegId } from '@isthmus/conference';
import type { MediaToClient, Source } from '@isthmus/protocol';
import type { Device } from 'mediasoup-client';
import { Backoff } from './backoff.js';
import type { Door } from './doors.js';
import type { DtlsIdentity } from './dtls-identity.js';
import { Attachment, type Streams } from './media-attachment.js';
import type { OpenSocket } from './request-socket.js';

/** Where and with what to attach: `joined.media` or `media` of the gateway-router. */
export interface Seat {
  readonly leg: LegId;
  readonly url: string;
  readonly token: string;
}

/** What this client wants to send from one source. `on: false` with a track keeps the stream ready but silent. */
export interface Wanted {
  readonly track: MediaStreamTrack | null;
  readonly on: boolean;
}

/** `blocked`: the seat is there, and no packet gets through between this browser and the node that holds it. */
export type MediaStatus = 'connecting' | 'good' | 'blocked' | 'reconnecting' | 'released';

export interface MediaSessionOptions {
  /** Loaded with the router's capabilities. */
  readonly device: Device;
  /** Under which certificate media come, if the browser lets one choose. */
  readonly identity?: DtlsIdentity | null;
  readonly openSocket?: OpenSocket;
  readonly backoff?: Backoff;
  readonly traceparent?: string;
  /** @param doors where media would have to get through, while they are `blocked` */
  readonly onStatus: (status: MediaStatus, doors: readonly Door[]) => void;
  /** All streams of the others, whole, whenever one comes or goes. */
  readonly onStreams: (streams: Streams) => void;
  readonly onSpeaking: (legs: readonly LegId[]) => void;
  readonly mark?: (moment: string) => void;
  /** Attaching failed this often in a row: perhaps the seat itself is gone, which only the gateway-router knows. */
  readonly onTrouble: (attempts: number) => void;
}

const NOTHING: Wanted = { track: null, on: false };

/**
 * This client's media for as long as it has a seat: attaches to the node that holds it, sends what is wanted, hands out
 * what comes, and attaches again whenever the socket or the path under it is lost.
 */
export class MediaSession {
  readonly #backoff: Backoff;
  #attachment: Attachment | null = null;
  #before: Attachment | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #seat: Seat;
  #wanted: Readonly<Record<Source, Wanted>> = { microphone: NOTHING, camera: NOTHING };
  #status: MediaStatus = 'connecting';
  /** Nothing has got through to these since we found that out. */
  #blocked: readonly Door[] | null = null;
  #closed = false;
  /** It was good once. */
  #joined = false;

  constructor(
    seat: Seat,
    private readonly options: MediaSessionOptions,
  ) {
    this.#backoff = options.backoff ?? new Backoff();
    this.#seat = seat;
    this.#attach();
  }

  get status(): MediaStatus {
    return this.#status;
  }

  /** The seat may be at another node now, or have a new token; media that still flows from the same node is left alone. */
  moveTo(seat: Seat): void {
    const same = seat.url === this.#seat.url && seat.leg === this.#seat.leg;
    const renewed = seat.token !== this.#seat.token;
    this.#seat = seat;
    if (this.#closed || (same && this.#status === 'good')) return;
    if (same && !renewed && this.#attachment !== null && this.#status !== 'released') return;
    this.#backoff.reset();
    this.#attach();
  }

  /** Says what to send from now on; the attachment makes it so. */
  send(source: Source, wanted: Wanted): void {
    this.#wanted = { ...this.#wanted, [source]: wanted };
    this.#attachment?.send(this.#wanted);
  }

  /** The network came back: do not wait for the next attempt. */
  retryNow(): void {
    if (this.#closed || this.#status === 'good' || this.#status === 'released') return;
    this.#backoff.reset();
    this.#attach();
  }

  /** Share of packets lost on the way here since the last call, 0 to 1; null while nothing is known. */
  async lossReceived(): Promise<number | null> {
    return (await this.#attachment?.lossReceived()) ?? null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#attachment?.close();
    this.#attachment = null;
    this.#before?.close();
    this.#before = null;
  }

  #attach(): void {
    clearTimeout(this.#timer);
    this.#retire();
    const attachment: Attachment = new Attachment(this.#seat, {
      device: this.options.device,
      identity: this.options.identity ?? null,
      openSocket: this.options.openSocket,
      // What comes after the join is not part of it.
      traceparent: this.#joined ? undefined : this.options.traceparent,
      mark: this.options.mark,
      onStreams: (streams) => this.#attachment === attachment && this.#show(streams),
      onMessage: (message) => this.#attachment === attachment && this.#hear(message),
      onGood: (through) => this.#attachment === attachment && this.#good(through),
      onBlocked: (doors) => this.#attachment === attachment && this.#block(doors),
      onShaky: () => this.#attachment === attachment && this.#say('reconnecting'),
      onLost: () => this.#attachment === attachment && this.#again(),
    });
    this.#attachment = attachment;
    attachment.send(this.#wanted);
  }

  /** The pictures of the last good attachment stay on the screen, moving or still, until the next one brings its own. */
  #retire(): void {
    this.#attachment?.retire();
    if (this.#attachment?.everGood === true) {
      this.#before?.close();
      this.#before = this.#attachment;
    } else this.#attachment?.close();
    this.#attachment = null;
  }

  #show(streams: Streams): void {
    this.options.onStreams(streams);
    this.#before?.close();
    this.#before = null;
  }

  #hear(message: MediaToClient): void {
    if (message.type === 'speaking') this.options.onSpeaking(message.legs);
    if (message.type === 'ended') {
      this.#retire();
      this.#say('released');
    }
  }

  #good(through: boolean): void {
    this.#joined = true;
    this.#backoff.reset();
    if (through) this.#blocked = null;
    // Attached is not well where nothing got through the last time.
    if (this.#blocked === null) this.#say('good');
  }

  #block(doors: readonly Door[]): void {
    this.#blocked = doors;
    if (this.#status === 'blocked') this.options.onStatus('blocked', doors);
    else this.#say('blocked');
  }

  #again(): void {
    if (this.#closed) return;
    this.#say(this.#blocked === null ? 'reconnecting' : 'blocked');
    this.#retire();
    this.#timer = setTimeout(() => this.#attach(), this.#backoff.nextMs());
    this.options.onTrouble(this.#backoff.attempts);
  }

  #say(status: MediaStatus): void {
    if (status === this.#status || this.#closed) return;
    this.#status = status;
    this.options.onStatus(status, this.#blocked ?? []);
  }
}
