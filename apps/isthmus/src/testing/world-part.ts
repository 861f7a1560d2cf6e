import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FromPart, ToPart } from '../part-protocol.js';
import type { Machine } from './namespaces.js';

/** The built product's command line. */
export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const READY_MS = 120_000;

/** One process of the product on a machine of its own. */
export class Part {
  private answers = 0;
  private child: ReturnType<Machine['spawn']> | undefined;

  constructor(
    readonly machine: Machine,
    private readonly args: readonly string[],
    private readonly logFile: string,
    /** What is run, if not `isthmus` itself, and which settings its environment has. */
    private readonly program: { readonly main: string; readonly env: Readonly<Record<string, string>> } = { main: MAIN, env: {} },
  ) {}

  get pid(): number {
    return this.child!.pid!;
  }

  /** @returns what it says of itself when it is ready */
  async start(): Promise<Readonly<Record<string, unknown>>> {
    const child = this.machine.spawn(process.execPath, ['--enable-source-maps', this.program.main, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...this.program.env },
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => writeFileSync(this.logFile, text, { flag: 'a', mode: 0o600 }));
    }
    const said = await this.next<FromPart>((message) => message.type === 'ready' || message.type === 'failed');
    if (said?.type === 'ready') return said.facts;
    throw new Error(
      `${[this.program.main, ...this.args].join(' ')} did not start: ${said?.type === 'failed' ? said.message : this.log.slice(-2_000)}`,
    );
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  async ask<T>(what: string, about: string): Promise<T> {
    const id = ++this.answers;
    const answer = this.next<Extract<FromPart, { type: 'answer' }>>((message) => message.type === 'answer' && message.id === id);
    this.child!.send({ type: 'ask', id, what, about } satisfies ToPart);
    const { value, error } = (await answer) ?? { error: 'it has ended' };
    if (error !== undefined) throw new Error(`${what}: ${error}`);
    return value as T;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child !== undefined) await ended(this.child, signal);
  }

  private next<T extends FromPart>(wanted: (message: FromPart) => boolean): Promise<T | undefined> {
    const child = this.child!;
    return new Promise((resolve) => {
      const settle = (message?: FromPart) => {
        clearTimeout(late);
        child.off('message', hear);
        child.off('exit', ended);
        resolve(message as T | undefined);
      };
      const hear = (raw: unknown) => void (wanted(raw as FromPart) && settle(raw as FromPart));
      const ended = () => settle();
      const late = setTimeout(settle, READY_MS);
      child.on('message', hear);
      child.once('exit', ended);
    });
  }
}

/** Asks a process to end, and ends it after 15 s if it does not. Resolves when it is gone. */
export const ended = async (child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const forced = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(forced);
};
