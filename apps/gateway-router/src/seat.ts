import { revisionOf, type ConferenceView, type LegId, type PersonId, type Role } from '@isthmus/conference';
import type { Clock } from '@isthmus/ports';
import type { EndReason, MoveOffer } from '@isthmus/protocol';
import { meetingViewFor } from './meeting-view.js';
import { ViewFeed, type Line } from './view-feed.js';
import { endedInWords } from './words.js';

export interface MediaAddress {
  readonly url: string;
  readonly token: string;
}

/** Something that a person should be told once. */
export interface Notice {
  readonly code: string;
  readonly message: string;
  readonly move?: MoveOffer | undefined;
}

export interface SeatOf {
  readonly leg: LegId;
  readonly person: PersonId;
  /** Room id, and what people call it. */
  readonly room: string;
  readonly roomName: string;
  /** What was proved at the door. */
  readonly role: Role;
  /** Which generation of that role's PIN it was. */
  readonly proof: number;
  readonly resume: string;
  readonly connect: number;
  /** Id of the request that asked for it: `joined` answers it, now or later. */
  readonly re: number;
}

/**
 * One leg that this gateway-router answers for, and the client that sits there, if its connection is up. It tells the client
 * what becomes of its seat; what becomes of it is the brain's to say.
 */
export class Seat {
  state: 'waiting' | 'in' | 'over' = 'waiting';
  view: ConferenceView;
  private waitingFor: 'host' | 'lock' | undefined;
  private readonly feed: ViewFeed;

  constructor(
    readonly of: SeatOf,
    view: ConferenceView,
    readonly line: Line,
    clock: Clock,
  ) {
    this.view = view;
    this.feed = new ViewFeed(line, clock);
  }

  /** Asked to wait at the door; said again when what it waits for changes. */
  wait(reason: 'host' | 'lock'): void {
    if (this.state !== 'waiting' || this.waitingFor === reason) return;
    this.waitingFor = reason;
    this.line.send({ type: 'waiting', re: this.of.re, reason });
  }

  /** In, with where to attach; or, if it is in already, somewhere else to attach. */
  attach(media: MediaAddress, role?: Role): void {
    if (this.state === 'over') return;
    if (this.state === 'in') return this.line.send({ type: 'media', media });
    const { leg, re, roomName, resume } = this.of;
    const view = meetingViewFor(leg, this.view);
    const seat = this.view.seats.find((other) => other.leg === leg);
    this.state = 'in';
    this.feed.told(view);
    this.line.send({
      type: 'joined',
      re,
      leg,
      conference: this.view.conference,
      room: roomName,
      role: role ?? seat?.role ?? 'guest',
      resume,
      media,
      view,
    });
  }

  /** Takes a view unless it is older than what it has. */
  see(view: ConferenceView): void {
    if (this.state === 'over' || (view.conference === this.view.conference && revisionOf(view) < revisionOf(this.view))) return;
    this.view = view;
    if (this.state === 'in') return this.feed.show(meetingViewFor(this.of.leg, view));
    const waiting = view.waiting.find(({ leg }) => leg === this.of.leg);
    if (waiting) this.wait(waiting.reason);
  }

  notice({ code, message, move }: Notice): void {
    this.line.send({ type: 'notice', code, message, ...(move === undefined ? {} : { move }) });
  }

  /** The seat is gone. Somebody turned away at the door keeps the connection and may ask again; everybody else is told and closed. */
  end(reason: EndReason): void {
    if (this.state === 'over') return;
    const turnedAway = this.state === 'waiting' && reason === 'rejected';
    this.release();
    if (turnedAway)
      return this.line.send({ type: 'refused', re: this.of.re, code: 'conference.rejected', message: endedInWords('rejected') });
    this.line.send({ type: 'ended', reason, message: endedInWords(reason) });
    this.line.close(1000, reason);
  }

  /** Forgets the client without a word. */
  release(): void {
    this.state = 'over';
    this.feed.stop();
  }
}
