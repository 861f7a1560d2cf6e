import type { SiteId } from '@isthmus/kernel';

/**
 * Which words were told to which peers, so that each is told once while the peer is there. Whoever was lost may not have heard the
 * last of it, and is told all anew. With twenty sites nine of ten words would else be told for nothing.
 */
export class Tellings<Word extends object> {
  /** What stands for a peer since it last came. What it was told is forgotten with the words. */
  private readonly presences = new Map<SiteId, object>();
  private readonly told = new WeakMap<Word, Set<object>>();

  /** A peer is there, for the first time or again. */
  came(peer: SiteId): void {
    this.presences.set(peer, {});
  }

  /** Whether a peer has not been told this word; from now on it has. */
  isNewTo(peer: SiteId, word: Word): boolean {
    const presence = this.presences.get(peer) ?? {};
    this.presences.set(peer, presence);
    const told = this.told.get(word) ?? new Set();
    this.told.set(word, told);
    return !told.has(presence) && told.add(presence) === told;
  }
}
