import {
  conference,
  legIdOf,
  legOf,
  viewOf,
  type ConferenceAct,
  type ConferenceCommand,
  type ConferenceId,
  type ConferenceSeen,
  type ConferenceView,
  type LegId,
  type Occasion,
  type WriteOffReason,
} from '@isthmus/conference';
import { Defect, Refusal, type Fact, type SiteId } from '@isthmus/kernel';
import { carriesForOthers, cascade, intermediaryOf, place, type NodeDesire, type NodeId } from '@isthmus/placement';
import type { BrainAnswer, BrainCommand, ViewPublished } from '@isthmus/protocol';
import { besides } from './besides.js';
import type { Chronicle } from './chronicle.js';
import { elsewhere } from './holding.js';
import { LetGo } from './let-go.js';
import type { Links } from './links.js';
import { sameMeeting, type MeetingOutput } from './meeting-output.js';
import type { Nodes } from './nodes.js';
import { Notices, type SiteName } from './notices.js';
import { allNodesFull, meetingOver, tooLate } from './refusals.js';
import { seatIn, type Seating, type Seats } from './seats.js';

/** One room in use, as this site's brain runs it: decides, records, seats people, and says what everyone should see and get. */
export class Meeting {
  private readonly room: string;
  private readonly writer: Chronicle['writer'];
  private retired = false;
  private view: ConferenceView | undefined;
  private revision = 0;
  private intermediary: NodeId | undefined;
  private readonly letGo: LetGo;
  private swept = false;
  private desired = 0;
  private lastDesired = '[]';
  private queue: Promise<unknown> = Promise.resolve();
  /** This site's people at the door, or inside and without a media node as yet. */
  private readonly waiting = new Map<LegId, 'door' | 'node'>();
  private readonly notices: Notices;
  /** What had come in by when it was last caught up with. */
  private caughtUp: { readonly with: readonly Fact[]; readonly count: number } = { with: [], count: 0 };

  constructor(
    readonly chronicle: Chronicle,
    private readonly links: Links,
    private readonly nodes: Nodes,
    private readonly seats: Seats,
    private readonly rules: () => ConferenceSeen['room'],
    private readonly output: MeetingOutput,
    nameOf: SiteName,
  ) {
    this.room = chronicle.room;
    this.writer = chronicle.writer;
    this.letGo = new LetGo((node) => nodes.isLost(node));
    this.notices = new Notices(this.writer.site, nameOf);
  }

  /** The meeting as this site sees it; undefined while nobody is in it. */
  get current(): ConferenceView | undefined {
    return this.view;
  }

  /** How the media of this room are called at every site, whichever occasion it is. */
  get mediaId(): ConferenceId {
    return this.room as ConferenceId;
  }

  /** What was so when this brain began is nobody's news. */
  begin(): void {
    for (const { state } of this.chronicle.histories()) this.notices.remember(state);
    this.chronicle.forgetEmpty();
  }

  /** Another brain of this site decides here from now on: what was under way is not begun any more, and nothing more is said. */
  retire(): void {
    this.retired = true;
    for (const leg of [...this.seats.inRoom(this.room).keys()]) this.seats.release(leg);
  }

  join(command: Extract<BrainCommand, { type: 'Join' }>): Promise<BrainAnswer> {
    return this.inTurn(async () => {
      await this.catchUp();
      const back = seatIn(this.view, this.seats.resumed(command.resume), command.person);
      if (!back && this.freeNode() === undefined) throw allNodesFull();

      // Whoever asks again, because nobody answered, is the one who came then.
      const leg = back?.leg ?? command.leg ?? legIdOf(this.writer.site, this.unique());
      const { type, room: _room, resume: _resume, proof = 0, ...coming } = command;
      const id = this.chronicle.whereIs(leg) ?? (await this.chronicle.enter(this.unique(), this.reach()));
      await this.record({ ...coming, type, leg, site: this.writer.site, proof }, id);
      return this.welcome(leg, id);
    });
  }

  /** Whom a resume word lets in again, for a gateway-router that was started anew and has not seen them come. */
  recall({ resume, person }: Extract<BrainCommand, { type: 'Recall' }>): BrainAnswer {
    const seat = seatIn(this.view, this.seats.resumed(resume), person);
    const connect = seat && legOf(this.chronicle.state(this.chronicle.occasion(this.reach())), seat.leg)?.leg.connect;
    if (seat === undefined || connect === undefined) throw new Refusal('conference.unknown-leg', 'That seat is not there any more.');
    return { type: 'Recalled', role: seat.role, connect };
  }

  /** A gateway-router answers for a leg that this brain, started anew, has not been asked for yet: it gets its seat, or its place at the door. */
  confirm(leg: LegId): void {
    const there = [...(this.view?.seats ?? []), ...(this.view?.waiting ?? [])].some((each) => each.leg === leg);
    if (!there) throw new Refusal('conference.unknown-leg', 'That seat is not there any more.');
    if (this.seats.of(leg)?.askedFor === true) return;
    this.waiting.set(leg, 'node');
    this.refresh();
  }

  /** Legs that a media node has, from before this brain began: they stay where their media are. When nobody comes back, it is told. */
  found(node: NodeId, legs: readonly LegId[], epoch = this.writer.epoch): void {
    const here = new Set((this.view?.seats ?? []).filter(({ site }) => site === this.writer.site).map(({ leg }) => leg));
    const fresh = legs.filter((leg) => here.has(leg) && this.seats.of(leg) === undefined);
    for (const leg of fresh) this.seats.seat(leg, this.room, node, false);
    const isLeft = this.swept && epoch < this.writer.epoch && this.letGo.also(node);
    if (fresh.length > 0) this.refresh();
    else if (isLeft) this.desire();
  }

  act(by: LegId, act: ConferenceAct): Promise<void> {
    return this.inTurn(() => this.decide({ ...act, by }, this.chronicle.whereIs(by)));
  }

  leave(leg: LegId): Promise<void> {
    return this.inTurn(() => this.decide({ type: 'Leave', leg }, this.chronicle.whereIs(leg)));
  }

  /** The detector heard this leg as the dominant speaker. */
  async spoke(leg: LegId): Promise<void> {
    const isNews = () => this.view?.floor !== leg && this.view?.seats.some((seat) => seat.leg === leg) === true;
    if (isNews())
      await this.inTurn(async () => void (isNews() && (await this.decide({ type: 'TakeFloor', leg }, this.chronicle.whereIs(leg)))));
  }

  /** Takes facts of other sites, durable here already; afterwards the meeting is as it was everywhere. */
  async adopted(facts: readonly Fact[]): Promise<void> {
    await this.chronicle.adopt(facts);
    this.refresh();
    await this.tidy();
  }

  /** Nobody decides against less than this site knows (merge rule 8): what is durable here and is to be folded later counts now. */
  private async catchUp(): Promise<void> {
    if (this.chronicle.waitsFor !== undefined) await this.chronicle.waitsFor;
    const facts = this.links.unfolded(this.room);
    const known = facts === this.caughtUp.with ? this.caughtUp.count : 0;
    this.caughtUp = { with: facts, count: facts.length };
    if (facts.length === known) return;
    await this.chronicle.adopt(facts.slice(known));
    this.refresh();
  }

  /**
   * Records what follows for this site from what is known: that conferences are one, that a leg of ours was replaced, that the
   * room has newer PINs. Asked again and again, because a store may fail when it is due.
   */
  tidy(): Promise<void> {
    return this.inTurn(async () => {
      if (await this.follow()) this.refresh();
      await this.notePins();
    });
  }

  private async follow(): Promise<boolean> {
    const answered = await this.chronicle.answer(this.there());
    const settled = await this.chronicle.settle(this.reach());
    const closed = await this.chronicle.closeReplaced();
    return answered || settled || closed;
  }

  /** The estate may have newer PINs than the meeting has heard of (merge rule 2), even if it was only being opened when they came. */
  private async notePins(): Promise<void> {
    const id = this.chronicle.occasion(this.reach())?.name;
    if (id === undefined) return;
    const news = conference.decide({ type: 'NotePins' }, this.chronicle.stateOf(id), this.seen());
    if (news.length > 0) await this.decide({ type: 'NotePins' }, id);
  }

  /** The room was disabled or deleted: deliberate, so its people of this site leave (merge rule 16). */
  close(): Promise<void> {
    return this.inTurn(async () => {
      for (const leg of this.there()) await this.decide({ type: 'Leave', leg, reason: 'room-disabled' }, this.chronicle.whereIs(leg));
    });
  }

  /** Sites that are gone for good keep no meeting alive (merge rule 6). */
  writeOff(goneFor: (site: SiteId) => WriteOffReason | undefined): Promise<void> {
    return this.inTurn(async () => {
      for (const [id, sites] of this.chronicle.sites()) {
        for (const site of sites) {
          const reason = goneFor(site);
          if (reason !== undefined && site !== this.writer.site) await this.record({ type: 'WriteOff', site, reason }, id);
        }
      }
      this.refresh();
    });
  }

  /** Legs of this site that no gateway-router answers for: from before a restart. */
  sweep(): Promise<void> {
    this.swept = true;
    return this.inTurn(async () => {
      const ours = [...(this.view?.seats ?? []), ...(this.view?.waiting ?? [])].filter(({ site }) => site === this.writer.site);
      const orphans = ours.filter(({ leg }) => this.seats.of(leg)?.askedFor !== true && !this.waiting.has(leg));
      for (const { leg } of orphans) await this.decide({ type: 'Leave', leg, reason: 'lost' }, this.chronicle.whereIs(leg));
    });
  }

  /**
   * Works out what everyone at this site should see and get, and says so if it is news. Called after every change: facts,
   * reach, nodes, the other sites' intermediaries.
   */
  refresh(): void {
    if (this.retired) return;
    // Written off, and not gone: that is said before anything is concluded from it, or people would be sent away for a silence.
    if (this.chronicle.mustAnswer(this.there())) return void this.tidy().catch(() => undefined);
    const before = this.view;
    const occasion = this.chronicle.occasion(this.reach());
    if (occasion === undefined && before === undefined) return;
    const state = this.chronicle.state(occasion);
    const seen = viewOf(state, {
      conference: occasion?.name ?? before?.conference ?? this.mediaId,
      room: this.room,
      site: this.writer.site,
      reach: this.reach(),
      version: { epoch: this.writer.epoch, revision: this.revision },
    });
    const view = { ...seen, ...besides(occasion, this.chronicle) };
    const notices = this.notices.fresh(state, [...this.seats.inRoom(this.room).keys()]);
    const ended = this.releaseEnded(view, occasion);
    const attach = [...this.moveAway(), ...this.seatAdmitted(view)];
    const carrying = [...this.seats.inRoom(this.room).values()].map(({ node }) => node);
    // Where nobody of this site is in, a node stands in as long as other sites see each other through here.
    const passes = carrying.length === 0 && carriesForOthers(view, this.links.network, this.writer.site);
    const standIns = passes ? [this.freeNode() ?? this.intermediary ?? []].flat() : this.nodes.there(carrying);
    this.intermediary = intermediaryOf(standIns, this.intermediary);
    this.output.standIn(this.intermediary);
    if (before === undefined || [attach, ended, notices].some(({ length }) => length > 0) || !sameMeeting(before, view)) {
      this.revision += 1;
      this.view = { ...view, version: { epoch: this.writer.epoch, revision: this.revision } };
      this.output.view({ view: this.view, ended, attach, notices });
    }
    this.desire();
    if (occasion === undefined && this.chronicle.forgetEmpty()) this.view = undefined;
  }

  /** Says what the nodes should be doing; harmless when they know. Each change has a number of its own, so that nodes tell new from old. */
  desire(): void {
    if (this.retired) return;
    const wanted = this.desires();
    const idle = this.letGo.next(wanted.map(({ node }) => node));
    const all = [
      ...wanted,
      ...idle.map((node) => ({ node, conference: this.mediaId, room: this.room, legs: [], pipes: [], intermediary: false })),
    ];
    const text = JSON.stringify(all);
    if (text !== this.lastDesired) this.desired += 1;
    this.lastDesired = text;
    if (all.length > 0)
      this.output.desires(all.map((desire) => ({ ...desire, version: { epoch: this.writer.epoch, revision: this.desired } })));
  }

  private desires(): readonly Omit<NodeDesire, 'version'>[] {
    if (this.view === undefined || this.intermediary === undefined) return [];
    const desires = cascade({
      view: this.view,
      mediaId: this.mediaId,
      placed: this.seats.inRoom(this.room),
      intermediary: this.intermediary,
      here: this.nodes.linkUrls(),
      elsewhere: this.links.elsewhere(this.mediaId),
      network: this.links.network,
    });
    return desires.map(({ version: _, ...desire }) => desire);
  }

  /** Gives those whose node is lost, or is to be emptied, a seat on another. If none has room, they keep theirs until the node is back. */
  private moveAway(): ViewPublished['attach'] {
    const stranded = [...this.seats.inRoom(this.room)].filter(([, { node }]) => this.nodes.isLeaving(node));
    return stranded.flatMap(([leg, { askedFor }]) => {
      const node = this.freeNode();
      return node === undefined ? [] : [{ leg, media: this.mediaOf(this.seats.seat(leg, this.room, node, askedFor)) }];
    });
  }

  /** Seats those of this site's waiting people who have been let in. While nodes are only just heard, one may still say that it has them. */
  private seatAdmitted(view: ConferenceView): ViewPublished['attach'] {
    return view.seats.flatMap(({ leg }) => {
      const waitsFor = this.waiting.get(leg);
      if (waitsFor === undefined || (waitsFor === 'node' && this.nodes.settling && this.seats.of(leg) === undefined)) return [];
      const seating = this.placeLeg(leg);
      if (seating === undefined) return [];
      this.waiting.delete(leg);
      return [{ leg, media: this.mediaOf(seating) }];
    });
  }

  /**
   * Lets go of the legs of this site that the meeting no longer has. What conferences that only seem to be one would end is not
   * ended before it is recorded that they are: half a history may have arrived, and nobody is sent away for the other half.
   */
  private releaseEnded(view: ConferenceView, occasion: Occasion | undefined): ViewPublished['ended'] {
    const there = new Set([...view.seats, ...view.waiting].map(({ leg }) => leg));
    const gone = [...this.there()].filter((leg) => !there.has(leg) && this.chronicle.isEnded(leg));
    return gone.map((leg) => {
      this.waiting.delete(leg);
      this.seats.release(leg);
      const reason = this.chronicle.endOf(leg, occasion);
      return { leg, reason: reason === 'written-off' ? 'left' : reason };
    });
  }

  /** Gives somebody who came a seat, or a place at the door. */
  private async welcome(leg: LegId, id: ConferenceId): Promise<BrainAnswer> {
    if (this.retired) throw elsewhere(this.room);
    const standing = legOf(this.chronicle.stateOf(id), leg);
    if (standing !== undefined && standing.ended !== null) {
      await this.chronicle.closeReplaced();
      this.refresh();
      throw tooLate(standing.ended);
    }
    const atDoor = standing?.waiting ?? null;
    const seating = atDoor === null ? this.placeLeg(leg) : undefined;
    // Whoever has been let in while no node could take them keeps waiting, and is attached as soon as one can.
    const reason = seating === undefined ? (atDoor ?? standing?.leg.door?.reason ?? 'host') : null;
    if (reason !== null) this.waiting.set(leg, atDoor === null ? 'node' : 'door');
    this.refresh();
    const view = this.view;
    const role = view?.seats.find((seat) => seat.leg === leg)?.role ?? 'guest';
    if (view === undefined) throw new Defect('brain.no-view', 'A leg came into a meeting that is not there');
    const common = { leg, conference: view.conference, resume: this.seats.resumeOf(leg), view };
    if (seating === undefined) return { type: 'Waiting', ...common, reason: reason ?? 'host' };
    return { type: 'Joined', ...common, role, media: this.mediaOf(seating) };
  }

  /** This site's people, inside and at the door. */
  private there(): ReadonlySet<LegId> {
    return new Set([...this.seats.inRoom(this.room).keys(), ...this.waiting.keys()]);
  }

  private placeLeg(leg: LegId): Seating | undefined {
    const current = this.seats.of(leg)?.node;
    const node = current !== undefined && !this.nodes.isLeaving(current) ? current : (this.freeNode() ?? current);
    return node === undefined ? undefined : this.seats.seat(leg, this.room, node);
  }

  private freeNode(): NodeId | undefined {
    return place(this.nodes.loads(this.seats.placed()), this.carrying());
  }

  private mediaOf({ node, token }: Seating): { url: string; token: string } {
    return { url: this.nodes.clientUrl(node) ?? '', token };
  }

  private carrying(): ReadonlySet<NodeId> {
    const nodes = [...this.seats.inRoom(this.room).values()].map(({ node }) => node);
    return new Set(this.intermediary === undefined ? nodes : [...nodes, this.intermediary]);
  }

  private reach = (): ReadonlySet<SiteId> => this.links.reach();
  private seen = (): ConferenceSeen => ({ reach: this.reach(), room: this.rules() });

  private async decide(command: ConferenceCommand, id = this.chronicle.occasion(this.reach())?.name): Promise<void> {
    if (id === undefined) throw meetingOver();
    await this.record(command, id);
    this.refresh();
  }

  private async record(command: ConferenceCommand, id: ConferenceId): Promise<void> {
    await this.catchUp();
    while (this.chronicle.isLetGo(id)) await this.chronicle.takeBack(id);
    if (await this.chronicle.closeReplaced()) this.refresh(); // Nobody is told that they are no more before that is so for good.
    const bodies = conference.decide(command, this.chronicle.stateOf(id), this.seen());
    await this.chronicle.record(id, bodies);
    await this.follow().catch(() => undefined); // What was asked is recorded; what follows is tried again by `tidy`.
  }

  private unique(): string {
    return Buffer.from(this.writer.chance.bytes(6)).toString('hex');
  }

  /** Decisions of one room are taken one after the other, each against what the one before recorded. */
  private inTurn<T>(asked: () => Promise<T>): Promise<T> {
    const work = () => (this.retired ? Promise.reject(elsewhere(this.room)) : asked());
    const turn = this.queue.then(work);
    this.queue = turn.catch(() => undefined);
    return turn;
  }
}
