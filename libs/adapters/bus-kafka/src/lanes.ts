/**
 * Work in lanes: one lane per key, each lane one piece after another, lanes beside each other. A slow key holds up no other,
 * although they share a partition.
 */
export class Lanes {
  private readonly lanes = new Map<string, (() => Promise<void>)[]>();
  private readonly idle = new Set<() => void>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** @param work must not throw */
  add(key: string, work: () => Promise<void>): void {
    this.count++;
    const lane = this.lanes.get(key);
    if (lane) {
      lane.push(work);
    } else {
      this.lanes.set(key, [work]);
      void this.run(key);
    }
  }

  /** Resolves when at most so many pieces are left, or after so long. */
  async shrunkTo(size: number, patienceMs: number): Promise<void> {
    if (this.count <= size) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.count > size) return;
        over();
      };
      const over = () => {
        clearTimeout(timer);
        this.idle.delete(look);
        resolve();
      };
      const timer = setTimeout(over, patienceMs);
      this.idle.add(look);
    });
  }

  private async run(key: string): Promise<void> {
    const lane = this.lanes.get(key)!;
    await Promise.resolve();
    for (let work = lane.shift(); work; work = lane.shift()) {
      await work();
      this.count--;
      for (const look of this.idle) look();
    }
    this.lanes.delete(key);
  }
}
