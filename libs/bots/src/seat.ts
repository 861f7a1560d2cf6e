import type { LegId } from '@isthmus/conference';
import { Fault, Refusal } from '@isthmus/kernel';
import type { Act, ClientToGateway, EndReason, GatewayToClient, JoinRequest, MeetingView, MoveOffer } from '@isthmus/protocol';
import { Line } from './line.js';

/**
 * A place in a meeting, held over the gateway's WebSocket: joins, follows the view, acts, and comes back into the same seat
 * by itself when the connection breaks. Media are somebody else's concern: they are told where to attach.
 */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 4_000;
/** Ends of a seat after which a client should come back (client-gateway.ts). */
const WORTH_A_RETURN: ReadonlySet<EndReason> = new Set(['node-lost', 'timeout']);

export type Joined = Extract<GatewayToClient, { type: 'joined' }>;
export type MediaPlace = Joined['media'];

export interface SeatOptions {
  /** `http://…:7100` or `ws://…/ws`. */
  readonly gatewayUrl: string;
  readonly join: Omit<JoinRequest, 'v' | 'id' | 'type' | 'connect' | 'resume'>;
  readonly connect?: number;
  readonly authority?: string;
  readonly onWaiting: (reason: 'host' | 'lock') => void;
  readonly onMedia: (place: MediaPlace, leg: LegId) => void;
  readonly onView: (view: MeetingView) => void;
  readonly onNotice: (code: string, message: string) => void;
  /** Its site is to end, and this is how to get to another. */
  readonly onMove: (offer: MoveOffer) => void;
  /** The seat is gone for good. */
  readonly onEnded: (reason: string) => void;
}

export const webSocketUrl = (gatewayUrl: string): string => {
  const url = URL.parse(gatewayUrl);
  if (!url || !/^(http|ws)s?:$/.test(url.protocol)) {
    throw new Refusal('bot.bad-url', `"${gatewayUrl}" is no address of a site. It looks like http://127.0.0.11:7100.`);
  }
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (url.pathname === '/') url.pathname = '/ws';
  return url.href;
};

export class Seat {
  private line: Line<GatewayToClient, ClientToGateway> | null = null;
  private connect: number;
  private resume: string | undefined;
  private joined: Joined | null = null;
  private left = false;
  private retry: NodeJS.Timeout | null = null;
  private retryMs = RETRY_FIRST_MS;

  private constructor(private readonly options: SeatOptions) {
    this.connect = (options.connect ?? 1) - 1;
  }

  static async take(options: SeatOptions): Promise<Seat> {
    const seat = new Seat(options);
    try {
      await seat.enter();
    } catch (error) {
      seat.close();
      throw error;
    }
    return seat;
  }

  get details(): Joined {
    if (!this.joined) throw new Fault('bot.not-seated', 'The bot has no seat (yet).');
    return this.joined;
  }

  /** Who sits here, and how often they have connected. */
  get sitter(): { readonly join: SeatOptions['join']; readonly connect: number } {
    return { join: this.options.join, connect: this.connect };
  }

  async act(act: Act): Promise<void> {
    await this.request({ type: 'act', act });
  }

  /** Says goodbye; quiet when there is nobody to say it to. */
  async leave(): Promise<void> {
    if (this.left) return;
    this.left = true;
    await this.request({ type: 'leave' }, 2_000).catch(() => {});
    this.close();
  }

  /** Goes without a word, as a crashed browser does. */
  close(): void {
    this.left = true;
    if (this.retry) clearTimeout(this.retry);
    this.line?.close();
  }

  private async request(
    message: Omit<Extract<ClientToGateway, { type: 'act' }>, 'v' | 'id'> | { readonly type: 'leave' },
    deadlineMs?: number,
  ): Promise<void> {
    if (!this.line) throw new Fault('bot.not-seated', 'The bot is not connected to its site right now.');
    await this.line.request(message, deadlineMs === undefined ? {} : { deadlineMs });
  }

  private async enter(): Promise<void> {
    const { gatewayUrl, join, authority } = this.options;
    const { from: _, ...again } = join;
    this.connect++;
    const line: Line<GatewayToClient, ClientToGateway> = await Line.open(
      webSocketUrl(gatewayUrl),
      {
        onMessage: (message) => this.told(message),
        onClose: (code, reason) => {
          if (this.line === line) this.lost(`connection closed (${code} ${reason})`);
        },
      },
      authority,
    );
    this.line = line;
    const answer = await line.request(
      { ...(this.joined ? again : join), type: 'join', connect: this.connect, ...(this.resume && { resume: this.resume }) },
      {
        provisional: ({ type }) => type === 'waiting',
        onAnswer: (answer) => {
          if (answer.type === 'joined') this.sit(answer);
        },
      },
    );
    if (answer.type === 'pin-needed') throw new Refusal('bot.pin-needed', 'The room asks for a PIN, and this is not it.');
    if (answer.type !== 'joined') throw new Fault('bot.bad-server', `"join" was answered by "${answer.type}".`);
  }

  private sit(joined: Joined): void {
    this.joined = joined;
    this.resume = joined.resume;
    this.retryMs = RETRY_FIRST_MS;
    this.options.onMedia(joined.media, joined.leg);
    this.options.onView(joined.view);
  }

  private told(message: GatewayToClient): void {
    if (this.left) return;
    switch (message.type) {
      case 'view':
        return this.options.onView(message.view);
      case 'waiting':
        return this.options.onWaiting(message.reason);
      case 'media':
        return this.options.onMedia(message.media, this.details.leg);
      case 'notice':
        this.options.onNotice(message.code, message.message);
        return message.move && this.options.onMove(message.move);
      case 'ended':
        if (WORTH_A_RETURN.has(message.reason)) return this.lost(message.message);
        this.close();
        return this.options.onEnded(message.reason);
      case 'welcome':
      case 'ok':
      case 'refused':
      case 'pin-needed':
      case 'joined':
        return; // The greeting, or an answer nobody waits for any more.
    }
  }

  /** Comes back, later and later, until somebody says no for good. */
  private lost(why: string): void {
    if (this.left || !this.joined || this.retry) return;
    const before = this.line;
    this.line = null;
    before?.close();
    this.options.onNotice('bot.returning', `The site was lost (${why}); coming back.`);
    this.retry = setTimeout(() => {
      this.retry = null;
      if (this.left) return;
      this.enter().catch((error: unknown) => {
        if (error instanceof Refusal && error.code !== 'bot.pin-needed') {
          this.close();
          return this.options.onEnded(`${error.code}: ${error.message}`);
        }
        this.lost(String(error));
      });
    }, this.retryMs);
    this.retryMs = Math.min(RETRY_MAX_MS, this.retryMs * 2);
  }
}
