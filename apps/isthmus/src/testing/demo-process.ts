import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const START = join(import.meta.dirname, '../../../../tools/start/start.mjs');

export interface DemoProcessOptions {
  readonly state: string;
  readonly args?: readonly string[];
  /** Through `npm start`'s own script instead of `isthmus demo`. */
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
    const program = asNpmStart ? [START] : [MAIN, 'demo'];
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: build first (npm run build)`);
    // A process group of its own, for Ctrl-C; the channel tells it when the test itself is killed.
    const child = spawn(process.execPath, [...program, '--state', state, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
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
