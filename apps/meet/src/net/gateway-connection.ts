import type { ClientToGateway, GatewayToClient } from '@isthmus/protocol';
import { Backoff } from './backoff.js';
import { RequestSocket, type AnswerOf, type OpenSocket } from './request-socket.js';
import { readGatewayMessage } from './wire.js';

export type Welcome = Extract<GatewayToClient, { type: 'welcome' }>;
export type GatewayStatus = 'connecting' | 'open' | 'lost';
export type GatewayRequest = ClientToGateway extends infer Request ? (Request extends unknown ? Omit<Request, 'v' | 'id'> : never) : never;

export interface GatewayConnectionOptions {
  readonly url: string;
  readonly openSocket?: OpenSocket;
  readonly backoff?: Backoff;
  /** `open` only after the server's welcome: from then on requests make sense. */
  readonly onStatus: (status: GatewayStatus) => void;
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onMessage: (message: GatewayToClient) => void;
}

/** How long a socket may take to open and say welcome, ms: a site that starts waits up to 10 s for its first media node. */
const WELCOME_WITHIN_MS = 15_000;

/**
 * Keeps one WebSocket to the site's gateway-router, from page load until the page goes: opens it, waits for the welcome,
 * and opens another whenever one is lost. It knows nothing about seats; who had one asks for it again on the next welcome.
 */
export class GatewayConnection {
  readonly #backoff: Backoff;
  #socket: RequestSocket<ClientToGateway, GatewayToClient> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #status: GatewayStatus = 'connecting';
  #closed = false;

  constructor(private readonly options: GatewayConnectionOptions) {
    this.#backoff = options.backoff ?? new Backoff();
    this.#open();
  }

  get status(): GatewayStatus {
    return this.#status;
  }

  request(body: GatewayRequest): Promise<AnswerOf<GatewayToClient>> {
    if (this.#socket === null || this.#status !== 'open') return Promise.reject(new Error('The meeting server is not connected.'));
    return this.#socket.request(body);
  }

  /** Connects again at once: the network came back, or the connection looks dead though nobody closed it. */
  refresh(): void {
    if (this.#closed) return;
    this.#socket?.close();
    this.#lost(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #open(): void {
    this.#socket = new RequestSocket<ClientToGateway, GatewayToClient>({
      url: this.options.url,
      read: readGatewayMessage,
      openSocket: this.options.openSocket,
      onMessage: (message) => this.#hear(message),
      onLost: () => this.#lost(),
    });
    this.#timer = setTimeout(() => this.#giveUp(), WELCOME_WITHIN_MS);
  }

  #giveUp(): void {
    this.#socket?.close();
    this.#lost();
  }

  #hear(message: GatewayToClient): void {
    if (message.type !== 'welcome') {
      this.options.onMessage(message);
      return;
    }
    clearTimeout(this.#timer);
    this.#backoff.reset();
    this.#say('open');
    this.options.onWelcome(message);
  }

  #lost(afterMs: number = this.#backoff.nextMs()): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#socket = null;
    this.#say('lost');
    this.#timer = setTimeout(() => this.#open(), afterMs);
  }

  #say(status: GatewayStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.options.onStatus(status);
  }
}
