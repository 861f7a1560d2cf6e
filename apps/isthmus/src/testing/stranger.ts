import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from '@isthmus/bots';

/** Somebody who connects to a service's WebSocket and says whatever they like, be it a proper request or not. */
export class Stranger {
  /** Everything that was said to them, as it came. */
  readonly heard: string[] = [];
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.heard.push(data.toString()));
    socket.on('error', () => undefined); // `close` follows.
    this.ended = new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  }

  static async at(url: string): Promise<Stranger> {
    const stranger = new Stranger(new WebSocket(url));
    await once(stranger.socket, 'open');
    return stranger;
  }

  /** Text and bytes go as they are, everything else as JSON. */
  say(what: string | Buffer | object): void {
    this.socket.send(typeof what === 'string' || Buffer.isBuffer(what) ? what : JSON.stringify(what));
  }

  /** What answers the request of this id; of several, the latest. */
  async answer(re: number): Promise<string> {
    const found = () => this.heard.findLast((text) => (JSON.parse(text) as { re?: number }).re === re);
    await eventually(() => (found() === undefined ? [`no answer to ${re} among ${this.heard.join(' ').slice(0, 500)}`] : []), 10_000);
    return found()!;
  }

  async asks(request: { readonly id: number } & Readonly<Record<string, unknown>>): Promise<string> {
    this.say({ v: 1, ...request });
    return this.answer(request.id);
  }

  leave(): void {
    this.socket.terminate();
  }
}
