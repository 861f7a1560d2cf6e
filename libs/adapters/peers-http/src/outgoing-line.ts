import { createHash } from 'node:crypto';
import { Refusal, isFact, siteOfStream, verify, type Fact, type SiteId } from '@isthmus/kernel';
import type { PeerHandlers } from '@isthmus/ports';
import type { Credentials } from './certificates.js';
import { PEER_PROTOCOL, WINDOW, fromDialled, type FromDialler } from './peer-protocol.js';
import { dial, type Dialled } from './secure-dialler.js';
import type { LinkLimits, SecureLink } from './secure-link.js';

/** Something on the links that somebody should look into. */
export interface Trouble {
  readonly peer?: SiteId;
  readonly message: string;
}

export interface OutgoingLineOptions {
  readonly site: SiteId;
  readonly peer: SiteId;
  readonly url: string;
  readonly credentials: () => Credentials;
  readonly translate: ((host: string) => string) | undefined;
  readonly limits: LinkLimits;
  readonly handlers: PeerHandlers;
  readonly report: (trouble: Trouble) => void;
  /** `up` or `reason` has changed. */
  readonly changed: () => void;
}

/** Whoever is reached says welcome within this time. */
const WELCOME_MS = 3_000;
const RETRY_FIRST_MS = 100;
const RETRY_LONGEST_MS = 2_000;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** As they came: nobody has looked at the facts yet. */
interface Batch {
  readonly facts: readonly unknown[];
  readonly position: string;
  readonly word?: unknown;
}

/** Our connection to one peer: kept up, and on it the peer's facts followed, batch by batch, each durable before the next is asked for. */
export class OutgoingLine {
  private dialled: Dialled | undefined;
  private welcomed: SecureLink | undefined;
  private lastLink: SecureLink | undefined;
  private why: string | undefined = 'connecting';
  /** One batch after another, also across connections: what the last one still does is done before the next begins. */
  private receiving: Promise<void> = Promise.resolve();

  constructor(private readonly options: OutgoingLineOptions) {}

  get up(): boolean {
    return this.welcomed !== undefined;
  }

  /** Why it is not up. */
  get reason(): string | undefined {
    return this.why;
  }

  get rttMs(): number | undefined {
    return this.welcomed?.rttMs;
  }

  /** When the last byte came, on the clock of `performance.now`. */
  get heardAtMs(): number | undefined {
    return this.lastLink?.heardAtMs;
  }

  start(): void {
    const { peer, url, credentials, translate, limits } = this.options;
    this.dialled = dial({
      url,
      credentials,
      limits,
      ...(translate ? { translate } : {}),
      expect: (identity) => identity.kind === 'site' && identity.site === peer,
      onLink: (link) => this.greet(link),
      onDown: (reason) => this.set(undefined, reason),
    });
  }

  send(body: unknown): void {
    this.welcomed?.send({ type: 'message', body } satisfies FromDialler);
  }

  close(): void {
    this.dialled?.close();
    this.welcomed = undefined;
  }

  /** When nothing is being received any more. */
  ended(): Promise<void> {
    return this.receiving;
  }

  private set(welcomed: SecureLink | undefined, why: string | undefined): void {
    this.welcomed = welcomed;
    this.lastLink = welcomed ?? this.lastLink;
    this.why = why;
    this.options.changed();
  }

  private greet(link: SecureLink): void {
    const { site, peer } = this.options;
    const timer = setTimeout(() => link.close(`no welcome within ${WELCOME_MS / 1_000} s`), WELCOME_MS);
    link.onClose(() => clearTimeout(timer));
    link.onMessage(async (raw) => {
      const parsed = fromDialled.safeParse(raw);
      if (!parsed.success) return this.refuse(link, 'a message that this link does not know');
      const message = parsed.data;
      if (message.type === 'welcome') {
        if (this.welcomed === link) return this.refuse(link, 'welcome for the second time');
        clearTimeout(timer);
        this.set(link, undefined);
        return this.inTurn(link, () => this.follow(link));
      }
      if (this.welcomed !== link) return this.refuse(link, 'facts before welcome');
      return this.inTurn(link, () => this.receive(link, message));
    });
    link.send({ type: 'hello', version: PEER_PROTOCOL, site, to: peer } satisfies FromDialler);
  }

  private inTurn(link: SecureLink, work: () => Promise<void>): Promise<void> {
    this.receiving = this.receiving.then(() => (link.open ? work() : undefined));
    return this.receiving;
  }

  private async follow(link: SecureLink): Promise<void> {
    const after = await this.persist(link, 'where to resume cannot be read', () => this.options.handlers.resumeAfter(this.options.peer));
    if (link.open) link.send({ type: 'follow', ...(after === undefined ? {} : { after }), batches: WINDOW } satisfies FromDialler);
  }

  private async receive(link: SecureLink, { facts: candidates, position, word }: Batch): Promise<void> {
    const { peer, handlers } = this.options;
    const facts = this.sound(candidates);
    await this.persist(link, 'facts cannot be kept', () => handlers.received(peer, facts, position, word));
    if (link.open) link.send({ type: 'more' } satisfies FromDialler);
  }

  /** Poison stops here, and only the poison: the peer's other facts are taken (merge rule 5). */
  private sound(candidates: readonly unknown[]): Fact[] {
    const { peer, report, handlers } = this.options;
    const facts: Fact[] = [];
    const faults: string[] = [];
    for (const candidate of candidates) {
      if (!isFact(candidate)) faults.push('something that is no fact');
      else if (siteOfStream(candidate.stream) !== peer) faults.push(`fact ${candidate.seq} of ${candidate.stream}, which is not its own`);
      else if (!verify(candidate, sha256)) faults.push(`fact ${candidate.seq} of ${candidate.stream}, which is not what its hash says`);
      else facts.push(candidate);
    }
    if (faults.length > 0) {
      const message = `${faults.length} of ${candidates.length} facts refused, the first: ${faults[0]}`;
      report({ peer, message });
      handlers.poisoned?.(peer, message);
    }
    return facts;
  }

  /** Tries until it works or the link is gone: a full disk here is no reason to say that the peer is out of reach. */
  private async persist<T>(link: SecureLink, trouble: string, work: () => Promise<T>): Promise<T | undefined> {
    const { peer, report } = this.options;
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(2 * waitMs, RETRY_LONGEST_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!link.open) return undefined;
        const lasting = error instanceof Refusal;
        if (lasting || waitMs === RETRY_FIRST_MS) report({ peer, message: `${trouble}${lasting ? '' : ', trying on'}: ${textOf(error)}` });
        if (lasting) return undefined;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        if (!link.open) return undefined;
      }
    }
  }

  private refuse(link: SecureLink, why: string): void {
    this.options.report({ peer: this.options.peer, message: `connection ended: ${why}` });
    link.close(`refused: ${why}`);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
