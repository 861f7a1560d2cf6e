import { Fault } from '@isthmus/kernel';
import type { Bus, Message, Subscription, Topic } from '@isthmus/ports';

/** One of the ways past the main bus. It comes and goes with the process at its end. */
export interface Way extends Bus {
  /** Whether messages go that way now. */
  linked(): boolean;
}

type Handle = (message: Message) => Promise<Message | void>;

const JOIN_AGAIN_MS = 1_000;
/** Joining again does not help. */
const FOR_GOOD: ReadonlySet<string> = new Set(['bus.closed', 'bus.forbidden']);
/** What a bus says, and not whoever handles: by another way it may still go well. */
const OF_THE_WAY: ReadonlySet<string> = new Set([
  ...['bus.no-answer', 'bus.unavailable', 'bus.full', 'bus.closed', 'bus.member-gone', 'bus.forbidden'],
]);

export const isOfTheWay = (error: unknown): boolean => error instanceof Fault && OF_THE_WAY.has((error as Fault).code);

/** One thing that is tried by several ways: done when it has succeeded by one of them, failed when it has by all that were tried. */
export class Attempt<T> {
  readonly done: Promise<T>;
  settled = false;
  private under = 0;
  private failure: unknown;
  private resolve!: (value: T) => void;
  private reject!: (error: unknown) => void;

  constructor() {
    this.done = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const settle = () => void (this.settled = true);
    this.done.then(settle, settle);
  }

  /** @returns whether it went well by that way */
  by(way: Promise<T>): Promise<boolean> {
    this.under++;
    return way.then(
      (value) => {
        this.resolve(value);
        return true;
      },
      (error: unknown) => {
        this.under--;
        this.failure ??= error;
        if (!isOfTheWay(error)) this.reject(error);
        else if (this.under === 0) this.reject(this.failure);
        return false;
      },
    );
  }

  fail(error: Error): void {
    this.reject(error);
  }
}

/** Stays subscribed until closed, also while the way is gone. @param joined is called each time */
export const stayOn = (way: Way, topic: Topic, group: string, handle: Handle, refused: (error: unknown) => void) => {
  let subscription: Subscription | undefined;
  let over = false;
  let wake = () => undefined as void;
  const join = async (): Promise<void> => {
    while (!over) {
      try {
        subscription = await way.subscribe(topic, { group }, handle);
        if (over) await subscription.close();
        return;
      } catch (error) {
        if (FOR_GOOD.has(String((error as { code?: unknown }).code))) return over ? undefined : refused(error);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, JOIN_AGAIN_MS).unref();
        });
      }
    }
  };
  const joined = join();
  const close = async (): Promise<void> => {
    over = true;
    wake();
    await subscription?.close();
  };
  return { joined, close };
};
