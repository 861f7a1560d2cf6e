/** Waiting times between attempts, in ms: doubling from `firstMs` to `maxMs`, each shortened by up to half at random so that a whole site does not come back at once. */
export class Backoff {
  #attempts = 0;

  constructor(
    private readonly firstMs = 250,
    private readonly maxMs = 8_000,
    private readonly random: () => number = Math.random,
  ) {}

  get attempts(): number {
    return this.#attempts;
  }

  nextMs(): number {
    const full = Math.min(this.maxMs, this.firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.round(full * (1 - this.random() / 2));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
