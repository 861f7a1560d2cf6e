import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFact, type Fact } from '@isthmus/kernel';
import { ended } from './world-part.js';

const PROGRAM = fileURLToPath(new URL('../../../../libs/adapters/event-store-esdb/dist/testing/server-process.js', import.meta.url));

/**
 * The store of one site: a server that speaks EventStoreDB's protocol, as a process of its own, so that it can be killed
 * (libs/adapters/event-store-esdb says what it is, and what it is not). What it acknowledged is in its file.
 */
export class StoreUnderTest {
  private child: ChildProcess | undefined;
  private readonly file: string;
  private readonly known: Fact[] = [];
  /** Bytes. */
  private readUpTo = 0;

  constructor(
    folder: string,
    private readonly port: number,
  ) {
    this.file = join(folder, `records-${port}.jsonl`);
  }

  get connectionString(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  /** With the records that it had. Resolves when it serves. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, this.file, String(this.port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    const served = once(child.stdout, 'data').then(() => true);
    if (!(await Promise.race([served, once(child, 'exit').then(() => false)]))) throw new Error(`no store at port ${this.port}`);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    if (this.child !== undefined) await ended(this.child, 'SIGKILL');
  }

  /** Everything that this site has, its own and what it took from others, in the order it came. What was read once is not read again. */
  facts(): readonly Fact[] {
    if (!existsSync(this.file)) return [];
    const file = openSync(this.file, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.readUpTo);
      const read = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, this.readUpTo));
      // What follows the last end of line is being written.
      const whole = read.subarray(0, read.lastIndexOf('\n') + 1);
      this.readUpTo += whole.length;
      for (const line of whole.toString('utf8').split('\n').filter(Boolean)) this.known.push(...factsOf(line));
    } finally {
      closeSync(file);
    }
    return this.known;
  }
}

const factsOf = (line: string): readonly Fact[] =>
  (JSON.parse(line) as { readonly events: readonly { readonly data: string }[] }).events
    .map(({ data }) => JSON.parse(Buffer.from(data, 'base64').toString('utf8')) as unknown)
    .filter((data) => isFact(data));
