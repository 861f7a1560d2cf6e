import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const ROOT = join(import.meta.dirname, '../../../..');

export interface DemoProcessOptions {
  readonly state: string;
  readonly args?: readonly string[];
  /** Through `npm start` itself instead of `isthmus demo`: npm is the child, as in somebody's terminal. */
  readonly asNpmStart?: boolean;
}

/** A demo as somebody starts it: the built product, in processes of its own, seen from outside. For tests. */
export class DemoProcess {
  output = '';
  private constructor(
    readonly child: ChildProcess,
    readonly exited: Promise<number>,
  ) {}

  static launch({ state, args = [], asNpmStart = false }: DemoProcessOptions): DemoProcess {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: build first (npm run build)`);
    const own = ['--state', state, ...args];
    return asNpmStart ? DemoProcess.spawned('npm', ['start', '--', ...own]) : DemoProcess.spawned(process.execPath, [MAIN, 'demo', ...own]);
  }

  /** `npm run fill`: people who talk in the demo with that state folder. */
  static fill(state: string, args: readonly string[] = []): DemoProcess {
    return DemoProcess.spawned('npm', ['run', 'fill', '--', '--state', state, ...args]);
  }

  private static spawned(command: string, args: readonly string[]): DemoProcess {
    // A process group of its own, for Ctrl-C; the channel tells it when the test itself is killed.
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    const exited = new Promise<number>((resolve) => child.once('close', (code, signal) => resolve(code ?? (signal ? 128 : 1))));
    const demo = new DemoProcess(child, exited);
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (demo.output += text));
    return demo;
  }

  /** Resolves when the table is there. @throws what it said instead */
  async ready(): Promise<this> {
    const over = this.exited.then((status) => {
      throw new Error(`the demo ended with status ${status} and said: ${this.output}`);
    });
    over.catch(() => undefined);
    while (!this.output.includes('Ctrl-C ends it.')) await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 50))]);
    return this;
  }

  /** What stands beside a title of the table. */
  entry(title: string): string {
    const line = this.output.split('\n').find((each) => each.trimStart().startsWith(title));
    if (!line) throw new Error(`the table has no "${title}": ${this.output}`);
    return line.trimStart().slice(title.length).trim();
  }

  /** As a terminal does it: everything in the foreground gets the signal, not only the one that was started. */
  async pressCtrlC(): Promise<number> {
    process.kill(-this.child.pid!, 'SIGINT');
    return this.exited;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    this.child.kill(signal);
    return this.exited;
  }

  /** Only the one that was started is killed, and waited for: what becomes of the others is for them to show. */
  async kill(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  /** After a test, however it went: it and all that it started are gone. */
  async clear(): Promise<void> {
    try {
      process.kill(-this.child.pid!, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await this.exited;
  }
}

/** Every process that was started under this one, and under those, down to mediasoup's workers. */
export const descendantsOf = (pid: number): readonly number[] => {
  const childrenByParent = new Map<number, number[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(Number(entry));
    if (parent !== undefined) childrenByParent.set(parent, [...(childrenByParent.get(parent) ?? []), Number(entry)]);
  }
  const below = (parent: number): number[] => (childrenByParent.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
};

/** The process whose arguments hold this text, among those started under `pid`. */
export const descendantWith = (pid: number, text: string): number | undefined =>
  descendantsOf(pid).find((each) => (readText(`/proc/${each}/cmdline`) ?? '').includes(text));

/** Every process of this machine whose arguments hold this text, whoever started it. */
export const processesWith = (text: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && (readText(`/proc/${name}/cmdline`) ?? '').includes(text))
    .map(Number);

export const isAlive = (pid: number): boolean => {
  const stat = readText(`/proc/${pid}/stat`);
  // A zombie has ended; only its parent has not looked yet.
  return stat !== undefined && !/^\d+ \(.*\) Z/.test(stat);
};

const parentOf = (pid: number): number | undefined => {
  const parent = /^\d+ \(.*\) \S (\d+)/s.exec(readText(`/proc/${pid}/stat`) ?? '')?.[1];
  return parent === undefined ? undefined : Number(parent);
};

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};
