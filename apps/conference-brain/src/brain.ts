import { categoryOf, Fault, Refusal, siteOfStream, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import type { ConferenceId, ConferenceSeen, ConferenceView } from '@isthmus/conference';
import { pinsOf, type Estate } from '@isthmus/estate';
import { linkLoads, type NodeId } from '@isthmus/placement';
import type { Bus, Cancel, Chance, Clock, EventStore, Message, Peers, Signatures, Timers } from '@isthmus/ports';
import {
  TOPICS,
  type BrainAnswer,
  type BrainCommand,
  type FactPublished,
  type Intermediaries,
  type MediaEvent,
  type NodeLoss,
  type NodeReport,
  type SiteReport,
} from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit/observing';
import { roomOf, type History, type Writer } from './chronicle.js';
import type { RoomDigest } from './diagnostics.js';
import { EstateCopy, type FollowEstate } from './estate-copy.js';
import { Links } from './links.js';
import { Meeting } from './meeting.js';
import { LOOK_EVERY_MS, Nodes } from './nodes.js';
import { Seats } from './seats.js';
import { Silence } from './silence.js';
import { FORKED, Tenure } from './tenure.js';
import { Troubles, type TroubleCode } from './troubles.js';

export interface BrainParts {
  readonly site: SiteId;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly peers: Peers;
  readonly followEstate?: FollowEstate;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly chance: Chance;
  /** 32 secret bytes that make resume words; kept with the site, they outlive this process. Left out, words die with it. */
  readonly resumeKey?: Uint8Array;
  /** How long a site may be silent before it is written off; 12 hours if left out. */
  readonly writeOffAfterMs?: number;
  /** Left out, facts of third sites are neither offered to peers nor taken from them. */
  readonly signatures?: Signatures;
}

/** How soon a fact that the bus did not take is said again. */
const PUBLISH_AGAIN_MS = 1_000;
const REPORT_EVERY_MS = 1_000;
/** Nodes are told again this often, in case one missed it. */
const REMIND_EVERY_MS = 5_000;
/** What follows by itself is looked for this often, in case the store failed when it was due. */
const TIDY_EVERY_MS = 5_000;
/** How long clients of a brain that restarted have to come back before their old seats are swept. */
const SWEEP_AFTER_MS = 20_000;

/** The rules of a room that is not in the estate any more: nobody new. */
const NO_ROOM = { seatsMax: 0, guestsWaitForHost: true };

/** Decides for one site: keeps, exchanges and merges the histories of its meetings, and says what follows from them. */
export class Brain {
  private readonly meetings = new Map<string, Meeting>();
  private readonly nodes: Nodes;
  private readonly seats: Seats;
  private readonly silence: Silence;
  private readonly standIns = new Map<ConferenceId, Intermediaries['intermediaries'][number]>();
  private readonly log = logOf('conference-brain');
  private readonly links: Links;
  private readonly copy: EstateCopy;
  private readonly writer: Writer;
  private readonly troubles: Troubles;
  private readonly tenure: Tenure;
  private readonly stopped = new AbortController();
  private readonly waking: Cancel[] = [];
  private tellingFacts: Promise<void> = Promise.resolve();
  /** Undefined: the store works. Else what is wrong, for `/healthz/ready`. */
  storeTrouble: string | undefined;

  /** @param epoch this brain's tenure, which nobody had before it and nobody will have after (merge rule 4). */
  constructor(
    private readonly parts: BrainParts,
    epoch: number,
  ) {
    const { site, store, clock, chance } = parts;
    this.writer = { site, epoch, id: writerIdOf(site, epoch), store, clock, chance, recorded: (facts) => this.links.recorded(facts) };
    this.troubles = new Troubles(clock);
    this.tenure = new Tenure(this.writer, (code, peer, message) => this.trouble(code, peer, message));
    this.seats = new Seats(chance, parts.resumeKey);
    this.silence = new Silence(parts.writeOffAfterMs);
    this.nodes = new Nodes(() => clock.monotonic());
    this.links = new Links(
      { ...parts, epoch, hearsMedia: (peer) => this.nodes.hearsMedia(peer) },
      {
        adopted: (facts) => this.adopted(facts),
        changed: () => this.refreshAll(),
        lostHistory: (peer, lastEpoch, streams) => this.tenure.lostHistory(peer, lastEpoch, streams),
        forked: (peer, lastEpoch, stream) => this.tenure.forked(peer, lastEpoch, stream),
        poisoned: (peer, what) => this.trouble('peer_poison', peer, `${peer} sent ${what}. It was left out, and all else goes on.`),
      },
    );
    this.copy = new EstateCopy(store, parts.timers, {
      changed: (estate) => this.estateChanged(estate),
      kept: (facts) => this.links.estateKept(facts),
      word: (word) => this.links.managementSaid(word),
    });
  }

  get estate(): Estate {
    return this.copy.current;
  }

  get hasNodes(): boolean {
    return this.nodes.ready;
  }

  /** What this site holds of a room, for whoever compares sites with each other. */
  histories(room: string): readonly History[] {
    return this.meetings.get(room)?.chronicle.histories() ?? [];
  }

  /** Reads what this site knows: its estate, and the meetings that were alive. */
  async start(): Promise<void> {
    await this.copy.start(this.parts.followEstate);
    for (const category of ['room', 'conference']) {
      for (const stream of await this.parts.store.streams(category)) {
        for await (const fact of this.parts.store.read(stream)) {
          this.links.heads.keep([fact]);
          this.meeting(roomOf(stream)).chronicle.add([fact]);
        }
      }
    }
    for (const meeting of this.meetings.values()) meeting.begin();
  }

  /** What is folded of every room with people in it, to compare with other sites. */
  digests(): readonly RoomDigest[] {
    return [...this.meetings].map(([room, { chronicle }]) => ({ room, occasions: chronicle.digests() }));
  }

  /** Opens the links and begins to report. Call once the bus is served. */
  async open(): Promise<void> {
    await this.links.start();
    this.linkPeers(this.estate);
    this.refreshAll();
    this.tellingFacts = this.tellFacts();
    this.every(REPORT_EVERY_MS, () => this.report());
    this.every(LOOK_EVERY_MS, () => this.lookForGone());
    this.every(LOOK_EVERY_MS, () => this.lookAfterNodes());
    this.every(REMIND_EVERY_MS, () => this.meetings.forEach((meeting) => meeting.desire()));
    this.every(TIDY_EVERY_MS, () => this.tidy());
    this.waking.push(this.parts.timers.after(SWEEP_AFTER_MS, () => this.sweep()));
  }

  async close(): Promise<void> {
    this.stopped.abort();
    for (const cancel of this.waking.splice(0)) cancel();
    await this.links.close();
    await this.copy.close();
    await this.tellingFacts.catch(() => undefined);
  }

  async handle(command: BrainCommand): Promise<BrainAnswer> {
    const room = this.copy.room(command.room);
    if (command.type === 'Join') {
      if (room === undefined || room.disabled) throw new Refusal('room.unknown', 'There is no such room, or it is closed.');
      return this.watched(this.meeting(command.room).join(command));
    }
    const meeting = this.meetings.get(command.room);
    if (meeting === undefined) throw new Refusal('conference.ended', 'This meeting is over.');
    if (command.type === 'Recall') return meeting.recall(command);
    if (command.type === 'Confirm') meeting.confirm(command.leg);
    else await this.watched(command.type === 'Act' ? meeting.act(command.leg, command.act) : meeting.leave(command.leg));
    return { type: 'Done' };
  }

  async heard(event: MediaEvent): Promise<void> {
    if (event.type === 'Spoke') await this.watched(this.meetings.get(event.conference)?.spoke(event.leg) ?? Promise.resolve());
  }

  nodeReported(report: NodeReport): void {
    if (this.nodes.heard(report)) this.meetings.forEach((meeting) => meeting.refresh());
    for (const { conference, legs, epoch } of report.holds ?? []) this.meetings.get(conference)?.found(report.node, legs, epoch);
  }

  /** A node has ended: its people are moved at once, and not only when it has been silent for long. */
  nodeEnded({ node }: NodeLoss): void {
    if (!this.nodes.ended(node)) return;
    this.log.warn({ node }, 'a media node has ended; its people are moved');
    this.moveStranded();
  }

  private lookAfterNodes(): void {
    this.nodes.look();
    this.links.lookAtMedia();
    this.moveStranded();
  }

  private moveStranded(): void {
    for (const room of this.seats.roomsOn((node) => this.nodes.isLeaving(node))) this.meetings.get(room)?.refresh();
  }

  private meeting(room: string): Meeting {
    let meeting = this.meetings.get(room);
    if (meeting === undefined) {
      meeting = new Meeting(
        room,
        this.writer,
        this.links,
        this.nodes,
        this.seats,
        () => this.rulesOf(room),
        {
          view: (published) => {
            this.say({ topic: TOPICS.views, key: published.view.conference, value: published });
          },
          standIn: (node) => this.standIn(room as ConferenceId, node),
          desires: (desires) => {
            for (const desire of desires) this.say({ topic: TOPICS.desires, key: desire.node, value: desire });
          },
        },
        (site) => this.estate.sites[site]?.name ?? site,
      );
      this.meetings.set(room, meeting);
    }
    return meeting;
  }

  private rulesOf(room: string): ConferenceSeen['room'] {
    const known = this.copy.room(room);
    return known === undefined ? NO_ROOM : { ...known, pins: pinsOf(this.estate, room) };
  }

  /** Sites that an administrator removed, or that have been silent for too long, are written off where they have people. */
  private lookForGone(): void {
    const { sites } = this.estate;
    // Whoever is not in the estate themself knows nothing about who is.
    if (!Object.hasOwn(sites, this.parts.site)) return;
    this.silence.look(this.parts.clock.monotonic(), Object.keys(sites) as SiteId[], this.links.reach());
    const goneFor = (site: SiteId) => (!Object.hasOwn(sites, site) ? 'removed' : this.silence.isGone(site) ? 'silent' : undefined);
    for (const meeting of this.meetings.values()) {
      const isGone = [...meeting.chronicle.sites().values()].some((there) => [...there].some((site) => goneFor(site) !== undefined));
      if (isGone) this.inBackground(meeting.writeOff(goneFor));
    }
  }

  private async adopted(facts: readonly Fact[]): Promise<void> {
    const [estate, happened] = [facts.filter(isOfEstate), facts.filter((fact) => !isOfEstate(fact))];
    if (estate.length > 0) this.copy.take(estate);
    const failures: unknown[] = [];
    for (const [room, some] of Map.groupBy(happened, (fact) => roomOf(fact.stream))) {
      const meeting = this.meeting(room);
      await this.watched(meeting.adopted(some)).catch((error: unknown) => failures.push(error));
      for (const stream of meeting.chronicle.newlyForked()) this.trouble('stream_forked', siteOfStream(stream), `${stream}: ${FORKED}`);
    }
    if (failures.length === 0) return;
    this.log.warn({ error: failures[0] }, 'what follows from facts of other sites could not be recorded; it is tried again');
    throw failures[0];
  }

  private trouble(code: TroubleCode, peer: SiteId, message: string): void {
    if (this.troubles.note(code, peer, message)) this.log.error({ code, peer }, message);
  }

  private refreshAll(): void {
    this.meetings.forEach((meeting) => meeting.refresh());
  }

  private tidy(): void {
    for (const [room, meeting] of this.meetings) {
      const closed = meeting.current !== undefined && (this.copy.room(room)?.disabled ?? true);
      this.inBackground(closed ? meeting.close() : meeting.tidy());
    }
  }

  /** Where the store fails, the orphans stay until it works. */
  private sweep(meetings: Iterable<Meeting> = this.meetings.values()): void {
    for (const meeting of meetings) {
      const swept = meeting.sweep();
      this.inBackground(swept);
      swept.catch(() => this.waking.push(this.parts.timers.after(TIDY_EVERY_MS, () => this.sweep([meeting]))));
    }
  }

  /** What nobody waits for: a failure is said in the log and in the health, and stops nothing. */
  private inBackground(work: Promise<void>): void {
    this.watched(work).catch((error: unknown) =>
      this.log.warn({ error }, 'what follows by itself could not be recorded; it is tried again'),
    );
  }

  /** Tells the peers which of our nodes stands for us in a room; a pipe comes to be when both ends have said so. */
  private standIn(room: ConferenceId, node: NodeId | undefined): void {
    const url = node === undefined ? undefined : this.nodes.linkUrls().get(node);
    const said = this.standIns.get(room);
    if (said?.node === node && said?.url === url) return;
    if (node === undefined || url === undefined) this.standIns.delete(room);
    else this.standIns.set(room, { conference: room, node, url });
    this.links.announce(this.writer.epoch, [...this.standIns.values()]);
  }

  private estateChanged(estate: Estate): void {
    this.say({ topic: TOPICS.estate, key: 'estate', value: estate });
    this.linkPeers(estate);
    for (const [room, meeting] of this.meetings) {
      if (meeting.current === undefined) continue;
      this.inBackground((estate.rooms[room]?.disabled ?? true) ? meeting.close() : meeting.notePins());
    }
  }

  private linkPeers(estate: Estate): void {
    const others = Object.values(estate.sites).filter(({ id }) => id !== this.parts.site);
    const closed = Object.values(estate.sites).flatMap(({ id, transit }) => (transit === false ? [id] : []));
    this.links.link(
      others.map(({ id, linkUrl }) => ({ site: id, url: linkUrl })),
      new Set(closed),
    );
  }

  /** State, which is said again when it changes or soon anyway: what a bus that is away does not take is not missed. */
  private say(message: Message): void {
    this.parts.bus.publish(message).catch((error: unknown) => {
      if (!this.stopped.signal.aborted) this.log.warn({ topic: message.topic, error }, 'could not be published');
    });
  }

  /** What must arrive waits for the bus, for as long as it takes. */
  private async published(message: Message): Promise<void> {
    while (!this.stopped.signal.aborted) {
      try {
        return await this.parts.bus.publish(message);
      } catch (error) {
        if (!(error instanceof Fault) || !error.retryable) throw error;
        await new Promise<void>((resolve) => void this.parts.timers.after(PUBLISH_AGAIN_MS, resolve));
      }
    }
  }

  /** Store first, bus second: what is published has been read back from the store. */
  private async tellFacts(): Promise<void> {
    const { store, site } = this.parts;
    const name = 'bus:facts';
    for await (const { fact, position } of store.follow('conference', await store.bookmark(name), this.stopped.signal)) {
      if (siteOfStream(fact.stream) !== site) continue;
      const value: FactPublished = { stream: fact.stream, seq: fact.seq, at: fact.at, by: fact.by, type: fact.type, body: fact.body };
      await this.published({ topic: TOPICS.facts, key: roomOf(fact.stream), value });
      await store.setBookmark(name, position);
    }
  }

  private report(): void {
    const value: SiteReport = {
      site: this.parts.site,
      estateRevision: this.estate.revision,
      links: this.links.reports(),
      conferences: [...this.meetings.values()].flatMap(({ current }) => (current === undefined ? [] : [this.reportOf(current)])),
      troubles: [...this.troubles.current()],
      at: this.parts.clock.now(),
    };
    this.say({ topic: TOPICS.sites, key: this.parts.site, value });
  }

  private reportOf(view: ConferenceView): SiteReport['conferences'][number] {
    const { site } = this.parts;
    return {
      conference: view.conference,
      room: view.room,
      seats: view.seats
        .filter((seat) => seat.site === site)
        .map(({ leg, name, muted }) => ({ leg, name, node: this.seats.of(leg)?.node, muted: muted !== false })),
      floor: view.floor,
      locked: view.locked,
      crossings: linkLoads(view, this.links.network)
        .filter(({ from }) => from === site)
        .map(({ to, large, small }) => ({ to, large: large.length, small: small.length })),
    };
  }

  /** Remembers whether the store works, by how commands fare. */
  private async watched<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.storeTrouble = undefined;
      return result;
    } catch (error) {
      if (error instanceof Fault && (error as Fault).code.startsWith('store.')) this.storeTrouble = error.message;
      throw error;
    }
  }

  private every(ms: number, work: () => void): void {
    this.waking.push(this.parts.timers.every(ms, work));
  }
}

const isOfEstate = ({ stream }: Fact): boolean => categoryOf(stream) === 'estate';
