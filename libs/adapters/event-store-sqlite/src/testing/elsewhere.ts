import { Fault, type Fact } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';

/**
 * How a store on another machine may fare: `away`, it takes nothing and says so; `mute`, it takes what it is given and never says so;
 * `deaf`, it neither takes nor says anything; `torn`, it takes the first half and goes away.
 */
export type Whereabouts = 'there' | 'away' | 'mute' | 'deaf' | 'torn';

/** A store on this machine, as if it were elsewhere: it may be away, and it may take what it is given without ever saying so. */
export class Elsewhere {
  private now: Whereabouts = 'there';
  private readonly waiting = new Set<() => void>();
  /** Whether followers hear of what it has. They hear nothing while it is not there, and the rest when it is back. */
  tells = true;
  /** How many facts it was given to adopt, each time. */
  readonly portions: number[] = [];

  constructor(readonly real: EventStore) {}

  get state(): Whereabouts {
    return this.now;
  }

  set state(next: Whereabouts) {
    this.now = next;
    for (const wake of this.waiting) wake();
  }

  get store(): EventStore {
    const { real } = this;
    return {
      ...real,
      append: (stream, expected, facts) => this.reached(facts, (some) => real.append(stream, expected, some)),
      follow: (category, after, signal) => (this.tells ? this.follow(category, after, signal) : real.follow('nothing', after, signal)),
      adopt: (facts) => {
        this.portions.push(facts.length);
        return this.reached(facts, (some) => real.adopt(some));
      },
      trouble: async () => (this.state === 'there' ? undefined : 'it is away'),
      close: async () => undefined,
    };
  }

  private async reached<T>(facts: readonly Fact[], take: (facts: readonly Fact[]) => Promise<T>): Promise<T> {
    const state = this.now;
    if (state === 'deaf') await new Promise(() => undefined);
    if (state === 'torn') await take(facts.slice(0, Math.ceil(facts.length / 2)));
    if (state === 'away' || state === 'torn') throw new Fault('store.unavailable', 'planted: it is away');
    const result = await take(facts);
    if (state === 'mute') await new Promise(() => undefined);
    return result;
  }

  private async *follow(...[category, after, signal]: Parameters<EventStore['follow']>): ReturnType<EventStore['follow']> {
    for await (const stored of this.real.follow(category, after, signal)) {
      await this.there(signal);
      if (signal.aborted) return;
      yield stored;
    }
  }

  private async there(signal: AbortSignal): Promise<void> {
    while (this.now !== 'there' && !signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
  }
}
