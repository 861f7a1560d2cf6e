/** One that does not end must not keep the others from ending. */
const EACH_WITHIN_MS = 30_000;

/** What has to be ended after a benchmark, however it went: last begun, first ended. */
export class Endings {
  /** @type {(() => unknown)[]} */
  #endings = [];

  /** @param {() => unknown} ending */
  add(ending) {
    this.#endings.push(ending);
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
