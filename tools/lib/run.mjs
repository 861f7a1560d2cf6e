import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LOCAL_CACHE, ROOT, toolEnvironment } from './paths.mjs';
import { Problem } from './problem.mjs';

/** Children that are running now; they end with us. @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

const endWithChildren = (/** @type {NodeJS.Signals} */ signal) => {
  endChildren();
  process.exit(signal === 'SIGINT' ? 130 : 143);
};

/** Signals are ours only while a child runs: whoever imported this may have other plans for them later. */
const watchSignals = () => {
  for (const signal of SIGNALS) {
    process.off(signal, endWithChildren);
    if (children.size > 0) process.on(signal, endWithChildren);
  }
};

process.on('exit', () => endChildren());

/** A child has a process group of its own, so that what it started ends with it. */
const endChildren = () => {
  for (const child of children) {
    try {
      process.kill(-(child.pid ?? NaN), 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
  }
};

/**
 * Runs a program to its end; what it says goes to a log, its last line to `note`. Ends with us, and all it started too.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ log: string, cwd?: string, env?: NodeJS.ProcessEnv, note?: (line: string) => void, line?: (line: string) => void, limitMs?: number }} options
 *   `log`: a file name under `.cache/logs`; `line`: called with every line; `limitMs`: stopped and failed after that
 * @returns {Promise<{ status: number, log: string, timedOut: boolean }>}
 */
export const run = (command, args, options) => {
  const log = join(LOCAL_CACHE, 'logs', options.log);
  mkdirSync(dirname(log), { recursive: true });
  const file = createWriteStream(log);
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? toolEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.add(child);
  watchSignals();
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (/** @type {string} */ chunk) => {
      file.write(chunk);
      const lines = (rest + chunk).split(/\r?\n|\r/);
      rest = lines.pop() ?? '';
      for (const line of lines) options.line?.(line);
      const last = lines.findLast((line) => line.trim() !== '');
      if (last) options.note?.(plain(last));
    });
  }
  let timedOut = false;
  const limit =
    options.limitMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          if (child.pid) process.kill(-child.pid, 'SIGTERM');
        }, options.limitMs);
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(limit);
      children.delete(child);
      watchSignals();
      file.end();
    };
    child.once('error', (cause) => {
      settle();
      reject(new Problem(`The program "${command}" could not be started (${cause.message}).`, 'Install it, then try again.', { cause }));
    });
    child.once('close', (code, signal) => {
      settle();
      resolve({ status: code ?? (signal ? 128 : 1), log, timedOut });
    });
  });
};

/**
 * As {@link run}, and a {@link Problem} with the log's last lines if the program fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2] & { what: string, next: string, telling?: RegExp }} options `telling`: which lines of the log say what is wrong, if not the last ones
 */
export const mustRun = async (command, args, options) => {
  const { status, log } = await run(command, args, options);
  if (status === 0) return;
  throw new Problem(`${options.what} (exit status ${status}):\n${tail(log, 12, options.telling)}\n`, options.next, { log });
};

/**
 * The last lines of a log, or the first of those that tell.
 * @param {string} file @param {number} count @param {RegExp} [telling]
 */
export const tail = (file, count, telling) => {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const told = telling ? lines.filter((line) => telling.test(line)).slice(0, count) : [];
  return (told.length > 0 ? told : lines.slice(-count)).map((line) => `  ${line}`).join('\n');
};

/** Without colours and cursor movements. @param {string} text */
export const plain = (text) => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').trim();
