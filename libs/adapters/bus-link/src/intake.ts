import type { Message } from '@isthmus/ports';

type Handle = (message: Message) => Promise<Message | void>;

/** Says which message this is, whichever way it comes: who sent it, and its place among all that they sent. */
export const STAMP = 'bus-stamp';

/** So many messages of one key and sender are told apart. One way keeps their order, so another one is not further behind. */
const REMEMBERED = 64;
/** Keys and senders that are remembered; those of whom nothing was heard for the longest time are forgotten. */
const LANES_MAX = 5_000;
/** What was answered is answered again to whoever asks the same by another way. */
const ANSWERS_MAX = 1_000;

/** Which messages of one key and sender have been here: as SRTP's replay list has it (RFC 3711 §3.3.2), what is too old to tell has been. */
class Seen {
  private readonly places = new Set<number>();
  private floor = 0;

  /** True if it is new. */
  take(place: number): boolean {
    if (place <= this.floor || this.places.has(place)) return false;
    this.places.add(place);
    if (this.places.size > REMEMBERED) {
      const [oldest = 0] = this.places;
      this.places.delete(oldest);
      this.floor = Math.max(this.floor, oldest);
    }
    return true;
  }
}

/**
 * Where the ways to one group of one topic come together. A message that comes by several of them is handled once, and whoever asked
 * gets the answer by each; those of one key are handled one after another, by whichever way they come.
 */
export class Intake {
  private readonly seen = new Map<string, Seen>();
  private readonly lanes = new Map<string, Promise<unknown>>();
  private readonly answers = new Map<string, Promise<Message | void>>();

  /** @param handle gets the message without its stamp */
  take(message: Message, handle: Handle): Promise<Message | void> {
    const { [STAMP]: stamp = '', ...headers } = message.headers ?? {};
    const { topic, key, value } = message;
    const bare: Message = { topic, key, value, ...(Object.keys(headers).length > 0 ? { headers } : {}) };
    const [, sender, place] = /^([\w-]{1,64}):(\d{1,15})$/.exec(stamp) ?? [];
    // From somebody who knows one way only.
    if (sender === undefined || place === undefined) return this.inOrder(key, () => handle(bare));
    const known = this.answers.get(stamp);
    if (known !== undefined) return known;
    if (!this.seenOf(`${sender} ${key}`).take(Number(place))) return Promise.resolve();
    const work = this.inOrder(key, () => handle(bare));
    this.remember(stamp, work);
    return work;
  }

  private seenOf(name: string): Seen {
    const seen = this.seen.get(name) ?? new Seen();
    this.seen.delete(name);
    this.seen.set(name, seen);
    if (this.seen.size > LANES_MAX) for (const [oldest] of this.seen) if (this.seen.size > LANES_MAX) this.seen.delete(oldest);
    return seen;
  }

  private inOrder(key: string, work: () => Promise<Message | void>): Promise<Message | void> {
    const before = this.lanes.get(key);
    const done = before === undefined ? work() : before.then(work, work);
    this.lanes.set(key, done);
    const over = () => {
      if (this.lanes.get(key) === done) this.lanes.delete(key);
    };
    void done.then(over, over);
    return done;
  }

  private remember(stamp: string, work: Promise<Message | void>): void {
    this.answers.set(stamp, work);
    // What is no answer need not be given again.
    void work.then(
      (answer) => answer === undefined && this.answers.delete(stamp),
      () => undefined,
    );
    if (this.answers.size > ANSWERS_MAX)
      for (const [oldest] of this.answers) if (this.answers.size > ANSWERS_MAX) this.answers.delete(oldest);
  }
}
