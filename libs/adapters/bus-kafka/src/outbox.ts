import type { Kafka, Message as Outgoing, Producer } from 'kafkajs';
import { Fault, Refusal } from '@isthmus/kernel';
import { faultOf, typeOf, type KafkaAccess } from './access.js';
import type { Record_ } from './wire.js';

export interface OutboxLimits {
  /** Most messages that wait while the cluster is away; more are refused. */
  readonly messages: number;
  readonly bytes: number;
}

interface Waiting {
  readonly record: Record_ & { readonly partition?: number };
  readonly bytes: number;
  /** On our monotonic clock: after that nobody wants it to be sent any more. */
  readonly untilMs: number;
  readonly sent: () => void;
  readonly failed: (error: Error) => void;
}

const BATCH_MESSAGES = 500;
const BATCH_BYTES = 512 * 1024;
const OVERHEAD_BYTES = 100;
const AGAIN_MS = { first: 100, most: 1_000 };

/**
 * Sends what is published: everything that waits at once, one batch under way at a time, so that the order per key holds even
 * when a batch has to be sent again. Acknowledged means: by all brokers that must have it. Sent again may mean twice there
 * (ADR 0041 says why not kafkajs' idempotent producer).
 */
export class Outbox {
  private producer: Producer | undefined;
  private readonly waiting: Waiting[] = [];
  private waitingBytes = 0;
  private sending: Promise<void> | undefined;
  private closed = false;
  /** What is wrong while a batch is tried again and again. */
  trouble: Fault | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly access: KafkaAccess,
    private readonly limits: OutboxLimits,
  ) {}

  async connect(): Promise<void> {
    const producer = this.kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 1, initialRetryTime: 100 } });
    await producer.connect();
    this.producer = producer;
  }

  /** @throws Fault `bus.full` | `bus.unavailable` (nobody took it in time; it may still arrive) */
  send(record: Waiting['record'], patienceMs: number): Promise<void> {
    const bytes = (record.value?.length ?? 0) + OVERHEAD_BYTES;
    if (this.waiting.length >= this.limits.messages || this.waitingBytes + bytes > this.limits.bytes) {
      const why = this.trouble ? ` ${this.trouble.message}` : '';
      const { topic } = record;
      return Promise.reject(
        new Fault('bus.full', `${this.waiting.length} messages wait for Kafka; no more are taken. Try again later.${why}`, { topic }),
      );
    }
    return new Promise((sent, failed) => {
      this.waiting.push({ record, bytes, untilMs: performance.now() + patienceMs, sent, failed });
      this.waitingBytes += bytes;
      this.sending ??= this.work();
    });
  }

  /** What waits gets a last chance if the cluster is there, and is refused if not. */
  async close(): Promise<void> {
    this.closed = true;
    await this.sending;
    await this.producer?.disconnect().catch(() => undefined);
  }

  private async work(): Promise<void> {
    // Whatever is published in the same turn goes along.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.sendBatch(this.take());
    this.sending = undefined;
  }

  private take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.waiting.length && count < BATCH_MESSAGES && (count === 0 || bytes + this.waiting[count]!.bytes <= BATCH_BYTES)) {
      bytes += this.waiting[count++]!.bytes;
    }
    return this.waiting.splice(0, count);
  }

  private async sendBatch(batch: Waiting[]): Promise<void> {
    let left = batch;
    for (let wait = AGAIN_MS.first; left.length > 0; wait = Math.min(wait * 2, AGAIN_MS.most)) {
      try {
        if (!this.producer) await this.connect();
        await this.producer!.sendBatch({ acks: -1, topicMessages: byTopic(left) });
        left.forEach(({ sent }) => sent());
        break;
      } catch (error) {
        if (typeOf((error as { originalError?: unknown }).originalError ?? error) === 'MESSAGE_TOO_LARGE' && left.length === 1) {
          left[0]!.failed(tooLarge(left[0]!));
          break;
        }
        const trouble = (this.trouble = faultOf(error, this.access));
        const now = performance.now();
        const over = left.filter(({ untilMs }) => this.closed || untilMs <= now);
        over.forEach(({ failed }) => failed(trouble));
        this.expire(now, trouble);
        left = left.filter((each) => !over.includes(each));
        if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    this.trouble = undefined;
    for (const { bytes } of batch) this.waitingBytes -= bytes;
  }

  /** Those behind the batch wait as well, and not for ever. */
  private expire(now: number, trouble: Fault): void {
    const over = this.waiting.filter(({ untilMs }) => this.closed || untilMs <= now);
    if (over.length === 0) return;
    this.waiting.splice(0, this.waiting.length, ...this.waiting.filter((each) => !over.includes(each)));
    for (const { bytes, failed } of over) {
      this.waitingBytes -= bytes;
      failed(trouble);
    }
  }
}

const byTopic = (batch: readonly Waiting[]): { topic: string; messages: Outgoing[] }[] =>
  [...Map.groupBy(batch, ({ record }) => record.topic)].map(([topic, some]) => ({
    topic,
    messages: some.map(({ record: { key, value, headers, partition } }) => ({
      key,
      value,
      headers,
      ...(partition === undefined ? {} : { partition }),
    })),
  }));

const tooLarge = ({ record: { topic, value } }: Waiting): Refusal =>
  new Refusal('bus.too-large', `A message of ${value?.length ?? 0} bytes is more than ${topic} takes.`, {
    topic,
    bytes: value?.length ?? 0,
  });
