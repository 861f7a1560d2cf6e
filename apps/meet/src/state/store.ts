/** A value that changes, and those who want to know. Small enough for `useSyncExternalStore`, and usable without React. */
export class Store<State extends object> {
  readonly #listeners = new Set<() => void>();
  #state: State;
  #held: ReturnType<typeof setTimeout> | undefined;
  #untold = false;

  constructor(initial: State) {
    this.#state = initial;
  }

  readonly get = (): State => this.#state;

  /** Merges; listeners hear only of real changes, and of none while they are held back. */
  set(change: Partial<State>): void {
    const changed = (Object.keys(change) as (keyof State)[]).some((key) => !Object.is(this.#state[key], change[key]));
    if (!changed) return;
    this.#state = { ...this.#state, ...change };
    this.#untold = true;
    if (this.#held === undefined) this.#tell();
  }

  /** Tells changes together, with {@link release} or after so long, ms: to draw them now would be in the way of something more urgent. */
  hold(ms: number): void {
    this.#held ??= setTimeout(() => this.release(), ms);
  }

  /** Merges the last of what was held back, and tells all of it. */
  release(change: Partial<State> = {}): void {
    clearTimeout(this.#held);
    this.#held = undefined;
    this.set(change);
    this.#tell();
  }

  #tell(): void {
    if (!this.#untold) return;
    this.#untold = false;
    for (const listener of [...this.#listeners]) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
