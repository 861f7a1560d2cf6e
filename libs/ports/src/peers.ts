import type { Fact, SiteId } from '@isthmus/kernel';
import type { Position, Stored } from './event-store.js';

export interface LinkState {
  readonly site: SiteId;
  readonly up: boolean;
  /** Round trip of the last heartbeat; undefined before the first. */
  readonly rttMs: number | undefined;
  /** Why it is down, for a person: `certificate of another site`, `no answer for 1.5 s`. */
  readonly reason: string | undefined;
  /** On our monotonic clock. */
  readonly sinceMs: number;
  /** When the last sign of life came, on our monotonic clock, if that is known: a link is found dead later than it died. */
  readonly heardAtMs?: number | undefined;
}

/** What the owner of a site's facts (its brain) gives and takes on the links. */
export interface PeerHandlers {
  /** Our own site's facts after a position that the peer had from us, then live, until aborted. */
  facts(peer: SiteId, after: Position | undefined, signal: AbortSignal): AsyncIterable<Stored>;
  /** What is to travel with a batch of facts of our own, as JSON: our word on them, which whoever has them can show others. */
  vouch?(facts: readonly Fact[]): unknown;
  /**
   * A peer's facts, in its order, and what it vouches for them with, which nobody has looked at. The link goes on to the next
   * batch when this resolves (so: adopt, durable, first).
   */
  received(peer: SiteId, facts: readonly Fact[], position: Position, word?: unknown): Promise<void>;
  /** Where to resume with that peer. */
  resumeAfter(peer: SiteId): Promise<Position | undefined>;
  /** State that is not history: which node is the intermediary, and the like. Lost while the link is down. */
  message(peer: SiteId, body: unknown): Promise<void>;
  changed(state: LinkState): void;
  /** What a peer sent that was left out because it cannot be true. Something for an alarm; the link goes on. */
  poisoned?(peer: SiteId, what: string): void;
}

/** The links from this site to all others: mutually authenticated, encrypted, resumed where they stopped. */
export interface Peers {
  start(handlers: PeerHandlers): Promise<void>;
  /** Adds, changes and drops links so that exactly these peers are linked. */
  setPeers(peers: readonly { readonly site: SiteId; readonly url: string }[]): void;
  /** Sends in order if the link is up, else does nothing: whoever sends state sends it again on `changed`. */
  send(peer: SiteId, body: unknown): void;
  states(): readonly LinkState[];
  close(): Promise<void>;
}
