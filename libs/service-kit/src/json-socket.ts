import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import type { z } from 'zod';
import { Fault, Refusal, type IsthmusError } from '@isthmus/kernel';
import { MESSAGE_BYTES_MAX, PROTOCOL_VERSION } from '@isthmus/protocol';
import { logOf } from './log.js';
import { originRefusal, routeUpgrades, type Origins } from './upgrade.js';
import { parseStrictJson } from './strict-json.js';
import { tokenBucket } from './token-bucket.js';
import { inService } from './trace.js';

/** What every client protocol of ours has in common: requests carry `v` and a growing `id`, answers carry `re`. */
export interface Request {
  readonly v: number;
  readonly id: number;
  readonly type: string;
}

/** One client, as the service that serves it holds it. */
export interface JsonSocket<Out> {
  /** Remote IP address. */
  readonly address: string;
  readonly open: boolean;
  /** Bytes handed over and not yet taken by the network. */
  readonly backlogBytes: number;
  /** Sends, or does nothing when it is closed. A client that does not read is cut off rather than queued for. */
  send(message: Out | Refused): void;
  /** Says goodbye; `reason` is for a person, at most 120 bytes. Quiet when closed already. */
  close(code: number, reason: string): void;
}

export interface Refused {
  readonly type: 'refused';
  /** The request's id, 0 if it had none. */
  readonly re: number;
  readonly code: string;
  readonly message: string;
}

/** What a service does with one connection. Messages of one connection are handled one after the other. */
export interface Conversation<In> {
  /** A Refusal or Fault that it throws is answered as `refused`; anything else is logged and answered as our own failure. */
  message(message: In): void | Promise<void>;
  /** Once, however it ended, after the last message was handled. */
  closed?(code: number, reason: string): void | Promise<void>;
}

export interface JsonSocketOptions<In extends Request, Out> {
  readonly service: string;
  readonly path: string;
  readonly schema: z.ZodType<In>;
  /** Which pages may connect; default: those of the same host. */
  readonly origins?: Origins;
  /** Requests per second that one connection may keep up, and four times that at once. Default 50. */
  readonly messagesPerSecond?: number;
  /** Most connections at a time. Default 5,000. */
  readonly connectionsMax?: number;
  readonly connected: (socket: JsonSocket<Out>, request: IncomingMessage) => Conversation<In>;
}

export interface JsonSocketServer {
  readonly size: number;
  /** Says goodbye to everybody; resolves when they are gone, at most a second later. */
  close(): Promise<void>;
}

/** A client that let this much pile up does not read. */
const BACKLOG_BYTES_MAX = 1024 * 1024;
/** After so many messages that were no proper request, the other end is no client of ours. */
const FAULTY_MAX = 20;
const WAITING_MAX = 64;
const HEARTBEAT_MS = 15_000;
/** RFC 6455 §7.4.1. */
export const CLOSE = { going: 1001, tooBig: 1009, policy: 1008, tryAgain: 1013 } as const;

/** ws closes by itself on an oversized or broken frame, without a word; this gives it one. */
class TalkingWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason ?? (code === CLOSE.tooBig ? `A message may have at most ${MESSAGE_BYTES_MAX} bytes.` : undefined));
  }
}

/**
 * The door for clients: WebSockets that carry JSON requests on `path` of `server`. Everything a stranger may send is dealt
 * with here (size, rate, form, order, age), so that a service sees proper requests only; nothing a client sends gets out as an exception.
 */
export const acceptJsonSockets = <In extends Request, Out>(server: HttpServer, options: JsonSocketOptions<In, Out>): JsonSocketServer => {
  const { service, path, connectionsMax = 5_000 } = options;
  const log = logOf(service);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
    WebSocket: TalkingWebSocket,
  });
  const alive = new WeakSet<WebSocket>();

  const stop = routeUpgrades(server, path, (request, socket, head, refuse) => {
    const wrongOrigin = originRefusal(request, options.origins);
    if (wrongOrigin) return refuse(403, wrongOrigin);
    if (sockets.clients.size >= connectionsMax) return refuse(503, 'Too many connections. Try again in a moment.');
    sockets.handleUpgrade(request, socket, head, (ws) => {
      alive.add(ws);
      ws.on('pong', () => alive.add(ws));
      converse(ws, request, options);
    });
  });

  const heartbeat = setInterval(() => {
    for (const ws of sockets.clients) {
      if (!alive.delete(ws)) ws.terminate();
      else if (ws.readyState === WebSocket.OPEN) ws.ping();
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  sockets.on('error', (error) => log.error({ error }, 'WebSocket server'));

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stop();
    clearInterval(heartbeat);
    const gone = [...sockets.clients].map((ws) => new Promise((resolve) => ws.once('close', resolve)));
    for (const ws of sockets.clients) ws.close(CLOSE.going, 'This service is stopping.');
    const forced = setTimeout(() => sockets.clients.forEach((ws) => ws.terminate()), 1_000);
    await Promise.all(gone);
    clearTimeout(forced);
    sockets.close();
  };
  return {
    get size() {
      return sockets.clients.size;
    },
    close: () => (closing ??= close()),
  };
};

const converse = <In extends Request, Out>(ws: WebSocket, request: IncomingMessage, options: JsonSocketOptions<In, Out>): void => {
  const log = logOf(options.service);
  const socket = socketOver<Out>(ws, request);
  const { messagesPerSecond: rate = 50 } = options;
  const mayPass = tokenBucket({ perSecond: rate, atOnce: rate * 4 });
  let conversation: Conversation<In>;
  try {
    conversation = inService(options.service, () => options.connected(socket, request));
  } catch (error) {
    log.error({ error }, 'a connection could not be served');
    return socket.close(1011, 'Something failed here. Trying again may help.');
  }
  let lastId = 0;
  let faulty = 0;
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();

  const refuse = (re: number, error: unknown): void => {
    if (!(error instanceof Refusal || error instanceof Fault)) log.error({ error }, 'a request failed');
    socket.send(refusedBy(re, error));
  };
  const faultyMessage = (re: number, error: unknown): void => {
    refuse(re, error);
    if (++faulty >= FAULTY_MAX) socket.close(CLOSE.policy, 'Too many messages that were no proper request.');
  };

  ws.on('message', (data, isBinary) => {
    if (socket.dismissed) return;
    if (!mayPass()) return socket.close(CLOSE.policy, 'Too many messages at once.');
    if (waiting >= WAITING_MAX) return socket.close(CLOSE.policy, 'Too many requests without waiting for the answers.');
    let id = 0;
    let message: In;
    try {
      const value = readRequest(data, isBinary);
      id = value.id;
      if (id <= lastId) throw new Refusal('protocol.out-of-order', `Request ids must grow: ${id} came after ${lastId}.`);
      lastId = id;
      message = checked(options.schema, value);
    } catch (error) {
      return faultyMessage(id, error);
    }
    waiting++;
    last = last
      // What came before a goodbye of theirs still counts; what came after a goodbye of ours does not.
      .then(() => (socket.dismissed ? undefined : inService(options.service, () => conversation.message(message))))
      .catch((error: unknown) => refuse(id, error))
      .finally(() => waiting--);
  });
  ws.on('error', (error) => log.debug({ error }, 'a connection broke'));
  ws.on('close', (code, reason) => {
    last = last
      .then(() => inService(options.service, () => conversation.closed?.(code, reason.toString())))
      .catch((error: unknown) => log.error({ error }, 'after a connection closed'));
  });
};

/** `dismissed`: we said goodbye. */
const socketOver = <Out>(ws: WebSocket, request: IncomingMessage): JsonSocket<Out> & { readonly dismissed: boolean } => {
  let dismissed = false;
  return {
    get dismissed() {
      return dismissed;
    },
    address: (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
    get open() {
      return ws.readyState === WebSocket.OPEN;
    },
    get backlogBytes() {
      return ws.bufferedAmount;
    },
    send: (message) => {
      if (ws.readyState !== WebSocket.OPEN) return;
      if (ws.bufferedAmount > BACKLOG_BYTES_MAX) return ws.terminate();
      ws.send(JSON.stringify(message), () => undefined);
    },
    // Should the other end not answer the goodbye, ws itself gives up after 30 s.
    close: (code, reason) => {
      dismissed = true;
      ws.close(code, reason.slice(0, 120));
    },
  };
};

/** The envelope: enough to answer, before anybody asks what the message means. */
const readRequest = (data: RawData, isBinary: boolean): Request => {
  if (isBinary) throw new Refusal('protocol.not-text', 'Messages are JSON text, not binary.');
  const value = parseStrictJson((data as Buffer).toString('utf8'));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal('protocol.invalid', 'A message is a JSON object.');
  const { id } = value as { id?: unknown };
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1)
    throw new Refusal('protocol.invalid', 'id: a whole number from 1 that grows with each request.');
  return value as Request;
};

const checked = <In extends Request>(schema: z.ZodType<In>, value: Request): In => {
  if (value.v !== PROTOCOL_VERSION)
    throw new Refusal('protocol.version', `This service speaks version ${PROTOCOL_VERSION}. Reload the page to get the version that fits.`);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'invalid_union' && issue.path.join('.') === 'type')
    throw new Refusal('protocol.unknown-type', 'There is no request of this type.');
  throw new Refusal('protocol.invalid', `${issue?.path.join('.') || 'message'}: ${issue?.message ?? 'not as expected'}`);
};

const refusedBy = (re: number, error: unknown): Refused => {
  const said: IsthmusError | undefined = error instanceof Refusal || error instanceof Fault ? error : undefined;
  return {
    type: 'refused',
    re,
    code: said?.code ?? 'service.failed',
    message: said?.message ?? 'Something failed here. Trying again may help.',
  };
};
