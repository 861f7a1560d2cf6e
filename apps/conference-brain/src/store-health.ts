import { Fault } from '@isthmus/kernel';
import { logOf } from '@isthmus/service-kit/observing';

/** Somebody else decides here by now, and the store takes nothing more from us. */
export const isFenced = (error: unknown): boolean => error instanceof Fault && (error as Fault).code === 'store.fenced';

/** Whether the store works, by how what we do fares. */
export class StoreHealth {
  private readonly log = logOf('conference-brain');
  /** Undefined: it works. Else what is wrong. */
  trouble: string | undefined;

  /** @param sharesStore whether being fenced is part of a day's work */
  constructor(private readonly sharesStore: boolean) {}

  async watched<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.trouble = undefined;
      return result;
    } catch (error) {
      const ofStore = error instanceof Fault && (error as Fault).code.startsWith('store.');
      if (ofStore && !(this.sharesStore && isFenced(error))) this.trouble = error.message;
      throw error;
    }
  }

  /** What nobody waits for: a failure is said in the log and in the health, and stops nothing. */
  inBackground(work: Promise<void>): void {
    this.watched(work).catch((error: unknown) =>
      this.log.warn({ error }, 'what follows by itself could not be recorded; it is tried again'),
    );
  }
}
