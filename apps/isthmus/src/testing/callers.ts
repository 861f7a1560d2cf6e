import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { GatewayToClient } from '@isthmus/protocol';

/** Somebody who came, stayed a moment and left, by the signalling of a browser and without its media. Times: ms, monotonic. */
export interface Call {
  readonly site: string;
  /** The person: nobody calls twice. */
  readonly person: string;
  readonly beganMs: number;
  /** Acknowledged as seated, and when. */
  leg?: string;
  joinedMs?: number;
  /** Acknowledged as having left. */
  left?: true;
  /** Why not. */
  failed?: string;
  over?: true;
}

/** A door that callers ring at. */
export interface Door {
  readonly site: string;
  /** `ws://…/ws`. */
  readonly url: string;
}

const STAY_MS = 1_000;
/** Longer than the product itself waits for an answer to a join. */
const PATIENCE_MS = 20_000;

/** Callers at a steady rate, whatever becomes of those before them, at all doors and in all rooms in turn. */
export class Callers {
  readonly calls: Call[] = [];
  private readonly open = new Set<WebSocket>();
  private readonly ringing: NodeJS.Timeout;
  private readonly beganMs = performance.now();

  /** @param perSecond joins that are begun in a second */
  constructor(
    private readonly doors: readonly Door[],
    private readonly rooms: readonly string[],
    private readonly perSecond: number,
  ) {
    this.ringing = setInterval(() => this.ring(), 20);
  }

  /** Those who began within this time. */
  begunWithin(fromMs: number, toMs: number): readonly Call[] {
    return this.calls.filter(({ beganMs }) => beganMs >= fromMs && beganMs < toMs);
  }

  /** Nobody new; those who are there leave as they would have. */
  stop(): void {
    clearInterval(this.ringing);
  }

  close(): void {
    this.stop();
    for (const socket of this.open) socket.terminate();
  }

  /** A timer that was late is made up for. */
  private ring(): void {
    const due = Math.floor(((performance.now() - this.beganMs) * this.perSecond) / 1_000);
    while (this.calls.length < due) this.call();
  }

  private call(): void {
    const { site, url } = this.doors[this.calls.length % this.doors.length]!;
    const alias = this.rooms[Math.floor(this.calls.length / this.doors.length) % this.rooms.length]!;
    const person = `caller-${this.calls.length}-${randomUUID()}`;
    const call: Call = { site, person, beganMs: performance.now() };
    this.calls.push(call);
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.open.add(socket);
    const late = setTimeout(() => {
      call.failed ??= 'nobody answered';
      socket.terminate();
    }, PATIENCE_MS + STAY_MS);
    const say = (message: object) => socket.send(JSON.stringify({ v: 1, ...message }));
    socket.on('error', ({ message }) => (call.failed ??= message));
    socket.on('close', () => {
      clearTimeout(late);
      call.over = true;
      if (call.left === undefined) call.failed ??= 'the connection was closed';
      this.open.delete(socket);
    });
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as GatewayToClient;
      if (message.type === 'welcome')
        say({ id: 1, type: 'join', alias, name: `Caller ${this.calls.length}`, client: person, connect: 1, muted: true, cameraOff: true });
      if (message.type === 'joined') {
        call.leg = message.leg;
        call.joinedMs = performance.now();
        setTimeout(() => socket.readyState === WebSocket.OPEN && say({ id: 2, type: 'leave' }), STAY_MS);
      }
      if (message.type === 'ok' && message.re === 2) call.left = true;
      if (message.type === 'refused') call.failed ??= `${message.code}: ${message.message}`;
      if (message.type === 'pin-needed') call.failed ??= 'the room is not known there';
      if (message.type === 'ended' && call.left === undefined) call.failed ??= `put out: ${message.reason}`;
      if (call.left ?? call.failed) socket.close();
    });
  }
}
