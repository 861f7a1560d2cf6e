import { Worker } from 'node:worker_threads';
import { Defect, Fault, Refusal, type IsthmusError } from '@isthmus/kernel';
import type { Answers, Failure, Op, Reply, Request } from './database-protocol.js';

/** As TypeScript where the source runs (Node strips the types), as JavaScript where the build runs. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './database-worker.ts' : './database-worker.js', import.meta.url);

/** Most requests that may wait for the disk at once; whoever comes then is told to come back. */
const OUTSTANDING = 20_000;

/** A fault that trying again does not mend: somebody has to do something first. */
class LastingFault extends Fault {
  override readonly retryable = false;
}

const errorOf = ({ kind, code, message, retryable, details }: Failure): IsthmusError => {
  if (kind === 'refusal') return new Refusal(code, message, details);
  if (kind === 'defect') return new Defect(code, message, details);
  return retryable ? new Fault(code, message, details) : new LastingFault(code, message, details);
};

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The thread that owns the database, so that an fsync never holds up the event loop that media signalling shares. If the thread
 * dies, whoever waits is told that the outcome is unknown, and the next request starts another one.
 */
export class DatabaseThread {
  private worker: Promise<Worker> | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private closing: Promise<void> | undefined;

  constructor(private readonly file: string) {}

  /** @throws what keeps the database from being opened, in words for whoever runs it. */
  async open(): Promise<void> {
    await (this.worker ??= this.start());
  }

  async ask<O extends Op>(op: O): Promise<Answers[O['op']]> {
    if (this.closing) throw this.closed();
    return this.send(op) as Promise<Answers[O['op']]>;
  }

  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async send(op: Op): Promise<unknown> {
    if (this.waiting.size >= OUTSTANDING) {
      throw new Fault('store.busy', `${OUTSTANDING} requests wait for the event store ${this.file}. Try again in a moment.`, {
        file: this.file,
      });
    }
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      const post = (worker: Worker) => worker.postMessage({ id, op } satisfies Request);
      (this.worker ??= this.start()).then(post).catch((error: unknown) => this.settle(id, (waiting) => waiting.reject(error)));
    });
  }

  private start(): Promise<Worker> {
    return new Promise(this.run);
  }

  private readonly run = (resolve: (worker: Worker) => void, reject: (error: IsthmusError) => void): void => {
    const worker = new Worker(WORKER, { workerData: { file: this.file }, name: 'event-store', execArgv: [] });
    let cause: unknown;
    worker.on('message', (reply: Reply) => {
      if (reply.type === 'opened') resolve(worker);
      else if (reply.type === 'not-opened') reject(errorOf(reply.failure));
      else if (reply.type === 'done') this.settle(reply.id, (waiting) => waiting.resolve(reply.value));
      else this.settle(reply.id, (waiting) => waiting.reject(errorOf(reply.failure)));
    });
    worker.on('error', (error) => void (cause = error));
    worker.on('exit', () => {
      this.worker = undefined;
      const lost = () =>
        this.closing
          ? this.closed()
          : new Fault(
              'store.unavailable',
              `The thread of ${this.file} ended; what it was doing may or may not be kept.`,
              { file: this.file },
              { cause },
            );
      reject(lost());
      for (const id of [...this.waiting.keys()]) this.settle(id, (waiting) => waiting.reject(lost()));
    });
  };

  private settle(id: number, act: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    act(waiting);
  }

  private async end(): Promise<void> {
    const worker = await this.worker?.catch(() => undefined);
    if (!worker) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    // Posted behind everything that was asked before, so that all of it is answered first.
    await this.send({ op: 'close' }).catch(() => undefined);
    await ended;
  }

  private closed(): Fault {
    return new LastingFault('store.unavailable', `The event store ${this.file} is closed.`, { file: this.file });
  }
}
