import { Fault, siteOfStream, type SiteId } from '@isthmus/kernel';
import type { Bus, EventStore, Message, Timers } from '@isthmus/ports';
import { TOPICS, type FactPublished } from '@isthmus/protocol';
import { roomOf } from './conference-facts.js';

export interface FactTellerParts {
  readonly site: SiteId;
  readonly bus: Bus;
  readonly store: EventStore;
  readonly timers: Timers;
}

/** How soon a fact that the bus did not take is said again. */
const PUBLISH_AGAIN_MS = 1_000;
const BOOKMARK = 'bus:facts';

/** Tells the site's bus what was recorded here. Store first, bus second: what is published has been read back from the store. */
export class FactTeller {
  private readonly stopped = new AbortController();
  private readonly telling: Promise<void>;

  constructor(private readonly parts: FactTellerParts) {
    this.telling = this.tell();
  }

  async close(): Promise<void> {
    this.stopped.abort();
    await this.telling.catch(() => undefined);
  }

  private async tell(): Promise<void> {
    const { store, site } = this.parts;
    for await (const { fact, position } of store.follow('conference', await store.bookmark(BOOKMARK), this.stopped.signal)) {
      if (siteOfStream(fact.stream) !== site) continue;
      const value: FactPublished = { stream: fact.stream, seq: fact.seq, at: fact.at, by: fact.by, type: fact.type, body: fact.body };
      await this.published({ topic: TOPICS.facts, key: roomOf(fact.stream), value });
      await store.setBookmark(BOOKMARK, position);
    }
  }

  /** What must arrive waits for the bus, for as long as it takes. */
  private async published(message: Message): Promise<void> {
    while (!this.stopped.signal.aborted) {
      try {
        return await this.parts.bus.publish(message);
      } catch (error) {
        if (!(error instanceof Fault) || !error.retryable) throw error;
        await new Promise<void>((resolve) => void this.parts.timers.after(PUBLISH_AGAIN_MS, resolve));
      }
    }
  }
}
