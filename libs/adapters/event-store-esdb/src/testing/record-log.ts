import { closeSync, existsSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  /** Base64, as is the metadata. */
  readonly data: string;
  readonly metadata: string;
}

export interface Recorded extends Proposed {
  readonly stream: string;
  readonly revision: number;
  /** Its place in the log of everything. */
  readonly commit: number;
  /** 100 ns ticks since 1970, as the server says it. */
  readonly created: string;
}

export type Expected = 'any' | 'no-stream' | 'exists' | number;
export type Outcome =
  { readonly ok: true; readonly revision: number; readonly commit: number } | { readonly ok: false; readonly current: number };

/**
 * What the test server remembers: a file of lines, one per append, each on the disk before it is acknowledged. A last line that was
 * cut short was never acknowledged, and is forgotten.
 */
export class RecordLog {
  readonly all: Recorded[] = [];
  readonly streams = new Map<string, Recorded[]>();
  private readonly file: number;
  private readonly listeners = new Set<(record: Recorded) => void>();

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    for (const line of whole.split('\n'))
      if (line !== '') this.learn(JSON.parse(line) as { stream: string; created: string; events: Proposed[] });
    this.file = openSync(path, 'a');
    ftruncateSync(this.file, Buffer.byteLength(whole));
  }

  append(stream: string, expected: Expected, events: readonly Proposed[]): Outcome {
    const known = this.streams.get(stream) ?? [];
    const current = known.length - 1;
    const fits =
      expected === 'any' || (expected === 'no-stream' ? current < 0 : expected === 'exists' ? current >= 0 : current === expected);
    if (!fits) {
      // The same append again is once: the server knows events by their ids.
      const from = expected === 'no-stream' ? 0 : typeof expected === 'number' ? expected + 1 : NaN;
      const repeated = events.every(({ id }, index) => known[from + index]?.id === id);
      const last = known[from + events.length - 1];
      return repeated && last ? { ok: true, revision: last.revision, commit: last.commit } : { ok: false, current };
    }
    const line = { stream, created: String(BigInt(Date.now()) * 10_000n), events };
    writeSync(this.file, `${JSON.stringify(line)}\n`);
    fdatasyncSync(this.file);
    for (const record of this.learn(line)) for (const listener of this.listeners) listener(record);
    return { ok: true, revision: current + events.length, commit: this.all.length - 1 };
  }

  /** @returns how to stop */
  listen(listener: (record: Recorded) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    closeSync(this.file);
  }

  private learn({
    stream,
    created,
    events,
  }: {
    readonly stream: string;
    readonly created: string;
    readonly events: readonly Proposed[];
  }): Recorded[] {
    const known = this.streams.get(stream) ?? [];
    this.streams.set(stream, known);
    return events.map((event) => {
      const record = { ...event, stream, created, revision: known.length, commit: this.all.length };
      known.push(record);
      this.all.push(record);
      return record;
    });
  }
}
