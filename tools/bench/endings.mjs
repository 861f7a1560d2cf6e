/** One that does not end must not keep the others from ending. */
const EACH_WITHIN_MS = 30_000;

/** How long a benchmark that was cut off may take to notice: what it was just starting has to be there before it can be ended. */
const NOTICE_WITHIN_MS = 15_000;

/** What has to be ended after a benchmark, however it went: last begun, first ended. */
export class Endings {
  /** @type {(() => unknown)[]} */
  #endings = [];
  #over = false;

  /**
   * @param {() => unknown} ending
   * @throws Error after the end, so that whoever was cut off begins nothing more; the ending is done at once
   */
  add(ending) {
    this.#endings.push(ending);
    if (!this.#over) return;
    void this.run();
    throw new Error('The benchmark is over.');
  }

  /** One that fails does not keep the others from being done. */
  async run() {
    for (let ending = this.#endings.pop(); ending; ending = this.#endings.pop()) {
      try {
        await within(ending(), EACH_WITHIN_MS);
      } catch (error) {
        process.stderr.write(`Something could not be ended: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }

  /**
   * Ends everything, also what the work begins while it is being ended: it may have been cut off in the middle of a start.
   * @param {Promise<unknown>} work of the benchmark, whether it has come to its end or not
   */
  async finish(work) {
    await this.run();
    await within(
      work.catch(() => undefined),
      NOTICE_WITHIN_MS,
    ).catch(() => undefined);
    this.#over = true;
    await this.run();
  }
}

/** @param {unknown} work @param {number} ms */
const within = async (work, ms) => {
  /** @type {NodeJS.Timeout | undefined} */
  let late;
  const cut = new Promise((_resolve, reject) => {
    late = setTimeout(() => reject(new Error(`it took more than ${ms / 1000} s`)), ms);
  });
  try {
    await Promise.race([work, cut]);
  } finally {
    clearTimeout(late);
  }
};
