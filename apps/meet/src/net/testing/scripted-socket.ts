import type { OpenSocket, Socket } from '../request-socket.js';

/** What a client sent, as far as specs look at it. */
export interface Sent {
  readonly id: number;
  readonly v: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One end of a WebSocket whose other end is the spec. */
export class ScriptedSocket implements Socket {
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: Sent[] = [];
  closed = false;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Sent);
  }

  close(): void {
    this.closed = true;
  }

  opens(): this {
    this.onopen?.(new Event('open'));
    return this;
  }

  says(message: unknown): void {
    this.onmessage?.(new MessageEvent('message', { data: typeof message === 'string' ? message : JSON.stringify(message) }));
  }

  breaks(): void {
    this.closed = true;
    this.onclose?.(new Event('close') as CloseEvent);
  }

  /** The latest request of this type. */
  asked(type: string): Sent {
    const request = this.sent.findLast((message) => message.type === type);
    if (request === undefined)
      throw new Error(`No "${type}" was sent, only: ${this.sent.map((message) => message.type).join(', ') || 'nothing'}.`);
    return request;
  }

  answers(type: string, answer: Readonly<Record<string, unknown>>): void {
    this.says({ re: this.asked(type).id, ...answer });
  }
}

/** Opens scripted sockets and remembers them in order. */
export const scriptedSockets = (): { readonly open: OpenSocket; readonly all: ScriptedSocket[]; latest(): ScriptedSocket } => {
  const all: ScriptedSocket[] = [];
  return {
    all,
    open: (url) => {
      const socket = new ScriptedSocket(url);
      all.push(socket);
      return socket;
    },
    latest: () => {
      const socket = all.at(-1);
      if (socket === undefined) throw new Error('No socket was opened yet.');
      return socket;
    },
  };
};

/** Lets promises that are settled already tell whoever waits for them. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};
