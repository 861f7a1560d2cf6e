/** A state, and after how many facts it was so. */
export interface Checkpoint<State> {
  readonly length: number;
  readonly state: State;
}

/** The end of a long fold is kept at this distance, and at its doubles: a state that is kept costs a copy of what changes after it. */
const SPACING = 2048;

/**
 * States to go back to when a fact belongs into the past. Dense near the end and ever sparser before it, so that there are
 * only about 2·log2(n) of them and going back costs in proportion to how far back it is.
 */
export class Checkpoints<State> {
  #kept: Checkpoint<State>[] = [];

  constructor(private readonly initial: State) {}

  /** Whether a fold that runs on to `end` should keep its state here: only where {@link Checkpoints.keep} would not drop it again before then. */
  due(length: number, end: number): boolean {
    const distances = (end - length) / SPACING;
    return distances >= 1 && Number.isInteger(Math.log2(distances));
  }

  keep(length: number, state: State): void {
    this.#kept.push({ length, state });
    this.#thin(length);
  }

  /** The latest state before the fact at `index`, forgetting all that is no longer true. */
  backTo(index: number): Checkpoint<State> {
    while (this.#kept.length > 0 && this.#kept.at(-1)!.length > index) this.#kept.pop();
    return this.#kept.at(-1) ?? { length: 0, state: this.initial };
  }

  /** Going back from the end, of those at the same power-of-two distance only the outermost and the innermost stay. */
  #thin(length: number): void {
    const octave = ({ length: kept }: Checkpoint<State>) => 32 - Math.clz32(length - kept);
    this.#kept = this.#kept.filter((checkpoint, i, all) => {
      const here = octave(checkpoint);
      const outermost = i === 0 || octave(all[i - 1]!) !== here;
      const innermost = i + 1 === all.length || octave(all[i + 1]!) !== here;
      return outermost || innermost;
    });
  }
}
