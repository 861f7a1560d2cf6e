/** A value that changes, and those who want to know. Small enough for `useSyncExternalStore`, and usable without React. */
export class Store<State extends object> {
  readonly #listeners = new Set<() => void>();
  #state: State;

  constructor(initial: State) {
    this.#state = initial;
  }

  readonly get = (): State => this.#state;

  /** Merges; listeners hear only of real changes. */
  set(change: Partial<State>): void {
    const changed = (Object.keys(change) as (keyof State)[]).some((key) => !Object.is(this.#state[key], change[key]));
    if (!changed) return;
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
