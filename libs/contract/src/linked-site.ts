import type { Fact, SiteId } from '@isthmus/kernel';
import type { LinkState, PeerHandlers, Peers, Position, Stored } from '@isthmus/ports';
import { chain, streamOf } from './sample-facts.js';

/** A site as its brain would stand behind the links: it has facts of its own, and keeps what it receives. */
export class Site implements PeerHandlers {
  readonly own: Fact[] = [];
  /** How many of our facts have been taken out of the store for peers. */
  pulled = 0;
  /** From each peer, in the order of arrival; `kept` is each once, as a store would. */
  readonly arrived = new Map<SiteId, Fact[]>();
  readonly kept = new Map<SiteId, Map<string, Fact>>();
  readonly messages: { readonly from: SiteId; readonly body: unknown }[] = [];
  readonly changes: LinkState[] = [];
  readonly resumes: { readonly by: SiteId; readonly after: Position | undefined }[] = [];
  beforeReceiving: () => Promise<void> = async () => undefined;
  onMessage: (body: unknown) => void = () => undefined;
  /** What came with each batch, and with the last of which facts. */
  readonly words: { readonly from: SiteId; readonly last: Fact['hash'] | undefined; readonly word: unknown }[] = [];
  private readonly positions = new Map<SiteId, Position>();
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly name: SiteId,
    public peers: Peers,
  ) {}

  record(count: number, say?: string): void {
    this.own.push(...chain(streamOf('7f3a', this.name), count, this.own.at(-1), say));
    for (const listener of this.listeners) listener();
  }

  async *facts(peer: SiteId, after: Position | undefined, signal: AbortSignal): AsyncGenerator<Stored> {
    this.resumes.push({ by: peer, after });
    for (let index = after === undefined ? 0 : Number(after) + 1; !signal.aborted;) {
      const fact = this.own[index];
      if (fact) {
        this.pulled++;
        yield { position: String(index++), fact };
      } else {
        await new Promise<void>((resolve) => {
          const done = () => {
            this.listeners.delete(done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          this.listeners.add(done);
          signal.addEventListener('abort', done);
        });
      }
    }
  }

  vouch(facts: readonly Fact[]): unknown {
    return { by: this.name, last: facts.at(-1)?.hash };
  }

  async received(peer: SiteId, facts: readonly Fact[], position: Position, word?: unknown): Promise<void> {
    await this.beforeReceiving();
    const arrived = this.arrived.get(peer) ?? [];
    const kept = this.kept.get(peer) ?? new Map<string, Fact>();
    this.arrived.set(peer, arrived);
    this.kept.set(peer, kept);
    for (const fact of facts) {
      arrived.push(fact);
      kept.set(fact.hash, fact);
    }
    this.positions.set(peer, position);
    this.words.push({ from: peer, last: facts.at(-1)?.hash, word });
  }

  async resumeAfter(peer: SiteId): Promise<Position | undefined> {
    return this.positions.get(peer);
  }

  async message(from: SiteId, body: unknown): Promise<void> {
    this.onMessage(body);
    this.messages.push({ from, body });
  }

  changed(state: LinkState): void {
    this.changes.push(state);
  }

  stateOf(peer: Site): LinkState | undefined {
    return this.peers.states().find(({ site }) => site === peer.name);
  }

  from(peer: Site): readonly Fact[] {
    return [...(this.kept.get(peer.name)?.values() ?? [])];
  }
}
