import { chained } from '@isthmus/contract/samples';
import { streamNameOf, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import { MANAGEMENT } from '@isthmus/estate';
import { textOfHead, type Signatures } from '@isthmus/ports';
import type { EstateWord } from '@isthmus/protocol';

/** Management as far as sites know it: a stream of estate facts that each site follows, or has lost. */
export class Management {
  /** @param facts what it has said so far; is added to */
  constructor(readonly facts: Fact[] = []) {}

  readonly heardBy = new Map<SiteId, () => void>();
  readonly lostBy = new Set<SiteId>();
  /** Undefined: an older management, which signs nothing. */
  signatures: Signatures | undefined;

  say(type: string, body: unknown): void {
    const stream = streamNameOf('estate', 'main', writerIdOf(MANAGEMENT, 1));
    this.facts.push(...chained(stream, [[type, body]], this.facts.at(-1)));
    for (const wake of this.heardBy.values()) wake();
  }

  lose(site: SiteId): void {
    this.lostBy.add(site);
  }

  find(site: SiteId): void {
    this.lostBy.delete(site);
    this.heardBy.get(site)?.();
  }

  async *followedBy(site: SiteId, after: number, signal: AbortSignal, say: (word: EstateWord) => void): AsyncIterable<readonly Fact[]> {
    for (let told = after; !signal.aborted;) {
      const news = this.lostBy.has(site) ? [] : this.facts.slice(told);
      if (news.length > 0) {
        told += news.length;
        const { stream, seq, hash } = news.at(-1)!;
        const signed = this.signatures?.sign(textOfHead({ stream, seq, hash }));
        if (signed) say({ certificate: signed.certificate, heads: [{ stream, seq, hash, signature: signed.signature }] });
        yield news;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.heardBy.set(site, resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
