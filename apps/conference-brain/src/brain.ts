import { Refusal, siteOfStream, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import type { ConferenceId } from '@isthmus/conference';
import type { Estate } from '@isthmus/estate';
import type { Cancel, Message, Sharing } from '@isthmus/ports';
import { TOPICS, type BrainAnswer, type BrainCommand, type MediaEvent, type NodeReport, type SiteReport } from '@isthmus/protocol';
import { logOf } from '@isthmus/service-kit/observing';
import type { BrainParts } from './brain-parts.js';
import type { Chronicle } from './chronicle.js';
import { roomOf } from './conference-facts.js';
import type { RoomDigest } from './diagnostics.js';
import { EstateCopy, isOfEstate } from './estate-copy.js';
import { FactTeller } from './fact-teller.js';
import { Fellowship } from './fellowship.js';
import type { History } from './footing.js';
import { elsewhere } from './holding.js';
import { Links } from './links.js';
import { Meeting } from './meeting.js';
import type { MeetingOutput } from './meeting-output.js';
import { LOOK_EVERY_MS, Nodes } from './nodes.js';
import { readRooms } from './reading.js';
import { Rooms } from './rooms.js';
import { Seats } from './seats.js';
import { Silence } from './silence.js';
import { conferenceReport } from './site-report.js';
import { SnapshotKeeper } from './snapshot-keeper.js';
import { StandIns } from './stand-ins.js';
import { isFenced, StoreHealth } from './store-health.js';
import { FORKED, Tenure } from './tenure.js';
import { Troubles, type TroubleCode } from './troubles.js';
import { ViewTeller } from './view-teller.js';
import type { Writer } from './writer.js';

const REPORT_EVERY_MS = 1_000;
/** Nodes are told again this often, in case one missed it. */
const REMIND_EVERY_MS = 5_000;
/** What follows by itself is looked for this often, in case the store failed when it was due. */
const TIDY_EVERY_MS = 5_000;
/** How long clients of a brain that restarted have to come back before their old seats are swept. */
const SWEEP_AFTER_MS = 20_000;

/** Decides for one site: keeps, exchanges and merges the histories of its meetings, and says what follows from them. */
export class Brain {
  private readonly rooms: Rooms;
  private readonly fellowship: Fellowship | undefined;
  private readonly nodes: Nodes;
  private readonly seats: Seats;
  private readonly silence: Silence;
  private readonly standIns: StandIns;
  private readonly views: ViewTeller;
  private readonly log = logOf('conference-brain');
  private readonly links: Links;
  private readonly copy: EstateCopy;
  private readonly writer: Writer;
  private readonly troubles: Troubles;
  private readonly tenure: Tenure;
  private readonly stopped = new AbortController();
  private readonly waking: Cancel[] = [];
  private telling: FactTeller | undefined;
  private readonly health: StoreHealth;
  private readonly snapshots: SnapshotKeeper;

  /** @param epoch this brain's tenure, which nobody had before it and nobody will have after (merge rule 4). */
  constructor(
    private readonly parts: BrainParts,
    epoch: number,
  ) {
    const { site, store, clock, chance } = parts;
    const recorded = (facts: readonly Fact[]) => this.recorded(facts);
    const contradicted = (room: string) => this.snapshots.heard('contradicted', room);
    this.writer = { site, epoch, id: writerIdOf(site, epoch), store, clock, chance, recorded, contradicted };
    this.health = new StoreHealth(store.sharing !== undefined);
    this.troubles = new Troubles(clock);
    this.tenure = new Tenure(this.writer, (code, peer, message) => this.trouble(code, peer, message));
    this.seats = new Seats(chance, parts.resumeKey);
    this.silence = new Silence(parts.writeOffAfterMs);
    this.nodes = new Nodes(() => clock.monotonic());
    this.standIns = new StandIns(this.nodes);
    this.views = new ViewTeller(parts.bus, parts.timers, this.stopped.signal);
    this.links = new Links(
      { ...parts, epoch, hearsMedia: (peer) => this.nodes.hearsMedia(peer) },
      {
        kept: (facts) => this.fellowship?.noted(facts),
        adopted: (facts) => this.adopted(facts),
        changed: () => this.reachChanged(),
        lostHistory: (peer, lastEpoch, streams) => this.renewed(this.tenure.lostHistory(peer, lastEpoch, streams)),
        forked: (peer, lastEpoch, stream) => this.renewed(this.tenure.forked(peer, lastEpoch, stream)),
        poisoned: (peer, what) => this.trouble('peer_poison', peer, `${peer} sent ${what}. It was left out, and all else goes on.`),
      },
    );
    this.copy = new EstateCopy(store, parts.timers, {
      changed: (estate) => this.estateChanged(estate),
      kept: (facts) => this.links.estateKept(facts),
      word: (word) => this.links.managementSaid(word),
    });
    this.fellowship = store.sharing && this.fellowshipOver(store.sharing, epoch);
    const { fellowship, writer, nodes } = this;
    const fenced = fellowship && ((room: string) => fellowship.lost(room));
    this.rooms = new Rooms({ writer, nodes, fenced, made: (chronicle) => this.meetingOf(chronicle) });
    this.snapshots = new SnapshotKeeper({ store, timers: parts.timers, settings: parts.snapshots, meetings: () => this.rooms.meetings });
  }

  get estate(): Estate {
    return this.copy.current;
  }

  get hasNodes(): boolean {
    return this.nodes.ready;
  }

  /** Undefined: the store works. Else what is wrong, for `/healthz/ready`. */
  get storeTrouble(): string | undefined {
    return this.health.trouble;
  }

  /** What keeps this brain from deciding, where several share a site's conferences. */
  get fellowshipTrouble(): string | undefined {
    return this.fellowship?.trouble;
  }

  /** What this site holds of a room, for whoever compares sites with each other. */
  histories(room: string): readonly History[] {
    return this.rooms.histories(room);
  }

  /** Reads what this site knows: its estate, and the meetings that were alive. */
  async start(): Promise<void> {
    await this.fellowship?.remember();
    await this.copy.start(this.parts.followEstate);
    this.links.heads.keep(await readRooms(this.parts.store, this.rooms, this.snapshots));
  }

  /** What is folded of every room with people in it, to compare with other sites. */
  digests(): Promise<readonly RoomDigest[]> {
    return this.rooms.digests();
  }

  /** Opens the links and begins to report. Call once the bus is served. */
  async open(): Promise<void> {
    if (this.fellowship === undefined) {
      await this.links.start();
      this.telling = new FactTeller(this.parts);
    }
    this.linkPeers(this.estate);
    this.refreshAll();
    await this.fellowship?.start();
    this.snapshots.start();
    const every = (ms: number, work: () => void) => this.waking.push(this.parts.timers.every(ms, work));
    every(REPORT_EVERY_MS, () => this.report());
    every(LOOK_EVERY_MS, () => this.lookForGone());
    every(LOOK_EVERY_MS, () => this.lookAfterNodes());
    every(REMIND_EVERY_MS, () => this.rooms.meetings.forEach((meeting) => meeting.desire()));
    every(TIDY_EVERY_MS, () => this.tidy());
    if (this.fellowship === undefined) this.waking.push(this.parts.timers.after(SWEEP_AFTER_MS, () => this.sweep()));
  }

  get isClosed(): boolean {
    return this.stopped.signal.aborted;
  }

  async close(): Promise<void> {
    this.stopped.abort();
    for (const cancel of this.waking.splice(0)) cancel();
    this.snapshots.close();
    await this.fellowship?.close();
    await this.links.close();
    await this.copy.close();
    await this.telling?.close();
  }

  /** @throws Fault `brain.elsewhere`, which is not to be answered: another brain of this site decides here */
  async handle(command: BrainCommand): Promise<BrainAnswer> {
    if (this.fellowship === undefined) return this.decided(command);
    if (!(await this.fellowship.decides(command.room))) throw elsewhere(command.room);
    return this.decided(command).catch((error: unknown) => {
      throw isFenced(error) ? elsewhere(command.room) : error;
    });
  }

  private async decided(command: BrainCommand): Promise<BrainAnswer> {
    const room = this.copy.room(command.room);
    if (command.type === 'Join') {
      if (room === undefined || room.disabled) throw new Refusal('room.unknown', 'There is no such room, or it is closed.');
      return this.health.watched((await this.meeting(command.room)).join(command));
    }
    if (!this.rooms.known.has(command.room)) throw new Refusal('conference.ended', 'This meeting is over.');
    const meeting = await this.meeting(command.room);
    if (command.type === 'Recall') return meeting.recall(command);
    if (command.type === 'Confirm') meeting.confirm(command.leg);
    else await this.health.watched(command.type === 'Act' ? meeting.act(command.leg, command.act) : meeting.leave(command.leg));
    return { type: 'Done' };
  }

  async heard(event: MediaEvent): Promise<void> {
    if (event.type !== 'Spoke' || this.nodes.isRemoved(event.node)) return;
    await this.health.watched(this.rooms.meetings.get(event.conference)?.spoke(event.leg) ?? Promise.resolve());
  }

  nodeReported(report: NodeReport): void {
    const { node, at } = report;
    // Where it has the bus of its site by a broker, nobody turns it away there (ADR 0072).
    if (this.nodes.isRemoved(node)) return this.say({ topic: TOPICS.nodeDismissals, key: node, value: { node, at } });
    if (this.nodes.heard(report)) this.rooms.meetings.forEach((meeting) => meeting.refresh());
    for (const { conference, legs, epoch } of report.holds ?? []) this.rooms.meetings.get(conference)?.found(report.node, legs, epoch);
  }

  /** A node has ended: its people are moved at once, and not only when it has been silent for long. */
  nodeEnded(node: NodeReport['node']): void {
    if (!this.nodes.ended(node)) return;
    this.log.warn({ node }, 'a media node has ended; its people are moved');
    this.moveStranded();
  }

  private lookAfterNodes(): void {
    if (this.nodes.look()) this.refreshAll();
    this.links.lookAtMedia();
    this.moveStranded();
  }

  private moveStranded(): void {
    for (const room of this.seats.roomsOn((node) => this.nodes.isLeaving(node))) this.rooms.meetings.get(room)?.refresh();
  }

  private meetingOf(chronicle: Chronicle): Meeting {
    const { room } = chronicle;
    const shared = this.fellowship === undefined ? {} : { shared: true };
    const output: MeetingOutput = {
      view: (published) => this.views.tell(published),
      standIn: (node) => this.standIns.is(room as ConferenceId, node) && this.announce(),
      desires: (desires) =>
        desires.forEach((desire) => this.say({ topic: TOPICS.desires, key: desire.node, value: { ...desire, ...shared } })),
    };
    const { links, nodes, seats } = this;
    const nameOf = (site: SiteId) => this.estate.sites[site]?.name ?? site;
    return new Meeting(chronicle, links, nodes, seats, () => this.copy.rulesOf(room), output, nameOf);
  }

  /** A room as far as it is this brain's to decide. @throws Fault `brain.elsewhere` */
  private async meeting(room: string): Promise<Meeting> {
    if (this.fellowship === undefined) return this.rooms.meeting(room);
    await this.fellowship.take(room);
    return this.rooms.heldMeeting(room);
  }

  private fellowshipOver(sharing: Sharing, brain: number): Fellowship {
    return new Fellowship({
      ...{ ...this.parts, brain, sharing, links: this.links },
      chronicle: (room) => this.rooms.chronicle(room),
      rooms: () => this.rooms.known,
      openRooms: () => Object.keys(this.estate.rooms),
      began: (room, epoch) => this.sweepLater(room, this.rooms.begin(room, epoch)),
      ended: (room) => this.ended(room),
      learned: async (facts) => {
        this.links.learned(facts);
        await this.adopted(facts);
      },
      share: () => ({ intermediaries: this.standIns.all, conferences: this.conferences() }),
      envoy: (is) => {
        void this.telling?.close();
        this.telling = is ? new FactTeller(this.parts) : undefined;
      },
      ousted: () => this.parts.ousted?.(),
    });
  }

  private sweepLater(room: string, meeting: Meeting): void {
    this.waking.push(this.parts.timers.after(SWEEP_AFTER_MS, () => this.rooms.meetings.get(room) === meeting && this.sweep([meeting])));
  }

  private ended(room: string): void {
    this.rooms.end(room);
    if (this.standIns.is(room as ConferenceId, undefined)) this.announce();
  }

  /** Facts of ours are durable that were not. */
  private recorded(facts: readonly Fact[]): void {
    this.fellowship?.noted(facts);
    this.links.recorded(facts);
  }

  private reachChanged(): void {
    this.fellowship?.tellLinks();
    this.refreshAll();
  }

  /** If this site goes on under a later name, so do all its brains. */
  private async renewed(renewing: Promise<void>): Promise<void> {
    const { epoch } = this.writer;
    await renewing;
    if (this.writer.epoch > epoch) this.fellowship?.renew(this.writer.epoch);
  }

  /** Sites that an administrator removed, or that have been silent for too long, are written off where they have people. */
  private lookForGone(): void {
    const { sites } = this.estate;
    // Whoever is not in the estate themself knows nothing about who is.
    if (!Object.hasOwn(sites, this.parts.site)) return;
    this.silence.look(this.parts.clock.monotonic(), Object.keys(sites) as SiteId[], this.links.reach());
    const goneFor = (site: SiteId) => (!Object.hasOwn(sites, site) ? 'removed' : this.silence.isGone(site) ? 'silent' : undefined);
    for (const meeting of this.rooms.meetings.values()) {
      const isGone = [...meeting.chronicle.sites().values()].some((there) => [...there].some((site) => goneFor(site) !== undefined));
      if (isGone) this.health.inBackground(meeting.writeOff(goneFor));
    }
  }

  private async adopted(facts: readonly Fact[]): Promise<void> {
    const { estate = [], happened = [] } = Object.groupBy(facts, (fact) => (isOfEstate(fact) ? 'estate' : 'happened'));
    if (estate.length > 0) this.copy.take(estate);
    const failures: unknown[] = [];
    for (const [room, some] of Map.groupBy(happened, (fact) => roomOf(fact.stream))) {
      await this.health.watched(this.rooms.take(room, some)).catch((error: unknown) => failures.push(error));
      for (const stream of this.rooms.chronicle(room).newlyForked())
        this.trouble('stream_forked', siteOfStream(stream), `${stream}: ${FORKED}`);
      // What we had lost comes back, perhaps long after we began, and nobody may be behind it.
      const meeting = some.some(({ stream }) => siteOfStream(stream) === this.parts.site) && this.rooms.meetings.get(room);
      if (meeting) this.sweepLater(room, meeting);
    }
    if (failures.length === 0) return;
    this.log.warn({ error: failures[0] }, 'what follows from facts of other sites could not be recorded; it is tried again');
    throw failures[0];
  }

  private trouble(code: TroubleCode, peer: SiteId, message: string): void {
    if (this.troubles.note(code, peer, message)) this.log.error({ code, peer }, message);
  }

  private refreshAll(): void {
    this.rooms.meetings.forEach((meeting) => meeting.refresh());
  }

  private tidy(): void {
    for (const [room, meeting] of this.rooms.meetings) {
      if (this.copy.room(room)?.disabled ?? true) this.health.inBackground(meeting.close());
      this.health.inBackground(meeting.tidy());
    }
  }

  /** Where the store fails, the orphans stay until it works. */
  private sweep(meetings: Iterable<Meeting> = this.rooms.meetings.values()): void {
    for (const meeting of meetings) {
      const swept = meeting.sweep();
      this.health.inBackground(swept);
      swept.catch(() => this.waking.push(this.parts.timers.after(TIDY_EVERY_MS, () => this.sweep([meeting]))));
    }
  }

  private estateChanged(estate: Estate): void {
    this.say({ topic: TOPICS.estate, key: 'estate', value: estate });
    this.linkPeers(estate);
    if (this.nodes.told(estate)) this.refreshAll();
    this.tidy();
  }

  private linkPeers(estate: Estate): void {
    const sites = Object.values(estate.sites);
    const others = sites.filter(({ id }) => id !== this.parts.site).map(({ id, linkUrl }) => ({ site: id, url: linkUrl }));
    const closed = sites.filter(({ transit }) => transit === false).map(({ id }) => id);
    this.links.link(others, new Set(closed));
  }

  /** State, which is said again when it changes or soon anyway: what a bus that is away does not take is not missed. */
  private say(message: Message): void {
    this.parts.bus.publish(message).catch((error: unknown) => {
      if (!this.stopped.signal.aborted) this.log.warn({ topic: message.topic, error }, 'could not be published');
    });
  }

  /** The peers must know which of our nodes stand for us. */
  private announce(): void {
    if (this.fellowship === undefined) this.links.announce(this.writer.epoch, this.standIns.all);
    else this.fellowship.share();
  }

  private report(): void {
    const { fellowship } = this;
    fellowship?.tellLinks();
    if (fellowship?.isEnvoy !== false) {
      const { site, clock } = this.parts;
      const value: SiteReport = {
        ...{ site, estateRevision: this.estate.revision, troubles: [...this.troubles.current()], at: clock.now() },
        ...{ links: this.links.reports(), conferences: [...this.conferences(), ...(fellowship?.othersConferences ?? [])] },
      };
      this.say({ topic: TOPICS.sites, key: site, value });
    } else fellowship.share();
  }

  private conferences(): SiteReport['conferences'] {
    return [...this.rooms.meetings.values()].flatMap(({ current }) =>
      current === undefined ? [] : [conferenceReport(current, this.parts.site, this.links.network, (leg) => this.seats.of(leg)?.node)],
    );
  }
}
