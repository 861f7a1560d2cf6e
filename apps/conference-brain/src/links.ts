import { categoryOf, Refusal, siteOfStream, type Fact, type SiteId, type StreamName } from '@isthmus/kernel';
import type { ConferenceId } from '@isthmus/conference';
import type { Neighbour } from '@isthmus/placement';
import type { Cancel, Clock, EventStore, LinkState, PeerHandlers, Peers, Position, Signatures, Stored, Timers } from '@isthmus/ports';
import { brainMessage, LINK_LIST_MAX, type BrainMessage, type EstateWord, type Intermediaries, type SiteReport } from '@isthmus/protocol';
import { MANAGEMENT } from '@isthmus/estate';
import type { Network } from '@isthmus/reach';
import { logOf } from '@isthmus/service-kit/observing';
import { Comparison } from './comparison.js';
import { roomOf } from './conference-facts.js';
import { Heads } from './heads.js';
import { standInsOf, toldBy, wordOf, type LinksWord, type StandInsOf, type Told } from './links-word.js';
import { ownFacts } from './own-facts.js';
import { Reach } from './reach.js';
import { Relaying } from './relaying.js';
import { Unvouched } from './unvouched.js';

/** What the rest of the brain hears from the links. */
export interface LinkEvents {
  /** Facts of other sites are durable here and were new. */
  kept(facts: readonly Fact[]): void;
  /** Such facts are to be folded now. */
  adopted(facts: readonly Fact[]): Promise<void>;
  /** Who is in reach, the ways there, or which nodes stand for other sites, has changed. */
  changed(): void;
  /** Peers hold what we wrote and do not have: go on under a name later than this one (merge rule 4). */
  lostHistory(peer: SiteId, lastEpoch: number, streams: readonly StreamName[]): Promise<void>;
  /** A peer holds another story of one of our streams. */
  forked(peer: SiteId, lastEpoch: number, stream: StreamName): Promise<void>;
  /** A peer sent what cannot be true. */
  poisoned(peer: SiteId, what: string): void;
}

export interface LinksParts {
  readonly site: SiteId;
  readonly epoch: number;
  readonly store: EventStore;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Left out, facts of third sites are neither offered nor taken. */
  readonly signatures?: Signatures;
  /** Whether media packets come from a peer; left out, nobody can tell. */
  readonly hearsMedia?: (peer: SiteId) => boolean;
}

const TICK_MS = 1_000;
/** Facts of sites that are not in reach are folded together after this time at most: nobody is shown them one by one (merge rule 11). */
const FOLD_WITHIN_MS = 500;
const NOTHING: readonly Fact[] = [];

/** As the reason of a link that is down, for an administrator. */
const NO_MEDIA = 'no media packets come from there, although facts do: is UDP blocked?';

/** Without keys nobody's word can be passed on. */
const NO_SIGNATURES: Signatures = { sign: () => ({ signature: '', certificate: '' }), verify: () => false };

/** This site's links to its peers: facts both ways and by third sites, who is in reach, and which node stands for each site. */
export class Links implements PeerHandlers {
  readonly heads = new Heads();
  private readonly intermediaries = new Map<SiteId, StandInsOf>();
  private mine: Intermediaries = { type: 'intermediaries', version: { epoch: 0, revision: 0 }, intermediaries: [] };
  private readonly reaching: Reach;
  private readonly relaying: Relaying;
  private readonly comparison: Comparison;
  private readonly unvouched = new Unvouched((stream) => this.relaying.wordOn(stream));
  /** By room; what is of none under the empty name. */
  private later = new Map<string, Fact[]>();
  private readonly waking: Cancel[] = [];
  private unheard = '';
  private noted = '';
  private readonly log = logOf('conference-brain');
  private started = false;
  /** While another brain of this site holds the links: how it sees the other sites. */
  private told: Told | undefined;

  constructor(
    private readonly parts: LinksParts,
    private readonly events: LinkEvents,
  ) {
    const { site, epoch, store, clock, timers, signatures = NO_SIGNATURES } = parts;
    this.reaching = new Reach({
      ...{ site, epoch, clock, timers },
      say: (states, except) => this.tellAll({ type: 'links', ...states, hears: [...states.hears] }, except),
      changed: () => {
        this.noteReach();
        this.foldNow();
        this.events.changed();
      },
      lacks: (peer) => this.relaying.lacks(peer),
      hearsMedia: (peer) => this.hearsMedia(peer),
    });
    this.reaching.states = () => this.states();
    this.relaying = new Relaying({
      ...{ site, store, signatures, heads: this.heads },
      send: (to, message) => this.parts.peers.send(to, message),
      peers: () => this.states().flatMap(({ site: peer, up }) => (up ? [peer] : [])),
      hears: (peer, author) => this.reaching.hearsFacts(peer, author),
      take: (facts) => this.take(facts),
      poisoned: (peer, what) => this.events.poisoned(peer, what),
    });
    this.comparison = new Comparison({
      ...{ site, store, heads: this.heads },
      lost: (peer, lastEpoch, streams) => this.events.lostHistory(peer, lastEpoch, streams),
      forked: (peer, lastEpoch, stream) => this.events.forked(peer, lastEpoch, stream),
      takeBack: (peer, streams) => this.relaying.takeBack(peer, streams),
      poisoned: (peer, what) => this.events.poisoned(peer, what),
      send: (peer, message) => this.parts.peers.send(peer, message),
    });
  }

  /** @throws Fault `link.port-taken` | `link.cannot-listen` */
  async start(): Promise<void> {
    await this.relaying.start();
    await this.parts.peers.start(this);
    this.started = true;
    this.waking.push(this.parts.timers.every(TICK_MS, () => this.tick()));
  }

  /** Sites whose people can be shown here: this one, and those in its component. */
  reach(): ReadonlySet<SiteId> {
    return this.told?.reach ?? this.reaching.sites;
  }

  /** By which ways media go between sites. */
  get network(): Network {
    return this.told?.network ?? this.reaching.network;
  }

  /** How this brain, which holds the links, sees the other sites. */
  get word(): LinksWord {
    return wordOf(this.reaching.sites, this.reaching.basis, this.intermediaries);
  }

  /** Another brain holds the links, and says this of them; undefined: none does any more, or this one. What it said last holds until then. */
  follow(word: LinksWord | undefined): void {
    if (this.told?.text === JSON.stringify(word)) return;
    this.told = word && toldBy(word);
    for (const { site, version, intermediaries } of word?.elsewhere ?? [])
      this.intermediaries.set(site, standInsOf(version, intermediaries));
    this.events.changed();
  }

  /** For whoever watches the links: what makes people go another way, or off the stage, is a link that is down. */
  reports(): SiteReport['links'] {
    return this.states().map(({ site, up, rttMs, reason }) => {
      const why = up && !this.reaching.mediaCome(site) ? NO_MEDIA : reason;
      return { site, up: up && why !== NO_MEDIA, ...(rttMs === undefined ? {} : { rttMs }), ...(why === undefined ? {} : { reason: why }) };
    });
  }

  /** Looks whether the media nodes get packets of each peer. */
  lookAtMedia(): void {
    const unheard = this.states().flatMap(({ site }) => (this.hearsMedia(site) ? [] : [site]));
    if (unheard.join() === this.unheard) return;
    this.unheard = unheard.join();
    this.reaching.look(this.states());
  }

  states(): readonly LinkState[] {
    return this.parts.peers.states();
  }

  /** @param closed sites that carry no media for others */
  link(peers: readonly { readonly site: SiteId; readonly url: string }[], closed: ReadonlySet<SiteId>): void {
    this.reaching.sitesAre(new Set(peers.map(({ site }) => site)), closed);
    this.parts.peers.setPeers(peers);
    if (this.started) this.reaching.look(this.states());
  }

  /** Which node stands for each other site in a room, as far as they have said. */
  elsewhere(room: ConferenceId): ReadonlyMap<SiteId, Neighbour> {
    const reach = this.reach();
    return new Map(
      [...this.intermediaries].flatMap(([site, { byRoom }]) => {
        const neighbour = byRoom.get(room);
        return neighbour !== undefined && reach.has(site) ? [[site, neighbour] as const] : [];
      }),
    );
  }

  /** What is durable here of a room and has not been folded yet. The list grows until it is. */
  unfolded(room: string): readonly Fact[] {
    return this.later.get(room) ?? NOTHING;
  }

  /** Tells every peer which of our nodes stands for us, if that is news. */
  announce(epoch: number, intermediaries: Intermediaries['intermediaries']): void {
    if (JSON.stringify(intermediaries) === JSON.stringify(this.mine.intermediaries)) return;
    this.mine = { type: 'intermediaries', version: { epoch, revision: this.mine.version.revision + 1 }, intermediaries };
    this.tellAll(this.mine);
  }

  /** Management's word on the estate, from management: for those who have lost it. */
  managementSaid(word: EstateWord): void {
    this.relaying.heard(MANAGEMENT, { type: 'heads', site: MANAGEMENT, ...word });
  }

  /** Facts of the estate are durable here, whoever brought them. */
  estateKept(facts: readonly Fact[]): void {
    this.heads.keep(facts);
    this.relaying.passNews();
  }

  /** Facts of ours are durable that were not. */
  recorded(facts: readonly Fact[]): void {
    this.heads.keep(facts);
  }

  /** Facts are durable here that another brain of this site recorded or adopted. */
  learned(facts: readonly Fact[]): void {
    const ours = facts.filter(({ stream }) => siteOfStream(stream) === this.parts.site);
    this.heads.keep(facts);
    if (ours.length > 0) this.recorded(ours);
    this.relaying.passNews();
  }

  facts(_peer: SiteId, after: Position | undefined, signal: AbortSignal): AsyncIterable<Stored> {
    return ownFacts(this.parts.store, this.parts.site, after, signal);
  }

  /** Nothing of ours is with anybody who could not show that it is ours: peers count none of it before, and we may need it back (merge rule 4). */
  vouch(facts: readonly Fact[]): unknown {
    return this.relaying.vouch(facts);
  }

  async received(peer: SiteId, facts: readonly Fact[], position: Position, word?: unknown): Promise<void> {
    await this.relaying.vouched(peer, word);
    await this.count(this.unvouched.vouched());
    await this.take(facts, (fresh) => this.unvouched.sift(fresh));
    await this.parts.store.setBookmark(bookmarkOf(peer), position);
  }

  resumeAfter(peer: SiteId): Promise<Position | undefined> {
    return this.parts.store.bookmark(bookmarkOf(peer));
  }

  async message(peer: SiteId, body: unknown): Promise<void> {
    const parsed = brainMessage.safeParse(body);
    if (!parsed.success) {
      this.events.poisoned(peer, 'something that is no brain message');
      throw new Refusal('link.malformed', `${peer} sent something that is no brain message: ${parsed.error.message}`);
    }
    await this.heard(peer, parsed.data);
  }

  changed(state: LinkState): void {
    if (state.up) this.greet(state.site);
    this.reaching.look(this.states());
  }

  poisoned(peer: SiteId, what: string): void {
    this.events.poisoned(peer, what);
  }

  /** Holds no links any more. Where the peers can be started again, so can this. */
  async close(): Promise<void> {
    this.started = false;
    for (const cancel of this.waking.splice(0)) cancel();
    this.reaching.close();
    await this.parts.peers.close();
  }

  /** A peer is there, for the first time or again: all that is not history is said anew. */
  private greet(peer: SiteId): void {
    const { peers } = this.parts;
    peers.send(peer, { type: 'yours', heads: [...this.heads.lately(peer, LINK_LIST_MAX)] } satisfies BrainMessage);
    this.relaying.greet(peer);
    for (const states of this.reaching.words)
      peers.send(peer, { type: 'links', ...states, hears: [...states.hears] } satisfies BrainMessage);
    peers.send(peer, this.mine);
  }

  private async heard(peer: SiteId, message: BrainMessage): Promise<void> {
    switch (message.type) {
      case 'intermediaries':
        return this.standIns(peer, message);
      case 'links': {
        const { site, version, hears } = message;
        if (this.reaching.heard(peer, { site, version, hears })) this.relaying.linksChanged(site);
        return;
      }
      case 'heads':
        this.relaying.heard(peer, message);
        return this.count(this.unvouched.vouched());
      case 'yours':
        return this.comparison.heard(peer, message);
      case 'mine':
        return this.tellAllOf(peer, message.after);
      case 'ask':
        return this.relaying.answer(peer, message.streams);
      case 'relayed':
        return this.relaying.relayed(peer, message);
    }
  }

  /** For whoever looks later why people went off a stage. */
  private noteReach(): void {
    const reach = [...this.reaching.sites].sort();
    if (reach.join() === this.noted) return;
    this.noted = reach.join();
    const links = this.reports().map(({ site, up, reason }) => `${site}: ${up ? 'up' : (reason ?? 'down')}`);
    this.log.info({ reach, links }, 'who is in reach has changed');
  }

  private hearsMedia(peer: SiteId): boolean {
    return this.parts.hearsMedia?.(peer) ?? true;
  }

  private standIns(peer: SiteId, { version, intermediaries }: Intermediaries): void {
    const known = this.intermediaries.get(peer)?.version;
    if (known && (version.epoch < known.epoch || (version.epoch === known.epoch && version.revision < known.revision))) return;
    this.intermediaries.set(peer, standInsOf(version, intermediaries));
    this.events.changed();
  }

  /** How far a peer that has lost some of what it wrote stands here, a page of it. */
  private tellAllOf(peer: SiteId, after: string): void {
    const heads = this.heads.behind(peer, after, LINK_LIST_MAX);
    this.parts.peers.send(peer, { type: 'yours', heads: [...heads], rest: heads.length === LINK_LIST_MAX } satisfies BrainMessage);
  }

  /** Keeps facts, and has those folded that count now. */
  private async take(facts: readonly Fact[], counting = (fresh: readonly Fact[]) => fresh): Promise<void> {
    const fresh = await this.parts.store.adopt(facts);
    if (fresh.length === 0) return;
    this.events.kept(fresh);
    this.heads.keep(fresh);
    this.relaying.passNews();
    await this.count(counting(fresh));
    this.reaching.factsCame();
  }

  /** Has facts folded: at once if their author is in reach, else together. */
  private async count(facts: readonly Fact[]): Promise<void> {
    if (facts.length === 0) return;
    const reach = this.reach();
    if (this.later.size === 0 && facts.every(({ stream }) => reach.has(siteOfStream(stream)))) await this.fold(facts);
    else this.foldLater(facts);
  }

  private foldLater(facts: readonly Fact[]): void {
    if (this.later.size === 0) this.waking.push(this.parts.timers.after(FOLD_WITHIN_MS, () => this.foldNow()));
    for (const fact of facts) {
      const room = categoryOf(fact.stream) === 'estate' ? '' : roomOf(fact.stream);
      const some = this.later.get(room) ?? [];
      if (some.push(fact) === 1) this.later.set(room, some);
    }
  }

  private foldNow(): void {
    const facts = [...this.later.values()].flat();
    this.later = new Map();
    if (facts.length > 0) void this.fold(facts);
  }

  /** The facts are durable here, and come no second time: what could not be folded now, because the store failed, is folded later. */
  private async fold(facts: readonly Fact[]): Promise<void> {
    await this.events.adopted(facts).catch(() => this.foldLater(facts));
  }

  private tick(): void {
    this.relaying.tick();
    this.comparison.tick();
    const heard = new Set(this.states().flatMap(({ site, up }) => (up ? [site] : [])));
    void this.count(this.unvouched.overdue((site) => heard.has(site)));
  }

  private tellAll(message: BrainMessage, except?: SiteId): void {
    for (const { site, up } of this.states()) if (up && site !== except) this.parts.peers.send(site, message);
  }
}

const bookmarkOf = (peer: SiteId): string => `peer:${peer}`;
