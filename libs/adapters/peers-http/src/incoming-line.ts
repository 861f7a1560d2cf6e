import type { SiteId } from '@isthmus/kernel';
import type { PeerHandlers } from '@isthmus/ports';
import { Credit, batchesOf } from './fact-feed.js';
import type { Trouble } from './outgoing-line.js';
import { PEER_PROTOCOL, fromDialler, type FromDialled, type FromDialler } from './peer-protocol.js';
import type { SecureLink } from './secure-link.js';

/** Whoever connects says hello within this time. */
const HELLO_MS = 3_000;

export interface IncomingLineOptions {
  readonly site: SiteId;
  /** Who it is, by certificate. */
  readonly peer: SiteId;
  readonly link: SecureLink;
  readonly handlers: PeerHandlers;
  readonly report: (trouble: Trouble) => void;
}

/** A connection that a peer has dialled: it gets our facts as it asks for them, and tells us what is not history. */
export class IncomingLine {
  private readonly credit = new Credit();
  private readonly ending = new AbortController();
  private greeted = false;
  private following = false;
  private hello: () => void = () => undefined;

  constructor(private readonly options: IncomingLineOptions) {
    const { link } = options;
    const timer = setTimeout(() => link.close(`no hello within ${HELLO_MS / 1_000} s`), HELLO_MS);
    link.onClose(() => {
      clearTimeout(timer);
      this.ending.abort();
    });
    link.onMessage(async (raw) => {
      const parsed = fromDialler.safeParse(raw);
      if (!parsed.success) return this.refuse('a message that this link does not know');
      if (parsed.data.type === 'hello') clearTimeout(timer);
      await this.take(parsed.data);
    });
  }

  /** When the last byte came, on the clock of `performance.now`. */
  get heardAtMs(): number {
    return this.options.link.heardAtMs;
  }

  onHello(hello: () => void): void {
    this.hello = hello;
  }

  close(reason: string): void {
    this.options.link.close(reason);
  }

  private async take(message: FromDialler): Promise<void> {
    if (message.type === 'hello') return this.greet(message);
    if (!this.greeted) return this.refuse(`${message.type} before hello`);
    switch (message.type) {
      case 'follow':
        if (this.following) return this.refuse('follow for the second time');
        this.following = true;
        this.credit.add(message.batches);
        void this.feed(message.after);
        return;
      case 'more':
        if (!this.following || !this.credit.add(1)) this.refuse('it asks for more than it may');
        return;
      case 'message':
        try {
          await this.options.handlers.message(this.options.peer, message.body);
        } catch (error) {
          this.refuse(`a message that was not understood: ${textOf(error)}`);
        }
    }
  }

  private greet({ version, site, to }: Extract<FromDialler, { type: 'hello' }>): void {
    const { peer, link } = this.options;
    if (this.greeted) return this.refuse('hello for the second time');
    if (site !== peer) return this.refuse(`its certificate is ${peer}’s, its hello says ${site}`);
    if (to !== this.options.site) return this.refuse(`it looks for ${to}, this is ${this.options.site}`);
    if (version !== PEER_PROTOCOL) return this.refuse(`it speaks version ${version} of this link, we speak ${PEER_PROTOCOL}`);
    this.greeted = true;
    link.send({ type: 'welcome', version: PEER_PROTOCOL } satisfies FromDialled);
    this.hello();
  }

  private async feed(after: string | undefined): Promise<void> {
    const { link, peer, handlers, report } = this.options;
    const { signal } = this.ending;
    try {
      const source = handlers.facts(peer, after, signal);
      const tooBig = ({ fact }: { fact: { stream: string; seq: number } }, bytes: number) =>
        report({ peer, message: `fact ${fact.seq} of ${fact.stream} has ${bytes} bytes and stays here: no link carries it` });
      for await (const batch of batchesOf(source, this.credit, signal, tooBig))
        link.send({ type: 'facts', ...batch, word: handlers.vouch?.(batch.facts) } satisfies FromDialled);
      if (!signal.aborted) link.close('no more facts: shutting down');
    } catch (error) {
      if (signal.aborted) return;
      report({ peer, message: `our facts cannot be read: ${textOf(error)}` });
      link.close('our store failed');
    }
  }

  private refuse(why: string): void {
    this.options.report({ peer: this.options.peer, message: `connection ended: ${why}` });
    this.options.link.close(`refused: ${why}`);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
