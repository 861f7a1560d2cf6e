import type { GatewayToClient, MeetingView } from '@isthmus/protocol';
import type { Device } from 'mediasoup-client';
import type { DtlsIdentity } from './dtls-identity.js';
import { GatewayConnection, type GatewayConnectionOptions, type GatewayRequest, type Welcome } from './gateway-connection.js';
import type { Streams } from './media-attachment.js';
import { MediaSession, type MediaSessionOptions, type Wanted } from './media-session.js';
import type { OpenSocket } from './request-socket.js';

type Joined = Extract<GatewayToClient, { type: 'joined' }>;
type Join = Extract<GatewayRequest, { type: 'join' }>;
type Notice = Extract<GatewayToClient, { type: 'notice' }>;

/** To whom a gateway-router's messages and a session's media go. */
export interface Onward {
  readonly gateway: Pick<GatewayConnectionOptions, 'onStatus' | 'onWelcome' | 'onMessage'>;
  readonly media: Pick<MediaSessionOptions, 'onStatus' | 'onStreams' | 'onSpeaking' | 'onTrouble'>;
}

export interface MoveParts {
  /** The WebSocket of the other site's gateway-router. */
  readonly url: string;
  readonly openSocket: OpenSocket | undefined;
  readonly createDevice: () => Device;
  readonly identity: DtlsIdentity | null;
  readonly join: Join;
  /** The picture is sent by both ways for a moment. The voice is not: nobody should hear it twice. */
  readonly camera: Wanted;
  readonly onward: Onward;
}

/** What somebody has who has arrived at another site. */
export interface Arrived {
  readonly gateway: GatewayConnection;
  readonly media: MediaSession;
  readonly device: Device;
  readonly welcome: Welcome;
  readonly joined: Joined;
  readonly view: MeetingView;
  readonly streams: Streams;
  /** What was said there meanwhile, once: that site may be to end as well by now. */
  readonly notices: readonly Notice[];
}

/** From the first word to the media, ms; whoever takes longer is better off where they are. */
const WITHIN_MS = 15_000;
/** From the first packet to pictures that can be shown: they begin with the next key frame. */
const SETTLE_MS = 500;

/**
 * One attempt to be in the same meeting by another site, beside the seat that one has (ADR 0090): connects to that site's
 * gateway-router, takes a seat, attaches, and is through when media come. Whatever goes wrong undoes it; the seat that one has is
 * nobody's business here.
 */
export class Move {
  /** What came of it; undefined: nothing. */
  readonly outcome: Promise<Arrived | undefined>;
  #settle!: (outcome: Arrived | undefined) => void;
  #gateway: GatewayConnection | null = null;
  #media: MediaSession | null = null;
  #device: Device | null = null;
  #welcome: Welcome | null = null;
  #joined: Joined | null = null;
  #view: MeetingView | null = null;
  #streams: Streams = new Map();
  readonly #notices: Notice[] = [];
  #state: 'trying' | 'through' | 'over' = 'trying';
  #timer: ReturnType<typeof setTimeout>;
  #settling = false;

  constructor(private readonly parts: MoveParts) {
    this.outcome = new Promise((resolve) => (this.#settle = resolve));
    this.#timer = setTimeout(() => this.giveUp(), WITHIN_MS);
    const { gateway } = parts.onward;
    try {
      this.#gateway = new GatewayConnection({
        url: parts.url,
        ...(parts.openSocket === undefined ? {} : { openSocket: parts.openSocket }),
        onStatus: (status) => {
          if (this.#isThrough) gateway.onStatus(status);
          else if (status === 'lost') this.giveUp();
        },
        onWelcome: (welcome) => (this.#isThrough ? gateway.onWelcome(welcome) : void this.#enter(welcome).catch(() => this.giveUp())),
        onMessage: (message) => (this.#isThrough ? gateway.onMessage(message) : this.#hear(message)),
      });
    } catch {
      // Some browsers refuse an address by throwing.
      this.giveUp();
    }
  }

  /** Leaves no trace of it. Once it is through there is nothing to give up any more. */
  giveUp(): void {
    if (this.#state !== 'trying') return;
    this.#state = 'over';
    clearTimeout(this.#timer);
    // Also if the answer to the join is still to come: what is sent is handled in its order.
    this.#gateway?.request({ type: 'leave' }).catch(() => undefined);
    this.#gateway?.close();
    this.#media?.close();
    this.#settle(undefined);
  }

  get #isThrough(): boolean {
    return this.#state === 'through';
  }

  async #enter(welcome: Welcome): Promise<void> {
    const { createDevice, join, openSocket, identity, camera, onward } = this.parts;
    this.#welcome = welcome;
    const device = createDevice();
    await device.load({ routerRtpCapabilities: welcome.rtpCapabilities });
    if (this.#state !== 'trying') return;
    const answer = await this.#gateway?.request(join);
    if (this.#state !== 'trying') return;
    // Refused, or asked for another PIN, or asked to wait: all of that is better where one is.
    if (answer?.type !== 'joined' || answer.view.held) return this.giveUp();
    this.#device = device;
    this.#joined = answer;
    this.#view = answer.view;
    this.#media = new MediaSession(
      { leg: answer.leg, ...answer.media },
      {
        device,
        identity,
        ...(openSocket === undefined ? {} : { openSocket }),
        onStatus: (status, doors) => {
          if (this.#isThrough) return onward.media.onStatus(status, doors);
          if (status === 'good' && this.#streams.size === 0) this.#soon();
        },
        onStreams: (streams) => {
          this.#streams = streams;
          if (this.#isThrough) onward.media.onStreams(streams);
        },
        onSpeaking: (legs) => {
          if (this.#isThrough) onward.media.onSpeaking(legs);
        },
        onTrouble: (attempts) => {
          if (this.#isThrough) onward.media.onTrouble(attempts);
        },
        mark: (moment) => {
          if (moment === 'receive-connected') this.#soon();
        },
      },
    );
    this.#media.send('camera', camera);
  }

  #hear(message: GatewayToClient): void {
    if (message.type === 'view') this.#view = message.view;
    if (message.type === 'notice') this.#notices.push(message);
    if (message.type === 'media' && this.#joined !== null) this.#media?.moveTo({ leg: this.#joined.leg, ...message.media });
    if (message.type === 'ended' || (message.type === 'view' && message.view.held)) this.giveUp();
  }

  /** Media have a way here. */
  #soon(): void {
    if (this.#settling || this.#state !== 'trying') return;
    this.#settling = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#through(), SETTLE_MS);
  }

  #through(): void {
    const [gateway, media, device, welcome, joined, view] = [
      this.#gateway,
      this.#media,
      this.#device,
      this.#welcome,
      this.#joined,
      this.#view,
    ];
    if (this.#state !== 'trying' || !gateway || !media || !device || !welcome || !joined || !view) return this.giveUp();
    this.#state = 'through';
    this.#settle({ gateway, media, device, welcome, joined, view, streams: this.#streams, notices: this.#notices });
  }
}
