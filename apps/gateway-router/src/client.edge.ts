import { Fault, Refusal, type SiteId } from '@isthmus/kernel';
import { roomMeant } from '@isthmus/routing';
import type { ClientToGateway, JoinRequest } from '@isthmus/protocol';
import { CLOSE, inSpan, logOf, tokenBucket, type Conversation } from '@isthmus/service-kit';
import type { Brain } from './brain.js';
import type { Farewell } from './farewell.js';
import { tellFirstFrame } from './first-frame.js';
import type { Admission, Reception } from './reception.js';
import type { Seat, SeatOf } from './seat.js';
import type { Seats } from './seats.js';
import type { SiteCopy } from './site-copy.js';
import type { Line } from './view-feed.js';
import { refusedInWords } from './words.js';

type Ask<T extends ClientToGateway['type']> = Extract<ClientToGateway, { type: T }>;

export interface ClientEdgeParts {
  readonly siteName: string;
  readonly copy: SiteCopy;
  readonly reception: Reception;
  readonly brain: Brain;
  readonly seats: Seats;
  readonly farewell: Farewell;
}

/** Wrong PINs that one connection may try; then it is closed (reliability.md G19). */
export const WRONG_PINS_MAX = 5;
/** Joins cost the site a decision on disk and a placement; nobody who means it needs more than one in two seconds for long. */
const JOINS = { perSecond: 0.5, atOnce: 20 };
/** How long a client waits for the first media node to report before it is sent away. */
const NODE_WITHIN_MS = 10_000;

/** Serves the clients of a site: who comes in by WebSocket, asks for a seat, acts and leaves (libs/protocol, client-gateway.ts). */
export class ClientEdge {
  constructor(private readonly parts: ClientEdgeParts) {}

  readonly connected = (line: Line): Conversation<ClientToGateway> => {
    void this.welcome(line);
    return new Client(this.parts, line);
  };

  private async welcome(line: Line): Promise<void> {
    const { copy, siteName } = this.parts;
    const rtpCapabilities = await copy.rtpCapabilitiesWithin(NODE_WITHIN_MS);
    if (!rtpCapabilities) return line.close(CLOSE.tryAgain, 'This site has no media node right now. Trying again may help.');
    const sites = Object.fromEntries(Object.values(copy.estate.sites).map(({ id, name }) => [id, name]));
    const media = copy.mediaUrl();
    line.send({ type: 'welcome', v: 1, site: copy.site, siteName, sites, rtpCapabilities, ...(media === undefined ? {} : { media }) });
  }
}

/** One connection, from its welcome to its end. */
class Client implements Conversation<ClientToGateway> {
  private seat: Seat | undefined;
  private gone = false;
  private wrongPins = 0;
  /** The alias that the PIN prompt was last shown for. */
  private promptedFor: string | undefined;
  private joinedWith: { readonly traceparent: string | undefined; readonly at: number } | undefined;
  private readonly mayJoin = tokenBucket(JOINS);
  private readonly log = logOf('gateway-router');

  constructor(
    private readonly parts: ClientEdgeParts,
    private readonly line: Line,
  ) {}

  private get site(): SiteId {
    return this.parts.copy.site;
  }

  async message(message: ClientToGateway): Promise<void> {
    try {
      await this.handle(message);
    } catch (error) {
      if (!(error instanceof Refusal)) this.log.warn({ error, request: message.type }, 'a request could not be served');
      this.line.send({ type: 'refused', re: message.id, ...refusedInWords(error) });
    }
  }

  closed(): void {
    this.gone = true;
    if (this.seat) this.parts.seats.lost(this.seat);
  }

  private handle(message: ClientToGateway): Promise<void> | void {
    switch (message.type) {
      case 'join':
        return inSpan('gateway.join', { 'isthmus.site': this.site }, () => this.join(message), { parent: message.traceparent });
      case 'act':
        return this.act(message);
      case 'leave':
        return this.leave(message);
      case 'first-frame':
        return this.firstFrame(message);
    }
  }

  private async join(request: JoinRequest): Promise<void> {
    const { seats, copy } = this.parts;
    if (this.seat && this.seat.state !== 'over') throw new Refusal('join.already', 'You are in a meeting already. Leave it first.');
    if (!this.mayJoin()) throw new Refusal('join.too-often', 'That was too often. Wait a moment before you try again.');
    if (!copy.known) throw new Fault('site.starting', 'This site is starting. Try again in a moment.');
    this.joinedWith = { traceparent: request.traceparent, at: Date.now() };

    const earlier = seats.resumable(request.resume, request.client);
    if (earlier && request.connect <= earlier.of.connect)
      throw new Refusal('conference.elsewhere', 'A newer connection of yours has the seat.');
    // The word that opens a seat again is as good as the PIN that was asked for when it was given.
    if (earlier) return this.sit(request, earlier.of);
    const recalled = await this.recall(request);
    if (recalled) return this.sit(request, recalled);
    if (this.parts.farewell.isDraining) throw this.parts.farewell.refusal(request.alias);
    const admission = await inSpan('gateway.admit', {}, () => this.admit(request));
    if (admission.type === 'pin-needed') return this.askForPin(request, admission.wrong);
    await this.sit(request, { room: admission.room.id, roomName: admission.room.name, role: admission.role, proof: admission.proof });
  }

  /** A resume word from before this process was started. */
  private async recall({
    alias,
    client,
    resume,
    connect,
  }: JoinRequest): Promise<Pick<SeatOf, 'room' | 'roomName' | 'role' | 'proof'> | undefined> {
    const room = resume === undefined ? undefined : roomMeant(this.parts.copy.estate, alias);
    if (resume === undefined || room === undefined) return undefined;
    const seat = await this.parts.brain.recall(room.id, client, resume);
    if (seat === undefined) return undefined;
    if (connect <= seat.connect) throw new Refusal('conference.elsewhere', 'A newer connection of yours has the seat.');
    return { room: room.id, roomName: room.name, role: seat.role, proof: 0 };
  }

  private admit({ alias, pin }: JoinRequest): Promise<Admission> {
    return this.parts.reception.admit({ alias, pin, address: this.line.address, prompted: this.promptedFor === alias });
  }

  private async sit(
    request: JoinRequest,
    { room, roomName, role, proof }: Pick<SeatOf, 'room' | 'roomName' | 'role' | 'proof'>,
  ): Promise<void> {
    const { client: person, name, connect, resume, muted, cameraOff, from, id: re } = request;
    const leg = this.parts.brain.newLeg();
    try {
      const answer = await this.parts.brain.join({
        leg,
        room,
        person,
        name,
        role,
        proof,
        connect,
        muted,
        cameraOff,
        ...(resume === undefined ? {} : { resume }),
        ...(from === undefined ? {} : { from }),
      });
      this.seat = this.parts.seats.take(
        { leg: answer.leg, person, room, roomName, role, proof, resume: answer.resume, connect, re },
        answer,
        this.line,
      );
      if (this.parts.farewell.isDraining) this.seat.notice(this.parts.farewell.notice(this.seat.of));
      if (this.gone) this.parts.seats.lost(this.seat);
    } catch (error) {
      // Disabled a moment ago: as good as unknown.
      if (error instanceof Refusal && error.code === 'room.unknown') return this.askForPin(request, false);
      // It may have happened all the same, or may happen yet.
      if (!(error instanceof Refusal)) void this.parts.seats.withdraw(room, leg);
      throw error;
    }
  }

  /** The same words, whatever was wrong. */
  private askForPin({ alias, id }: JoinRequest, wrong: boolean): void {
    this.promptedFor = alias;
    if (wrong && ++this.wrongPins >= WRONG_PINS_MAX) {
      const message = `That was not right ${WRONG_PINS_MAX} times. Check the meeting name and the PIN with whoever invited you.`;
      this.line.send({ type: 'refused', re: id, code: 'pin.too-many', message });
      return this.line.close(CLOSE.policy, 'Too many wrong PINs.');
    }
    this.line.send({ type: 'pin-needed', re: id });
  }

  private async act({ id, act }: Ask<'act'>): Promise<void> {
    const seat = this.taken();
    await inSpan(`gateway.act`, { 'isthmus.act': act.type }, () => this.parts.brain.act(seat.of.room, seat.of.leg, act));
    this.line.send({ type: 'ok', re: id });
  }

  private leave({ id }: Ask<'leave'>): void {
    this.line.send({ type: 'ok', re: id });
    if (this.seat) void this.parts.seats.letGo(this.seat);
    // The connection stays: the page may show its lobby, and ask again.
    this.seat = undefined;
  }

  private firstFrame(message: Ask<'first-frame'>): void {
    const { traceparent, at } = this.joinedWith ?? {};
    if (traceparent !== undefined && at !== undefined) tellFirstFrame(traceparent, message, { site: this.site, joinedAt: at });
    this.joinedWith = undefined;
    this.line.send({ type: 'ok', re: message.id });
  }

  private taken(): Seat {
    if (this.seat?.state !== 'in') throw new Refusal('join.first', 'You are not in a meeting. Join first.');
    return this.seat;
  }
}
