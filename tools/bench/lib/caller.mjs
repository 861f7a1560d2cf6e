import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';

/** How long an answer is waited for; longer than the product itself waits for anything. */
const PATIENCE_MS = 20_000;

/** One participant by the signalling of a browser, without its media. */
export class Caller {
  /** @type {string | undefined} */
  leg;
  /** The latest that it was told. @type {{ roster: readonly { leg: string }[] } | undefined} */
  view;
  /** Told of each view. @type {(view: { roster: readonly { leg: string }[] }) => void} */
  onView = () => undefined;
  #socket;
  #client = randomUUID();
  /** @type {Promise<void>} */
  #welcomed;

  /** @param {string} gatewayUrl as a site is listed: `http://…` */
  constructor(gatewayUrl) {
    this.#socket = new WebSocket(`${gatewayUrl.replace(/^http/, 'ws')}/ws`, { perMessageDeflate: false });
    this.#welcomed = new Promise((resolve) => {
      this.#socket.on('message', (data) => JSON.parse(String(data)).type === 'welcome' && resolve());
    });
    // Whoever asks for a seat is told.
    this.#socket.on('error', () => undefined);
  }

  /** Connected, and welcome. */
  opened() {
    return this.#welcomed;
  }

  /** From the connection until the seat is given. @param {string} alias @returns {Promise<void>} rejects when it is not given, with why */
  join(alias) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => fail('nobody answered'), PATIENCE_MS);
      const fail = (/** @type {string} */ why) => {
        clearTimeout(late);
        this.#socket.terminate();
        reject(new Error(`a join failed: ${why}`));
      };
      this.#socket.on('error', ({ message }) => fail(message));
      this.#socket.on('close', () => fail('the connection was closed'));
      this.#socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        if (message.type === 'refused') fail(`${message.code}: ${message.message}`);
        if (message.type === 'joined') {
          clearTimeout(late);
          this.leg = message.leg;
          resolve();
        }
        if (message.view !== undefined) this.onView((this.view = message.view));
      });
      void this.#welcomed.then(() => this.#say({ id: 1, type: 'join', alias, name: 'Caller', client: this.#client, connect: 1 }));
    });
  }

  leave() {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#say({ id: 2, type: 'leave' });
    this.#socket.close();
  }

  /** @param {object} message */
  #say(message) {
    this.#socket.send(JSON.stringify({ v: 1, muted: true, cameraOff: true, ...message }));
  }
}
