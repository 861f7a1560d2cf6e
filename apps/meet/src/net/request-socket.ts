import { Fault, Refusal } from '@isthmus/kernel';
import { PROTOCOL_VERSION } from '@isthmus/protocol';
import type { ReadMessage } from './wire.js';

/** The part of a browser's WebSocket that is used here. */
export interface Socket {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}
export type OpenSocket = (url: string) => Socket;

export const openWebSocket: OpenSocket = (url) => new WebSocket(url);

interface Numbered {
  readonly type: string;
  readonly re?: number;
}
type WithoutHead<Request> = Request extends unknown ? Omit<Request, 'v' | 'id'> : never;
/** A message that answers one of our requests. */
export type AnswerOf<Message> = Extract<Message, { readonly re: number }>;

export interface RequestSocketOptions<Message> {
  readonly url: string;
  readonly read: ReadMessage<Message>;
  readonly openSocket?: OpenSocket | undefined;
  /** How long an answer may take, ms. */
  readonly deadlineMs?: number;
  readonly onOpen?: () => void;
  /** Everything that nobody asked for, and later answers to a request that was answered once (`waiting`, then `joined`). */
  readonly onMessage: (message: Message) => void;
  /** Once, however it ended; not after {@link RequestSocket.close}. */
  readonly onLost: () => void;
}

/**
 * One WebSocket on which requests carry a growing `id` and answers name it in `re`: the habit that the gateway-router and
 * the media node share. It lives once; whoever wants another connection makes another.
 */
export class RequestSocket<Request extends { readonly type: string }, Message extends Numbered> {
  readonly #socket: Socket;
  readonly #waiting = new Map<
    number,
    { resolve: (answer: AnswerOf<Message>) => void; reject: (reason: Error) => void; timer: ReturnType<typeof setTimeout> }
  >();
  #lastId = 0;
  #state: 'opening' | 'open' | 'closed' = 'opening';

  constructor(private readonly options: RequestSocketOptions<Message>) {
    const socket = (options.openSocket ?? openWebSocket)(options.url);
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#state !== 'opening') return;
      this.#state = 'open';
      options.onOpen?.();
    };
    socket.onmessage = (event) => {
      if (this.#state !== 'closed') this.#hear(event.data);
    };
    socket.onclose = () => {
      if (this.#finish()) options.onLost();
    };
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Sends a request and waits for its first answer. A refusal resolves too: see {@link granted}. */
  request(body: WithoutHead<Request>): Promise<AnswerOf<Message>> {
    if (this.#state !== 'open') return Promise.reject(this.#gone(body.type));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new Fault('meet.unanswered', `The server did not answer "${body.type}" in time. Trying again may help.`, { type: body.type }),
        );
      }, this.options.deadlineMs ?? 10_000);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ v: PROTOCOL_VERSION, id, ...body }));
    });
  }

  close(): void {
    if (this.#finish()) this.#socket.close();
  }

  #hear(data: unknown): void {
    const message = this.options.read(data);
    if (message === null) {
      // The content stays out of the log: it may hold a token.
      console.warn('Isthmus: a message that this page does not understand was ignored.');
      return;
    }
    const waiting = message.re === undefined ? undefined : this.#waiting.get(message.re);
    if (waiting === undefined || message.re === undefined) {
      this.options.onMessage(message);
      return;
    }
    this.#waiting.delete(message.re);
    clearTimeout(waiting.timer);
    waiting.resolve(message as AnswerOf<Message>);
  }

  #finish(): boolean {
    if (this.#state === 'closed') return false;
    this.#state = 'closed';
    for (const [, { reject, timer }] of this.#waiting) {
      clearTimeout(timer);
      reject(this.#gone('an earlier request'));
    }
    this.#waiting.clear();
    return true;
  }

  #gone(what: string): Fault {
    return new Fault('meet.disconnected', `The connection was gone before the server answered ${what}.`);
  }
}

/** The answer of the type asked for; a refusal, or an answer of another type, is thrown. */
export const granted = <Message extends Numbered, Type extends Message['type']>(
  answer: Message,
  type: Type,
): Extract<Message, { type: Type }> => {
  if (answer.type === type) return answer as Extract<Message, { type: Type }>;
  const { code, message } = answer as { code?: string; message?: string };
  if (answer.type === 'refused') throw new Refusal(code ?? 'meet.refused', message ?? 'The server said no.');
  throw new Fault('meet.unexpected-answer', `The server answered "${answer.type}" where "${type}" was due.`);
};
