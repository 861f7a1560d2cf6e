import { WebSocket } from 'ws';
import { Fault, Refusal } from '@isthmus/kernel';

/**
 * A WebSocket on which requests carry a growing `id` and are answered by `re`, as both client protocols do. What is not an
 * answer goes to `onMessage`, in order. `Incoming` is the server's union of messages.
 */
const REQUEST_MS = 15_000;

interface Waiting<Incoming> {
  readonly resolve: (answer: Incoming) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  /** Types that answer provisionally: the final answer comes later, with the same `re`. */
  readonly provisional: (answer: Incoming) => boolean;
  readonly onAnswer: (answer: Incoming) => void;
}

export interface RequestOptions<Incoming> {
  readonly deadlineMs?: number;
  readonly provisional?: (answer: Incoming) => boolean;
  /** Called before any later message is handed out: a promise's continuation comes after those of the same read. */
  readonly onAnswer?: (answer: Incoming) => void;
}

export interface LineEvents<Incoming> {
  onMessage(message: Incoming): void;
  onClose(code: number, reason: string): void;
}

/** `Omit` that keeps the members of a union apart. */
export type Outgoing<Message> = Message extends unknown ? Omit<Message, 'v' | 'id'> : never;

export class Line<In extends { readonly type: string }, Out extends { readonly type: string }> {
  private id = 0;
  private readonly waiting = new Map<number, Waiting<In>>();
  private opened = false;
  private closed = false;

  private constructor(
    private readonly socket: WebSocket,
    private readonly events: LineEvents<In>,
    readonly url: string,
  ) {
    socket.on('message', (data: Buffer) => this.receive(data));
    socket.on('close', (code, reason) => this.end(code, reason.toString()));
    socket.on('error', () => {}); // `close` follows and says it.
  }

  static async open<In extends { readonly type: string }, Out extends { readonly type: string }>(
    url: string,
    events: LineEvents<In>,
    authority?: string,
  ): Promise<Line<In, Out>> {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: REQUEST_MS, ...(authority && { ca: authority }) });
    // Listen from the first moment: a greeting may arrive together with the handshake.
    const line = new Line<In, Out>(socket, events, url);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => {
        line.opened = true;
        resolve();
      });
      socket.once('error', (error) =>
        reject(new Fault('bot.no-line', `No WebSocket at ${url}: ${error.message}. Is the service running there?`, {}, { cause: error })),
      );
    });
    return line;
  }

  /** Sends a request and answers its (final) answer; a `refused` becomes a Refusal with the server's code. */
  request(
    message: Outgoing<Out>,
    { deadlineMs = REQUEST_MS, provisional = () => false, onAnswer = () => {} }: RequestOptions<In> = {},
  ): Promise<In> {
    const id = ++this.id;
    return new Promise<In>((resolve, reject) => {
      if (this.closed) return reject(this.lost());
      const { type } = message as unknown as { type: string };
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Fault('bot.no-answer', `${this.url} did not answer "${type}" within ${deadlineMs} ms.`));
      }, deadlineMs);
      this.waiting.set(id, { resolve, reject, timer, provisional, onAnswer });
      this.socket.send(JSON.stringify({ v: 1, id, ...message }));
    });
  }

  close(): void {
    this.closed = true;
    this.socket.close();
  }

  private receive(data: Buffer): void {
    let message: In & { readonly re?: number; readonly code?: string; readonly message?: string };
    try {
      message = JSON.parse(data.toString()) as typeof message;
    } catch {
      return this.socket.close(1002, 'not JSON');
    }
    const waiting = message.re === undefined ? undefined : this.waiting.get(message.re);
    if (!waiting) return this.events.onMessage(message);
    if (waiting.provisional(message)) {
      clearTimeout(waiting.timer); // Somebody decides now, not a machine: it takes as long as it takes.
      return this.events.onMessage(message);
    }
    this.waiting.delete(message.re!);
    clearTimeout(waiting.timer);
    if (message.type === 'refused')
      return waiting.reject(new Refusal(message.code ?? 'bot.refused', message.message ?? 'refused without a reason'));
    waiting.onAnswer(message);
    waiting.resolve(message);
  }

  private end(code: number, reason: string): void {
    this.closed = true;
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(this.lost());
    }
    this.waiting.clear();
    if (this.opened) this.events.onClose(code, reason);
  }

  private lost(): Fault {
    return new Fault('bot.line-lost', `The connection to ${this.url} is closed.`);
  }
}
