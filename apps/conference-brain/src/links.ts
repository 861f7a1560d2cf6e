import { Refusal, type Fact, type SiteId } from '@isthmus/kernel';
import type { ConferenceId } from '@isthmus/conference';
import type { Neighbour } from '@isthmus/placement';
import type { EventStore, LinkState, PeerHandlers, Peers, Position, Stored } from '@isthmus/ports';
import { brainMessage, type BrainMessage } from '@isthmus/protocol';
import { ownFacts } from './own-facts.js';

/** What the rest of the brain hears from the links. */
export interface LinkEvents {
  /** Facts that are durable here and were new. */
  adopted(facts: readonly Fact[]): Promise<void>;
  /** Who is in reach, or which nodes stand for other sites, has changed. */
  changed(): void;
}

/** This site's links to its peers: facts both ways, and which node stands for each site in each conference. */
export class Links implements PeerHandlers {
  private readonly intermediaries = new Map<
    SiteId,
    { readonly version: BrainMessage['version']; readonly byRoom: ReadonlyMap<ConferenceId, Neighbour> }
  >();
  private mine: BrainMessage = { type: 'intermediaries', version: { epoch: 0, revision: 0 }, intermediaries: [] };

  constructor(
    private readonly site: SiteId,
    private readonly store: EventStore,
    private readonly peers: Peers,
    private readonly events: LinkEvents,
  ) {}

  start(): Promise<void> {
    return this.peers.start(this);
  }

  /** Sites whose people can be shown here: this one, and those whose link is up. */
  reach(): ReadonlySet<SiteId> {
    return new Set([this.site, ...this.states().flatMap(({ site, up }) => (up ? [site] : []))]);
  }

  states(): readonly LinkState[] {
    return this.peers.states();
  }

  link(peers: readonly { readonly site: SiteId; readonly url: string }[]): void {
    this.peers.setPeers(peers);
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

  /** Tells every peer which of our nodes stands for us, if that is news. */
  announce(epoch: number, intermediaries: BrainMessage['intermediaries']): void {
    if (JSON.stringify(intermediaries) === JSON.stringify(this.mine.intermediaries)) return;
    this.mine = { type: 'intermediaries', version: { epoch, revision: this.mine.version.revision + 1 }, intermediaries };
    for (const { site, up } of this.states()) if (up) this.peers.send(site, this.mine);
  }

  facts(_peer: SiteId, after: Position | undefined, signal: AbortSignal): AsyncIterable<Stored> {
    return ownFacts(this.store, this.site, after, signal);
  }

  async received(peer: SiteId, facts: readonly Fact[], position: Position): Promise<void> {
    const fresh = await this.store.adopt(facts);
    await this.store.setBookmark(bookmarkOf(peer), position);
    if (fresh.length > 0) await this.events.adopted(fresh);
  }

  resumeAfter(peer: SiteId): Promise<Position | undefined> {
    return this.store.bookmark(bookmarkOf(peer));
  }

  async message(peer: SiteId, body: unknown): Promise<void> {
    const parsed = brainMessage.safeParse(body);
    if (!parsed.success) throw new Refusal('link.malformed', `${peer} sent something that is no brain message: ${parsed.error.message}`);
    const { version, intermediaries } = parsed.data;
    const known = this.intermediaries.get(peer)?.version;
    if (known && (version.epoch < known.epoch || (version.epoch === known.epoch && version.revision < known.revision))) return;
    this.intermediaries.set(peer, {
      version,
      byRoom: new Map(intermediaries.map(({ conference, node, url }) => [conference, { node, url }])),
    });
    this.events.changed();
  }

  changed(state: LinkState): void {
    if (state.up) this.peers.send(state.site, this.mine);
    this.events.changed();
  }

  close(): Promise<void> {
    return this.peers.close();
  }
}

const bookmarkOf = (peer: SiteId): string => `peer:${peer}`;
