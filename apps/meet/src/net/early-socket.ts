import { openWebSocket, type OpenSocket, type Socket } from './request-socket.js';

/**
 * A connection to the media node that a seat will most likely be at, opened while somebody still stands at the door: the click on
 * Join then waits for no handshake. Nothing is said on it before it is taken, and whoever takes one elsewhere gets a new one.
 */
export class EarlySocket {
  #held: { readonly url: string; readonly socket: Socket; opened: Event | null } | null = null;

  constructor(private readonly openSocket: OpenSocket = openWebSocket) {}

  /** Opens one to this address, unless it has one; one to another address is given up. */
  prepare(url: string): void {
    if (this.#held?.url === url) return;
    this.close();
    const socket = this.openSocket(url);
    const held = { url, socket, opened: null as Event | null };
    this.#held = held;
    socket.onopen = (event) => (held.opened = event);
    socket.onclose = () => {
      if (this.#held === held) this.#held = null;
    };
  }

  /** As if opened only now, by whoever asks. */
  readonly take: OpenSocket = (url) => {
    const held = this.#held;
    if (held?.url !== url) return this.openSocket(url);
    this.#held = null;
    const { socket, opened } = held;
    socket.onopen = socket.onclose = null;
    if (opened !== null) queueMicrotask(() => socket.onopen?.(opened));
    return socket;
  };

  close(): void {
    const held = this.#held;
    this.#held = null;
    held?.socket.close();
  }
}
