import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { Fault } from '@isthmus/kernel';
import { fromPart, type FromPart, type ToPart } from '../part-protocol.js';

export interface SupervisedOptions {
  /** As people call it: `site New York`. */
  readonly title: string;
  /** Arguments of `isthmus`. */
  readonly args: readonly string[];
  readonly main: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Tells the person in front of it what became of a part that ended by itself. */
  readonly say: (line: string) => void;
  /** It ended too often and is left as it is: an alarm, for whoever does not sit in front of it. */
  readonly onGivenUp?: () => void;
  /** It runs again after it had ended. */
  readonly onBack?: () => void;
}

/** Longer than any part waits for what it depends on: its own words about that say more than ours. */
const READY_MS = 100_000;
const STOP_MS = 5_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** Erlang's restart intensity: this many restarts within the window, then it is left as it is. */
export const RESTARTS_MAX = 5;
export const WINDOW_MS = 60_000;
const BACKOFF_MS = [250, 500, 1_000, 2_000, 4_000] as const;

/** How long to wait before the next restart; undefined: enough is enough. @param endedAtMs when it ended, newest last */
export const nextRestart = (endedAtMs: readonly number[], nowMs: number): number | undefined => {
  const recent = endedAtMs.filter((at) => nowMs - at < WINDOW_MS).length;
  return recent > RESTARTS_MAX ? undefined : BACKOFF_MS[Math.max(0, recent - 1)];
};

/** One process of the demo: started, restarted when it dies by itself, and stopped with all that it started. */
export class Supervised {
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  private readonly endings: number[] = [];
  private restart: NodeJS.Timeout | undefined;
  /** A part that never was ready is not started again: what is wrong with it would still be. */
  private wasReady = false;
  private stopping = false;
  private readonly questions = new Map<number, (answer: Extract<FromPart, { type: 'answer' }>) => void>();
  private nextQuestion = 0;

  constructor(private readonly options: SupervisedOptions) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** @returns what it says of itself when it is ready. @throws Fault `demo.part-failed` with its own words if it cannot start */
  async start(): Promise<Readonly<Record<string, unknown>>> {
    const child = this.launch();
    try {
      const facts = await this.readiness(child);
      this.wasReady = true;
      return facts;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  ask(what: string, about: string): Promise<unknown> {
    const id = this.nextQuestion++;
    return new Promise((resolve, reject) => {
      this.questions.set(id, ({ value, error }) => (error === undefined ? resolve(value) : reject(new Fault('demo.part-refused', error))));
      this.child?.send({ type: 'ask', id, what, about } satisfies ToPart);
    });
  }

  /** Resolves when the process is gone; quiet when it never was there. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restart);
    this.child?.kill('SIGTERM');
    const forced = setTimeout(() => this.child?.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(forced);
  }

  private launch(): ChildProcess {
    const { args, main, logFile, env } = this.options;
    rotate(logFile);
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(process.execPath, ['--enable-source-maps', main, ...args], {
      stdio: ['ignore', log, log, 'ipc'],
      // Ctrl-C on a terminal is for the demo, which then ends its parts in order; the channel tells them if it is gone.
      detached: true,
      env: { ...process.env, ...env },
    });
    closeSync(log);
    this.child = child;
    child.on('message', (raw) => this.hear(raw));
    // A question to a part that has just ended.
    child.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve();
        this.questions.forEach((settle, id) => settle({ type: 'answer', id, error: `${this.options.title} has ended` }));
        this.questions.clear();
        if (this.wasReady && !this.stopping) this.afterEnd(signal ?? `status ${code}`);
      });
    });
    return child;
  }

  private readiness(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
    const { title, logFile } = this.options;
    const failed = (why: string) => new Fault('demo.part-failed', `${title} did not start: ${why} Its log is ${logFile}.`);
    /** Without a word of its own, what it did last is the best that can be told. */
    const silent = (why: string) => new Fault('demo.part-failed', `${failed(why).message} It ends with:\n${lastLinesOf(logFile)}`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(silent(`it was not ready within ${READY_MS / 1000} s.`)), READY_MS);
      child.on('message', (raw) => {
        const message = fromPart.safeParse(raw).data;
        if (message?.type === 'ready') resolve(message.facts);
        if (message?.type === 'failed') reject(failed(message.message));
        if (message?.type === 'ready' || message?.type === 'failed') clearTimeout(late);
      });
      // Its own words come first if it has any: the channel is read before the process is reported as gone.
      child.once('close', (code, signal) => {
        clearTimeout(late);
        reject(silent(`it ended with ${signal ?? `status ${code}`}.`));
      });
    });
  }

  private hear(raw: unknown): void {
    const message = fromPart.safeParse(raw).data;
    if (message?.type !== 'answer') return;
    this.questions.get(message.id)?.(message);
    this.questions.delete(message.id);
  }

  private afterEnd(how: string): void {
    const { title, say, logFile } = this.options;
    const now = performance.now();
    this.endings.push(now);
    const wait = nextRestart(this.endings, now);
    if (wait === undefined) {
      say(`${title} ended ${RESTARTS_MAX + 1} times within a minute and is left as it is. Its log is ${logFile}.`);
      this.options.onGivenUp?.();
      return;
    }
    say(`${title} ended (${how}) and is started again.`);
    this.restart = setTimeout(() => {
      this.readiness(this.launch()).then(
        () => {
          say(`${title} is back.`);
          this.options.onBack?.();
        },
        // If it ended, that is seen, and counted, like every end; if it is only late, it may still come.
        () => undefined,
      );
    }, wait);
  }
}

const LAST_LINES = 5;

const lastLinesOf = (file: string): string => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LAST_LINES).join('\n');

/** One old log is kept: logs grow, and nobody empties a demo's. */
const rotate = (file: string): void => {
  try {
    if (statSync(file).size > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
  } catch {
    // There is none yet.
  }
};
