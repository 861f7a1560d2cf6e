import type { SiteId } from '@isthmus/kernel';
import type { Cancel, Clock, LinkState, Timers } from '@isthmus/ports';
import {
  damped,
  linksUpText,
  merged,
  NEVER_HEARD,
  networkOf,
  newerThan,
  type Damping,
  type KnownStates,
  type LinkStates,
  type Network,
} from '@isthmus/reach';

/** What reach needs of the brain around it. */
export interface ReachParts {
  readonly site: SiteId;
  readonly epoch: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Tells the peers, except the one it came from. */
  readonly say: (states: LinkStates, except?: SiteId) => void;
  /** Who is in reach has changed, or the ways there have. */
  readonly changed: () => void;
  /** Whether facts of that site which it had when it came into reach are still to come. */
  readonly lacks: (site: SiteId) => boolean;
  /** Whether media packets come from a peer, as far as anybody here can tell. */
  readonly hearsMedia: (peer: SiteId) => boolean;
}

/** How long a site that is heard may be kept out of reach because its facts do not come; something is wrong with them then, not with it. */
const PATIENCE_MS = 5_000;

/**
 * Who is in reach of this site, and by which ways: what it hears of each peer, damped and told to all, and what all others
 * say likewise (merge rule 7, ADR 0026). A site comes into reach when what it had recorded by then is here (rule 11).
 */
export class Reach {
  private readonly damping = { facts: new Map<SiteId, Damping>(), media: new Map<SiteId, Damping>() };
  private own: LinkStates;
  private known: KnownStates = new Map();
  private latest: Network;
  /** What the network was made of, and the part of it that is in reach: all that desires depend on. */
  private made = '';
  private described = '';
  private counted: readonly LinkStates[] = [];
  /** Peers that have told of their links themselves, and not by others alone. */
  private readonly spoken = new Set<SiteId>();
  private readonly inReach: Set<SiteId>;
  /** Sites that are heard, and until when they are waited for. */
  private readonly awaited = new Map<SiteId, number>();
  private members: ReadonlySet<SiteId> | undefined;
  private closed: ReadonlySet<SiteId> = new Set();
  private waking: Cancel = () => undefined;
  private waiting: Cancel = () => undefined;

  constructor(private readonly parts: ReachParts) {
    this.own = { site: parts.site, version: { epoch: parts.epoch, revision: 0 }, hears: [] };
    this.known = merged(this.known, this.own);
    this.latest = networkOf(this.known);
    this.inReach = new Set([parts.site]);
  }

  /** Sites whose people can be shown here, this one among them. */
  get sites(): ReadonlySet<SiteId> {
    return this.inReach;
  }

  get network(): Network {
    return this.latest;
  }

  /** What every site last said, for a peer that has just come. */
  get words(): readonly LinkStates[] {
    return [...this.known.values()];
  }

  /** What makes the network: the words of the sites that there are, and which of them carry nothing for others. */
  get basis(): { readonly words: readonly LinkStates[]; readonly closed: readonly SiteId[] } {
    return { words: this.counted, closed: [...this.closed] };
  }

  /** Whether a site says that it hears another's facts. */
  hearsFacts(site: SiteId, peer: SiteId): boolean {
    return this.known.get(site)?.hears.some((hearing) => hearing.peer === peer && hearing.facts) === true;
  }

  /** Which sites there are, and which of them carry nothing for others. */
  sitesAre(members: ReadonlySet<SiteId>, closed: ReadonlySet<SiteId>): void {
    this.members = members;
    this.closed = closed;
    this.rework();
  }

  /** Looks at the links again. */
  look(states: readonly LinkState[]): void {
    const now = this.parts.clock.monotonic();
    const { facts, media } = this.damping;
    const peers = new Set(states.map(({ site }) => site));
    for (const known of [facts, media]) for (const peer of [...known.keys()]) if (!peers.has(peer)) known.delete(peer);
    for (const { site, up, heardAtMs } of states) {
      facts.set(site, damped(facts.get(site) ?? NEVER_HEARD, up, now, up ? now : (heardAtMs ?? now)));
      // Whoever says that media do not come has waited for them already.
      media.set(site, damped(media.get(site) ?? NEVER_HEARD, this.parts.hearsMedia(site), now, -Infinity));
    }
    this.sayOwn();
    const again = [...facts.values(), ...media.values()].flatMap(({ lookAt }) => (lookAt === undefined ? [] : [lookAt]));
    this.waking();
    this.waking =
      again.length === 0 ? () => undefined : this.parts.timers.after(Math.max(0, Math.min(...again) - now), () => this.look(this.states()));
    this.rework();
  }

  /** Whether media of a peer come, as it was said to all. */
  mediaCome(peer: SiteId): boolean {
    return this.damping.media.get(peer)?.up ?? true;
  }

  /** Set by whoever owns the links. */
  states: () => readonly LinkState[] = () => [];

  /** A word of some site has come. @returns whether it was news */
  heard(from: SiteId, states: LinkStates): boolean {
    if (states.site === this.parts.site) {
      // Our own word that went round is no news, or it would go round for ever.
      if (merged(this.known, states) === this.known) return false;
      // Others know a later word of ours than we do: our memory is older than theirs.
      const version = newerThan(states.version, this.own.version);
      if (version !== this.own.version) this.speak({ ...this.own, version });
      return true;
    }
    const known = merged(this.known, states);
    const isFirst = states.site === from && !this.spoken.has(from);
    if (isFirst) this.spoken.add(from);
    if (known === this.known) {
      if (isFirst) this.rework();
      return false;
    }
    this.known = known;
    this.parts.say(states, from);
    this.rework();
    return true;
  }

  /** Facts have come: perhaps those that somebody was waited for. */
  factsCame(): void {
    if (this.awaited.size > 0) this.rework();
  }

  close(): void {
    this.waking();
    this.waiting();
  }

  private sayOwn(): void {
    const heard = [...this.damping.facts].filter(([, { up }]) => up).map(([peer]) => ({ peer, facts: true, media: this.mediaCome(peer) }));
    const hears = heard.sort((a, b) => (a.peer < b.peer ? -1 : 1));
    if (JSON.stringify(hears) === JSON.stringify(this.own.hears)) return;
    this.speak({ ...this.own, version: { ...this.own.version, revision: this.own.version.revision + 1 }, hears });
  }

  private speak(own: LinkStates): void {
    this.own = own;
    this.known = merged(this.known, own);
    this.parts.say(own);
    this.rework();
  }

  private rework(): void {
    const { site, clock, lacks, changed } = this.parts;
    const { members } = this;
    const isMember = (each: SiteId) => members === undefined || each === site || members.has(each);
    const current = new Map([...this.known].filter(([each]) => isMember(each) && !this.isOutdated(each)));
    this.counted = [...current.values()];
    const made = `${linksUpText(current)} but not by ${[...this.closed].join()}`;
    if (made === this.made && this.awaited.size === 0) return;
    this.made = made;
    const network = networkOf(current, (each) => !this.closed.has(each));
    const component = network.reachOf(site);
    const now = clock.monotonic();
    for (const each of [...this.inReach]) if (!component.has(each)) this.inReach.delete(each);
    for (const each of [...this.awaited.keys()]) if (!component.has(each)) this.awaited.delete(each);
    for (const each of component) {
      if (this.inReach.has(each)) continue;
      const until = this.awaited.get(each) ?? now + PATIENCE_MS;
      if (lacks(each) && now < until) this.awaited.set(each, until);
      else {
        this.awaited.delete(each);
        this.inReach.add(each);
      }
    }
    this.latest = network;
    this.waitNoLonger();
    const within = new Map([...current].filter(([each]) => this.inReach.has(each)));
    const described = `${linksUpText(within)} but not by ${[...this.closed].join()}`;
    if (described === this.described) return;
    this.described = described;
    changed();
  }

  /**
   * Whether all that is known of a peer's links is what others had heard of it before it was linked with us: it says how they are
   * itself as soon as it is, and may have been started anew since, as we were.
   */
  private isOutdated(site: SiteId): boolean {
    return !this.spoken.has(site) && this.damping.facts.get(site)?.up === true;
  }

  /** Looks again when the first of those who are waited for has been for long enough. A timer may be early by a fraction, so it is set anew until then. */
  private waitNoLonger(): void {
    this.waiting();
    this.waiting = () => undefined;
    if (this.awaited.size === 0) return;
    const { clock, timers } = this.parts;
    const left = Math.min(...this.awaited.values()) - clock.monotonic();
    this.waiting = timers.after(Math.max(1, left), () => this.rework());
  }
}
