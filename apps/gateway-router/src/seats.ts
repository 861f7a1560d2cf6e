import { timingSafeEqual } from 'node:crypto';
import { revisionOf, type ConferenceView, type LegId, type PersonId } from '@isthmus/conference';
import { Refusal } from '@isthmus/kernel';
import type { Clock } from '@isthmus/ports';
import type { EndReason, ViewPublished } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit';
import type { Brain, Entered } from './brain.js';
import { Seat, type MediaAddress, type Notice, type SeatOf } from './seat.js';
import type { Line } from './view-feed.js';

/** What was published about a leg, and may count for a seat that the brain gave before and answers later: answers and views take different ways. */
interface Early {
  /** Of the view that it came with. */
  readonly revision: number;
  readonly attach?: MediaAddress;
  readonly ended?: ViewPublished['ended'][number]['reason'];
}

const EARLY_MAX = 1_000;
const VIEWS_MAX = 500;
const LEAVE_AGAIN_MS = { first: 500, most: 30_000 };
/** So many are told of side by side: a brain that comes back after a minute has others to answer as well. */
const TOLD_AT_ONCE = 16;

/**
 * The legs of this site that came in through this gateway-router. A client whose connection breaks keeps its seat for a
 * while; after that the brain is told, again and again until it has heard.
 */
export class Seats {
  private readonly byLeg = new Map<LegId, Seat>();
  private readonly grace = new Map<LegId, NodeJS.Timeout>();
  private readonly early = new Map<LegId, Early>();
  private readonly views = new Map<string, ConferenceView>();
  private readonly log = logOf('gateway-router');
  private closed = false;
  private telling = 0;
  private readonly turns: (() => void)[] = [];

  constructor(
    private readonly brain: Brain,
    private readonly clock: Clock,
    private readonly graceMs: number,
  ) {}

  get size(): number {
    return this.byLeg.size;
  }

  /** The seat that a resume word from an earlier `joined` opens again; it was proved once that its person may be there. */
  resumable(resume: string | undefined, person: PersonId): Seat | undefined {
    if (resume === undefined) return undefined;
    return [...this.byLeg.values()].find(({ of }) => of.person === person && sameText(of.resume, resume));
  }

  /** Seats a client as the brain answered, in place of an earlier connection of the same leg. */
  take(of: SeatOf, answer: Entered, line: Line): Seat {
    this.stopGrace(of.leg);
    this.byLeg.get(of.leg)?.end('replaced');
    const seat = new Seat(of, this.newest(answer.view, of.leg), line, this.clock);
    this.byLeg.set(of.leg, seat);
    if (answer.type === 'Joined') seat.attach(answer.media, answer.role);
    else seat.wait(answer.reason);
    const early = this.early.get(of.leg);
    this.early.delete(of.leg);
    const newerBy = early === undefined ? -1 : early.revision - revisionOf(answer.view);
    if (early?.attach && newerBy >= (answer.type === 'Waiting' ? 0 : 1)) seat.attach(early.attach);
    if (early?.ended && newerBy >= 0) this.end(seat, early.ended);
    return seat;
  }

  /** The brain says how a meeting stands at this site, and what became of legs. */
  heard({ view, ended, attach, notices }: ViewPublished): void {
    this.keep(view);
    this.confirmTo(view);
    for (const { leg } of [...view.seats, ...view.waiting]) this.byLeg.get(leg)?.see(view);
    const revision = revisionOf(view);
    for (const { leg, media } of attach) {
      this.byLeg.get(leg)?.attach(media);
      this.remember(leg, { revision, attach: media });
    }
    for (const { leg, code, message } of notices) this.byLeg.get(leg)?.notice({ code, message });
    for (const { leg, reason } of ended) {
      const seat = this.byLeg.get(leg);
      if (seat) this.end(seat, reason);
      this.remember(leg, { revision, ended: reason });
    }
    this.endMissing(view);
  }

  /** Says something to everybody who is in. */
  tell(words: (of: SeatOf, at: number) => Notice): void {
    for (const [at, seat] of [...this.byLeg.values()].entries()) seat.notice(words(seat.of, at));
  }

  /** The connection is gone without a goodbye. Whoever only waited has nothing to come back to. */
  lost(seat: Seat): void {
    if (seat.state === 'over' || this.closed) return;
    const { leg } = seat.of;
    if (seat.state === 'waiting') return void this.letGo(seat);
    this.grace.set(
      leg,
      setTimeout(() => {
        this.grace.delete(leg);
        void this.letGo(seat);
      }, this.graceMs),
    );
  }

  /** Goes for good. Resolves when the brain has recorded it, or has been told often enough for now. */
  async letGo(seat: Seat): Promise<void> {
    if (seat.state === 'over') return;
    this.forget(seat);
    seat.release();
    await this.tellBrain(seat.of);
  }

  /** A joining whose answer did not come in time: nobody was told of the seat, so nobody may be left sitting there. */
  async withdraw(room: string, leg: LegId): Promise<void> {
    await this.tellBrain({ room, leg });
  }

  close(): void {
    this.closed = true;
    for (const timer of this.grace.values()) clearTimeout(timer);
    this.grace.clear();
    for (const seat of this.byLeg.values()) seat.release();
    this.byLeg.clear();
  }

  /** A brain that was started anew does not know whom we answer for, and sweeps whom nobody answers for. */
  private confirmTo(view: ConferenceView): void {
    const { conference, version } = view;
    for (const { leg } of [...view.seats, ...view.waiting]) {
      const seat = this.byLeg.get(leg);
      if (seat === undefined || seat.view.conference !== conference || seat.view.version.epoch >= version.epoch) continue;
      this.brain.confirm(seat.of.room, leg).catch((error: unknown) => {
        // What it refuses has ended there, and is told as such.
        if (!(error instanceof Refusal)) this.log.warn({ leg, error }, 'a brain that was started anew could not be told of a seat');
      });
    }
  }

  /** A seat that the meeting no longer has, though nobody said that it ended: its brain was started anew. A new join puts that right. */
  private endMissing(view: ConferenceView): void {
    for (const seat of this.byLeg.values()) {
      const newer = seat.view.conference === view.conference && revisionOf(view) > revisionOf(seat.view);
      if (newer && ![...view.seats, ...view.waiting].some(({ leg }) => leg === seat.of.leg)) this.end(seat, 'node-lost');
    }
  }

  private end(seat: Seat, reason: EndReason): void {
    this.forget(seat);
    seat.end(reason);
  }

  private forget(seat: Seat): void {
    this.stopGrace(seat.of.leg);
    if (this.byLeg.get(seat.of.leg) === seat) this.byLeg.delete(seat.of.leg);
  }

  private stopGrace(leg: LegId): void {
    clearTimeout(this.grace.get(leg));
    this.grace.delete(leg);
  }

  private async tellBrain({ room, leg }: Pick<SeatOf, 'room' | 'leg'>): Promise<void> {
    for (let waitMs = LEAVE_AGAIN_MS.first; !this.closed; waitMs = Math.min(waitMs * 2, LEAVE_AGAIN_MS.most)) {
      try {
        return await this.inTurn(() => this.brain.leave(room, leg));
      } catch (error) {
        // It is gone there already, which is what was wanted.
        if (error instanceof Refusal) return;
        this.log.warn({ leg, error }, 'the brain could not be told that a leg has left; trying again');
        await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
      }
    }
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.telling >= TOLD_AT_ONCE) await new Promise<void>((resolve) => this.turns.push(resolve));
    this.telling += 1;
    try {
      return await work();
    } finally {
      this.telling -= 1;
      this.turns.shift()?.();
    }
  }

  private keep(view: ConferenceView): void {
    const known = this.views.get(view.conference);
    if (known && revisionOf(known) > revisionOf(view)) return;
    this.views.delete(view.conference);
    if (view.seats.length + view.waiting.length > 0) this.views.set(view.conference, view);
    if (this.views.size > VIEWS_MAX) this.views.delete(this.views.keys().next().value ?? '');
  }

  private newest(answered: ConferenceView, leg: LegId): ConferenceView {
    const published = this.views.get(answered.conference);
    const knowsIt = published && [...published.seats, ...published.waiting].some((other) => other.leg === leg);
    return knowsIt && revisionOf(published) > revisionOf(answered) ? published : answered;
  }

  private remember(leg: LegId, early: Early): void {
    const known = this.early.get(leg);
    this.early.delete(leg);
    this.early.set(leg, { ...known, ...early });
    if (this.early.size > EARLY_MAX) this.early.delete(this.early.keys().next().value ?? leg);
  }
}

/** Equal, told in a time that depends on the length only. */
const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};
