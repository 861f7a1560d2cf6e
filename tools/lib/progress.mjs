/**
 * Shows what a tool is doing. On a terminal the running step is one line that moves; elsewhere (CI, a file) there is a line
 * when a step ends and one every 15 s while it runs, so that silence always means trouble.
 */
const TERMINAL = process.stderr.isTTY === true && !process.env['CI'];
const COLOUR = TERMINAL && !process.env['NO_COLOR'];
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SILENCE_MS = 15_000;

/** @param {number} ms */
export const duration = (ms) => {
  if (ms < 950) return `${Math.round(ms / 10) * 10} ms`;
  if (ms < 59_500) return `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0)} s`;
  return `${Math.floor((ms + 500) / 60_000)} min ${Math.round((ms % 60_000) / 1000) % 60} s`;
};

const paint = (/** @type {number} */ code, /** @type {string} */ text) => (COLOUR ? `\u001b[${code}m${text}\u001b[0m` : text);
export const green = (/** @type {string} */ text) => paint(32, text);
export const red = (/** @type {string} */ text) => paint(31, text);
export const dim = (/** @type {string} */ text) => paint(2, text);

/** @typedef {(detail: string) => void} Note says what a step is at; shown, not kept */

/** What is drawn on the terminal's last line at the moment, one entry per running step. @type {Set<() => string>} */
const running = new Set();
/** @type {NodeJS.Timeout | undefined} */
let painter;

const repaint = () => {
  const width = (process.stderr.columns ?? 80) - 1;
  process.stderr.write(
    `\r\u001b[K${[...running]
      .map((line) => line())
      .join('  ')
      .slice(0, width)}`,
  );
};

/** @param {string} line */
const print = (line) => {
  process.stderr.write(`${TERMINAL ? '\r\u001b[K' : ''}${line}\n`);
  if (TERMINAL && running.size > 0) repaint();
};

/**
 * Runs one step and shows it. What `work` returns, if a string, is said beside the tick.
 * @template T
 * @param {string} title
 * @param {(note: Note) => Promise<T>} work
 * @returns {Promise<T>}
 */
export const step = async (title, work) => {
  const begun = Date.now();
  let detail = '';
  let frame = 0;
  const line = () => `${FRAMES[frame++ % FRAMES.length]} ${title} ${dim(`${duration(Date.now() - begun)} ${detail}`)}`;
  const still = TERMINAL
    ? undefined
    : setInterval(() => print(`  ${title}: ${duration(Date.now() - begun)} so far${detail ? `, ${detail}` : ''}`), SILENCE_MS);
  if (TERMINAL) {
    running.add(line);
    painter ??= setInterval(repaint, 100);
  }
  const settle = (/** @type {string} */ mark, /** @type {string} */ rest) => {
    clearInterval(still);
    running.delete(line);
    if (running.size === 0) {
      clearInterval(painter);
      painter = undefined;
    }
    print(`${mark} ${title}${rest ? ` ${dim(rest)}` : ''}`);
  };
  try {
    const result = await work((text) => {
      detail = text;
    });
    const said = typeof result === 'string' ? result : '';
    const took = Date.now() - begun;
    settle(green('✓'), [said, took > 300 ? duration(took) : ''].filter(Boolean).join(', '));
    return result;
  } catch (error) {
    settle(red('✗'), '');
    throw error;
  }
};
