/** What of one partition has been taken, and what of that is done: nothing may be called done before all that came earlier. */
export class Progress {
  private readonly open = new Set<bigint>();
  private next: bigint | undefined;
  private committed: bigint | undefined;

  /** False: it was here already, before the partition was given out anew. */
  take(offset: bigint): boolean {
    if (this.next !== undefined && offset < this.next) return false;
    this.next = offset + 1n;
    this.open.add(offset);
    return true;
  }

  done(offset: bigint): void {
    this.open.delete(offset);
  }

  /** Where a successor would go on, if that has moved since the last time it was noted. */
  toCommit(): bigint | undefined {
    let lowest = this.next;
    for (const offset of this.open) if (lowest === undefined || offset < lowest) lowest = offset;
    return lowest === this.committed ? undefined : lowest;
  }

  noted(offset: bigint): void {
    this.committed = offset;
  }
}
