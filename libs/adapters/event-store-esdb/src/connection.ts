import { EventStoreDBClient } from '@eventstore/db-client';
import { Fault } from '@isthmus/kernel';
import { closedFault, failureOf, mayPass } from './failures.js';

const DISPOSE_MS = 250;
const AGAIN_MS = { first: 50, most: 1_000 };

/** The client, and patience with it: every call ends, and what may pass is tried again until then. */
export class Connection {
  readonly client: EventStoreDBClient;
  /** The server without user and password, for people. */
  readonly where: string;
  private readonly closing = new AbortController();
  /** What was wrong with the last call; undefined when it went well. */
  trouble: string | undefined;

  /** @param patienceMs how long a call may take, all its tries together */
  constructor(
    connectionString: string,
    private readonly patienceMs: number,
  ) {
    this.where = connectionString.replace(/^[a-z+]+:\/\/(?:[^@/]*@)?/i, '').replace(/[/?].*$/s, '');
    try {
      this.client = EventStoreDBClient.connectionString([connectionString] as unknown as TemplateStringsArray);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
      throw new Fault('config.invalid', `The connection string of EventStoreDB cannot be read: ${message}`, {}, { cause });
    }
  }

  get closed(): AbortSignal {
    return this.closing.signal;
  }

  /**
   * One call, again while it may pass.
   * @throws Refusal | Fault in our words
   */
  async call<T>(work: () => Promise<T>, patienceMs = this.patienceMs): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (let wait = AGAIN_MS.first; ; wait = Math.min(wait * 2, AGAIN_MS.most)) {
      if (this.closed.aborted) throw closedFault();
      try {
        const result = await this.within(work(), deadline - performance.now());
        this.trouble = undefined;
        return result;
      } catch (error) {
        if (this.closed.aborted) throw closedFault();
        const passes = mayPass(error);
        if (passes) this.trouble = failureOf(error, this.where).message;
        if (!passes || performance.now() + wait > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** The client waits for ever for a server that took a batch and was not heard of again. */
  private within<T>(work: Promise<T>, ms: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const give = () => reject(new Fault('store.unavailable', `EventStoreDB at ${this.where} did not answer in time. Is it overloaded?`));
      timer = setTimeout(give, Math.max(1, ms));
      this.closed.addEventListener('abort', give);
      void work.then(
        () => this.closed.removeEventListener('abort', give),
        () => this.closed.removeEventListener('abort', give),
      );
    });
    late.catch(() => undefined);
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    if (this.closed.aborted) return;
    this.closing.abort();
    // The client waits for streams that nobody reads to the end any more, and leaves its channel open.
    const disposed = this.client.dispose().catch(() => undefined);
    await Promise.race([disposed, new Promise((resolve) => setTimeout(resolve, DISPOSE_MS))]);
    const { getChannel } = this.client as unknown as { getChannel?: () => Promise<{ close(): void }> };
    await getChannel?.().then(
      (channel) => channel.close(),
      () => undefined,
    );
  }
}
