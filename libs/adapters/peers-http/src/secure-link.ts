import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { Defect } from '@isthmus/kernel';
import type { Identity } from './identity.js';

export interface LinkLimits {
  /** Longest message, in bytes of JSON, either way. Default 1 MiB. */
  readonly messageBytes?: number;
  /** Most bytes that may wait to be sent; a peer that lets more pile up does not read, and is cut. Default 8 MiB. */
  readonly bufferedBytes?: number;
  /** After so long without a byte the other end is asked for one. Default 500 ms. */
  readonly pingMs?: number;
  /** A link on which not a byte has come for so long is dead. Default 1,500 ms. */
  readonly deadMs?: number;
}

export const LIMITS: Required<LinkLimits> = { messageBytes: 1024 * 1024, bufferedBytes: 8 * 1024 * 1024, pingMs: 500, deadMs: 1_500 };

/** One live connection to somebody whose certificate we have checked: JSON messages, both ways, in order. */
export interface SecureLink {
  /** Who is at the other end, by certificate. */
  readonly identity: Identity;
  /** Round trip of the last heartbeat, ms; undefined before the first. */
  readonly rttMs: number | undefined;
  /** When the last byte came from the other end, as `performance.now` has it; within a ping's time if it began a message that is long. */
  readonly heardAtMs: number;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  readonly open: boolean;
  /**
   * Sends if the link is open. False if it is not, or was cut just now because the other end does not read.
   * @throws Defect `link.too-large` for a message longer than the limit.
   */
  send(message: unknown): boolean;
  /**
   * Takes messages one at a time: the next comes when what the handler returned is done, and meanwhile the sender is held up.
   * Messages wait until there is a handler. What it throws closes the link with `the receiver failed`.
   */
  onMessage(handle: (message: unknown) => void | Promise<void>): void;
  /** Called once, with the reason for a person, at once if it is closed already. */
  onClose(handle: (reason: string) => void): void;
  /** Quiet the second time. The reason (up to 120 bytes) is told to the other end. */
  close(reason?: string): void;
}

/** RFC 6455 §7.4.2: 4000 to 4999 are ours. Whoever closes says why in the reason. */
const CLOSED_BY_US = 4_000;
/** With so many messages waiting for a slow handler the socket is not read. */
const INBOX = 64;
/** A ping for so many that silence would take: how long the way is must be known also where the other end is never silent. */
const PINGS_PER_ROUND_TRIP = 4;
/** A timer may come a moment early. ms */
const EARLY_MS = 2;
/** How long the other end may take to say goodbye. */
const GOODBYE_MS = 500;

const REASON_OF_CODE: Readonly<Record<number, string>> = {
  1000: 'closed by the other end',
  1001: 'the other end went away',
  1006: 'connection lost',
  1007: 'malformed message',
  1009: 'message too large',
};

export const secureLink = (socket: WebSocket, stream: TLSSocket, identity: Identity, limits: Required<LinkLimits>): SecureLink => {
  const inbox: unknown[] = [];
  const closeHandlers: ((reason: string) => void)[] = [];
  let handle: ((message: unknown) => void | Promise<void>) | undefined;
  let handling = false;
  let closed: string | undefined;
  /** Why we close it ourselves; wins over what the socket says afterwards. */
  let ownReason: string | undefined;
  let rttMs: number | undefined;

  const close = (reason = 'closed'): void => {
    if (ownReason !== undefined || closed !== undefined) return;
    ownReason = reason;
    inbox.length = 0;
    socket.resume();
    socket.close(
      CLOSED_BY_US,
      Buffer.from(reason)
        .subarray(0, 120)
        .toString()
        .replace(/\ufffd+$/, ''),
    );
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
  };
  /** For an end that does not answer: it would not answer a goodbye either. */
  const cut = (reason: string): void => {
    ownReason ??= reason;
    inbox.length = 0;
    socket.terminate();
  };

  const work = async (): Promise<void> => {
    if (handling || !handle) return;
    handling = true;
    try {
      while (inbox.length > 0) {
        const message = inbox.shift();
        if (inbox.length < INBOX && socket.isPaused) socket.resume();
        await handle(message);
      }
    } catch (error) {
      close(`the receiver failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      handling = false;
    }
  };

  socket.on('message', (data: Buffer, isBinary) => {
    if (ownReason !== undefined) return;
    if (isBinary) return close('binary message: only JSON text is spoken here');
    let message: unknown;
    try {
      message = JSON.parse(data.toString());
    } catch {
      return close('malformed message: not JSON');
    }
    inbox.push(message);
    if (inbox.length >= INBOX) socket.pause();
    void work();
  });
  socket.on('error', (error: Error & { code?: string }) => {
    ownReason ??=
      error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? `message too large: ${limits.messageBytes} bytes is the most` : error.message;
  });
  socket.on('close', (code, said) => {
    clearTimeout(looking);
    stream.off('data', hear);
    inbox.length = 0;
    closed = ownReason ?? (said.toString() || (REASON_OF_CODE[code] ?? `closed with code ${code}`));
    for (const handler of closeHandlers.splice(0)) handler(closed);
  });

  // Any byte is a sign of life: a long message on a slow link takes longer than the deadline, and so may a pong behind it.
  // Whoever has just been heard is not asked for one.
  let lastBytes = stream.bytesRead;
  let lastHeard = performance.now();
  let dueAt = Infinity;
  let pingedAt = -Infinity;
  const hear = (): void => {
    lastHeard = performance.now();
    lastBytes = stream.bytesRead;
  };
  stream.on('data', hear);
  const ping = (now: number): void => {
    pingedAt = now;
    if (socket.readyState === socket.OPEN) socket.ping(String(now));
  };
  const look = (): void => {
    const now = performance.now();
    const wasAway = now - dueAt > 1.5 * limits.pingMs;
    // Part of a record may have come; and while we do not read, or did not run, silence is our own doing.
    if (stream.bytesRead !== lastBytes || socket.isPaused || wasAway) hear();
    const silentMs = now - lastHeard + EARLY_MS;
    if (silentMs >= limits.deadMs) return cut(`no answer for ${limits.deadMs / 1_000} s`);
    // While we do not read, we answer no ping, and our own is all that the other end hears of us.
    const pingsApart = silentMs >= limits.pingMs || socket.isPaused ? 1 : PINGS_PER_ROUND_TRIP;
    if (now - pingedAt + EARLY_MS >= pingsApart * limits.pingMs) ping(now);
    const next = silentMs < limits.pingMs ? limits.pingMs - silentMs : Math.min(limits.pingMs, limits.deadMs - silentMs);
    looking = lookAfter(next + EARLY_MS);
  };
  const lookAfter = (ms: number): NodeJS.Timeout => {
    dueAt = performance.now() + ms;
    return setTimeout(look, ms).unref();
  };
  let looking = lookAfter(limits.pingMs);
  socket.on('pong', (data) => {
    const sentAt = Number(data.toString());
    if (sentAt > 0 && sentAt <= performance.now()) rttMs = performance.now() - sentAt;
  });
  ping(performance.now());

  return {
    identity,
    get rttMs() {
      return rttMs;
    },
    get heardAtMs() {
      return lastHeard;
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    get open() {
      return ownReason === undefined && socket.readyState === socket.OPEN;
    },
    send: (message) => {
      if (ownReason !== undefined || socket.readyState !== socket.OPEN) return false;
      const text = JSON.stringify(message);
      const bytes = Buffer.byteLength(text);
      if (bytes > limits.messageBytes)
        throw new Defect('link.too-large', `A message of ${bytes} bytes; ${limits.messageBytes} is the most.`, { bytes });
      if (socket.bufferedAmount + bytes > limits.bufferedBytes) {
        cut('the other end does not read');
        return false;
      }
      socket.send(text);
      return true;
    },
    onMessage: (handler) => {
      handle = handler;
      void work();
    },
    onClose: (handler) => {
      if (closed === undefined) closeHandlers.push(handler);
      else handler(closed);
    },
    close,
  };
};
