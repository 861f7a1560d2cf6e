import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { Defect } from '@isthmus/kernel';
import type { Identity } from './identity.js';

export interface LinkLimits {
  /** Longest message, in bytes of JSON, either way. Default 1 MiB. */
  readonly messageBytes?: number;
  /** Most bytes that may wait to be sent; a peer that lets more pile up does not read, and is cut. Default 8 MiB. */
  readonly bufferedBytes?: number;
  /** Default 500 ms. */
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
  /** When the last byte came from the other end, as `performance.now` has it, within a heartbeat. */
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
/** Looks for signs of life per ping: a link is then found dead soon after it is. */
const LOOKS_PER_PING = 5;
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
    clearInterval(heartbeat);
    inbox.length = 0;
    closed = ownReason ?? (said.toString() || (REASON_OF_CODE[code] ?? `closed with code ${code}`));
    for (const handler of closeHandlers.splice(0)) handler(closed);
  });

  // Any byte is a sign of life: a long message on a slow link takes longer than the deadline, and so may a pong behind it.
  let lastBytes = stream.bytesRead;
  let lastHeard = performance.now();
  let lastTick = lastHeard;
  let looks = 0;
  const heartbeat = setInterval(() => {
    const now = performance.now();
    const wasAway = now - lastTick > 2 * limits.pingMs;
    lastTick = now;
    // While we do not read, or did not run, silence is our own doing.
    if (stream.bytesRead !== lastBytes || socket.isPaused || wasAway) {
      lastBytes = stream.bytesRead;
      lastHeard = now;
    }
    if (now - lastHeard >= limits.deadMs) return cut(`no answer for ${limits.deadMs / 1_000} s`);
    if (++looks % LOOKS_PER_PING === 0 && socket.readyState === socket.OPEN) socket.ping(String(now));
  }, limits.pingMs / LOOKS_PER_PING);
  heartbeat.unref();
  socket.on('pong', (data) => {
    const sentAt = Number(data.toString());
    if (sentAt > 0 && sentAt <= performance.now()) rttMs = performance.now() - sentAt;
  });
  if (socket.readyState === socket.OPEN) socket.ping(String(performance.now()));

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
