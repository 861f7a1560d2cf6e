import { Refusal, type Fact, type SiteId } from '@isthmus/kernel';
import type { LinkState, PeerHandlers, Peers, Position, Stored } from '@isthmus/ports';
import type { End, Network } from './network.js';

const RETRY_FIRST_MS = 100;
const RETRY_LONGEST_MS = 2_000;
const WINDOW = 8;
/** Why a feed ends. Without a reason, each end would cost an exception with its stack, which nobody reads. */
const OVER = 'over';

type FromDialler = { readonly follow: Position | undefined } | { readonly more: true } | { readonly body: unknown };
interface FromDialled {
  readonly facts: readonly Fact[];
  readonly position: Position;
  readonly word: unknown;
}

/** The links of one brain, by the rules of `peers-http`, over a simulated network. */
export class SimulatedPeers implements Peers {
  readonly #lines = new Map<SiteId, Line>();
  #handlers: PeerHandlers | undefined;
  #wanted: readonly SiteId[] = [];
  #closed = false;

  constructor(
    readonly site: SiteId,
    readonly network: Network,
    /** Whoever answers at a site now. */
    private readonly answerer: (site: SiteId) => SimulatedPeers | undefined,
  ) {}

  get closed(): boolean {
    return this.#closed;
  }

  start(handlers: PeerHandlers): Promise<void> {
    this.#handlers = handlers;
    this.#correct();
    return Promise.resolve();
  }

  setPeers(peers: readonly { readonly site: SiteId }[]): void {
    this.#wanted = peers.map(({ site }) => site).filter((site) => site !== this.site);
    this.#correct();
  }

  send(peer: SiteId, body: unknown): void {
    const line = this.#lines.get(peer);
    if (line?.state.up === true) line.outgoing?.send({ body } satisfies FromDialler);
  }

  states(): readonly LinkState[] {
    return [...this.#lines.values()].map(({ state }) => state);
  }

  /** Whether facts go both ways, for how long that has been so, and how often a peer that had been there was lost. */
  linkTo(peer: SiteId): { readonly up: boolean; readonly forMs: number; readonly losses: number } {
    const line = this.#lines.get(peer);
    if (line === undefined) return { up: false, forMs: 0, losses: 0 };
    return { up: line.state.up, forMs: this.network.schedule.nowMs - line.state.sinceMs, losses: line.losses };
  }

  close(): Promise<void> {
    this.kill();
    return Promise.resolve();
  }

  /** The process is gone. */
  kill(): void {
    this.#closed = true;
    this.network.hangUp(this.site);
    this.#lines.clear();
  }

  /** Somebody has dialled us. False: this is no peer of ours, or not yet. */
  answer(peer: SiteId, end: End): boolean {
    const line = this.#lines.get(peer);
    const handlers = this.#handlers;
    if (this.#closed || line === undefined || handlers === undefined) return false;
    line.incoming?.close();
    line.incoming = end;
    const feed = new Feed(this.network, end, (facts) => handlers.vouch?.(facts));
    end.onMessage = (message: FromDialler) => {
      if (this.#closed) return;
      if ('follow' in message) void feed.run(handlers.facts(peer, message.follow, feed.signal));
      else if ('more' in message) feed.more();
      else void handlers.message(peer, message.body).catch(() => end.close());
    };
    end.onClose = () => {
      feed.stop();
      if (line.incoming !== end) return;
      line.incoming = undefined;
      this.#refresh(line);
    };
    this.#refresh(line);
    return true;
  }

  #correct(): void {
    if (this.#handlers === undefined || this.#closed) return;
    for (const [site, line] of this.#lines) {
      if (this.#wanted.includes(site)) continue;
      this.#lines.delete(site);
      line.outgoing?.close();
      line.incoming?.close();
    }
    for (const site of this.#wanted) {
      if (this.#lines.has(site)) continue;
      const line = new Line(site, this.network.schedule.nowMs);
      this.#lines.set(site, line);
      this.#dial(line, RETRY_FIRST_MS);
    }
  }

  #dial(line: Line, waitMs: number): void {
    const { schedule, random } = this.network;
    const again = () => {
      const jittered = waitMs + random.between(0, waitMs);
      schedule.after(jittered, () => this.#dial(line, Math.min(2 * waitMs, RETRY_LONGEST_MS)));
    };
    if (this.#closed || this.#lines.get(line.site) !== line || line.outgoing !== undefined) return;
    if (!this.network.isClear(this.site, line.site)) return again();
    const roundTripMs = this.network.delayMs(this.site, line.site) + this.network.delayMs(line.site, this.site);
    schedule.after(2 * roundTripMs, () => {
      const other = this.answerer(line.site);
      const gone = this.#closed || this.#lines.get(line.site) !== line;
      if (gone || other === undefined || other.closed || !this.network.isClear(this.site, line.site)) return again();
      const { near, far } = this.network.connect(this.site, line.site);
      if (!other.answer(this.site, far)) {
        near.close();
        far.close();
        return again();
      }
      this.#welcomed(line, near, roundTripMs);
    });
  }

  #welcomed(line: Line, end: End, roundTripMs: number): void {
    const handlers = this.#handlers!;
    line.outgoing = end;
    line.rttMs = roundTripMs;
    end.onClose = () => {
      if (line.outgoing !== end) return;
      line.outgoing = undefined;
      this.#refresh(line);
      this.#dial(line, RETRY_FIRST_MS);
    };
    end.onMessage = ({ facts, position, word }: FromDialled) =>
      line.inTurn(end, async () => {
        await this.#persist(end, () => handlers.received(line.site, facts, position, word));
        end.send({ more: true } satisfies FromDialler);
      });
    this.#refresh(line);
    line.inTurn(end, async () => {
      const after = await this.#persist(end, () => handlers.resumeAfter(line.site));
      end.send({ follow: after } satisfies FromDialler);
    });
  }

  /** A full disk here is no reason to say that the peer is out of reach. */
  async #persist<T>(end: End, work: () => Promise<T>): Promise<T | undefined> {
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(2 * waitMs, RETRY_LONGEST_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!end.open || error instanceof Refusal) return undefined;
        await new Promise<void>((resolve) => this.network.schedule.after(waitMs, resolve));
        if (!end.open) return undefined;
      }
    }
  }

  #refresh(line: Line): void {
    if (this.#closed || this.#lines.get(line.site) !== line) return;
    const up = line.outgoing !== undefined && line.incoming !== undefined;
    if (up === line.state.up) return;
    if (!up) line.losses += 1;
    const reason = up ? undefined : 'no answer for 1.5 s';
    line.state = { site: line.site, up, rttMs: line.rttMs, reason, sinceMs: this.network.schedule.nowMs };
    this.#handlers?.changed(line.state);
  }
}

class Line {
  outgoing: End | undefined;
  incoming: End | undefined;
  rttMs: number | undefined;
  losses = 0;
  state: LinkState;
  #receiving: Promise<void> = Promise.resolve();

  constructor(
    readonly site: SiteId,
    nowMs: number,
  ) {
    this.state = { site, up: false, rttMs: undefined, reason: 'connecting', sinceMs: nowMs };
  }

  /** One batch after another, also across connections. */
  inTurn(end: End, work: () => Promise<void>): void {
    this.#receiving = this.#receiving.then(() => (end.open ? work() : undefined));
  }
}

/** Gives a peer facts in batches, as many as it has asked for. */
class Feed {
  readonly #ending = new AbortController();
  readonly #ready: Stored[] = [];
  #credit = WINDOW;
  #due = false;

  constructor(
    private readonly network: Network,
    private readonly end: End,
    private readonly vouch: (facts: readonly Fact[]) => unknown,
  ) {}

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  stop(): void {
    this.#ending.abort(OVER);
  }

  more(): void {
    this.#credit += 1;
    this.#flush();
  }

  async run(source: AsyncIterable<Stored>): Promise<void> {
    for await (const stored of source) {
      if (this.#ending.signal.aborted) return;
      this.#ready.push(stored);
      this.#flush();
    }
  }

  /** What has gathered within a moment goes together. */
  #flush(): void {
    if (this.#due || this.#credit === 0 || this.#ready.length === 0) return;
    this.#due = true;
    this.network.schedule.after(this.network.random.between(0, 3), () => {
      this.#due = false;
      if (!this.end.open || this.#credit === 0) return;
      const batch = this.#ready.splice(0, this.network.random.pick([1, 2, 5, 20, 200]));
      this.#credit -= 1;
      const facts = batch.map(({ fact }) => fact);
      this.end.send({ facts, position: batch.at(-1)!.position, word: this.vouch(facts) } satisfies FromDialled);
      this.#flush();
    });
  }
}
