import { randomInt, randomUUID } from 'node:crypto';
import type { Consumer, Kafka } from 'kafkajs';
import { Fault, type IsthmusError } from '@isthmus/kernel';
import type { Message, Topic } from '@isthmus/ports';
import { faultOf, type KafkaAccess } from './access.js';
import { only } from './assigners.js';
import { replyOf, type Question, type Reply } from './wire.js';

interface Open {
  readonly topic: Topic;
  answer(message: Message): void;
  fail(error: Error): void;
  /** What somebody threw who is not known to answer: it counts if nobody says better. */
  failure: IsthmusError | undefined;
}

/** How long a failure of somebody who may only have listened waits for an answer. */
const DOUBT_MS = 150;
const AGAIN_MS = 1_000;

/**
 * Questions under way, and where their answers arrive: one partition of the topic of replies, chosen by chance, read by this
 * process as the only member of a group of its own. Others may have chosen the same; questions have ids.
 */
export class Replies {
  private readonly open = new Map<string, Open>();
  private readonly partition: number;
  private consumer: Consumer | undefined;
  private listening: Promise<void> | undefined;
  private closed = false;
  private lookedAtMs = -Infinity;

  constructor(
    private readonly kafka: Kafka,
    private readonly access: KafkaAccess,
    private readonly topic: Topic,
    partitions: number,
  ) {
    this.partition = randomInt(partitions);
  }

  /** @param send puts the question on its way, once answers can arrive */
  ask(topic: Topic, deadlineMs: number, send: (question: Question) => Promise<void>): Promise<Message> {
    const id = randomUUID();
    const until = Date.now() + deadlineMs;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        if (this.open.delete(id)) act();
      };
      const question: Open = {
        topic,
        failure: undefined,
        answer: (message) => settle(() => resolve(message)),
        fail: (error) => settle(() => reject(error)),
      };
      const noAnswer = () => new Fault('bus.no-answer', `Nobody answered ${topic} within ${deadlineMs} ms.`, { topic, deadlineMs });
      const timer = setTimeout(() => question.fail(question.failure ?? noAnswer()), deadlineMs);
      this.open.set(id, question);
      this.ready()
        .then(() => (this.open.has(id) ? send({ id, partition: this.partition, until }) : undefined))
        .catch((error: unknown) => question.fail(faultOf(error, this.access)));
    });
  }

  /** The consumer is started by the first question; most services never ask one. */
  private ready(): Promise<void> {
    return (this.listening ??= this.listen().catch((error: unknown) => {
      this.listening = undefined;
      throw error;
    }));
  }

  private async listen(): Promise<void> {
    const consumer = this.kafka.consumer({
      groupId: `isthmus.replies.${randomUUID()}`,
      partitionAssigners: [only(this.topic, this.partition)],
      maxWaitTimeInMs: 50,
      sessionTimeout: 6_000,
      heartbeatInterval: 1_000,
      allowAutoTopicCreation: false,
    });
    this.consumer = consumer;
    const { events } = consumer;
    consumer.on(events.CRASH, ({ payload: { restart } }) => {
      if (restart || this.closed || consumer !== this.consumer) return;
      this.listening = undefined;
      setTimeout(() => void this.ready().catch(() => undefined), AGAIN_MS).unref();
    });
    const arrives = new Promise<void>((resolve) =>
      consumer.on(events.FETCH, () => {
        this.lookedAtMs = performance.now();
        resolve();
      }),
    );
    await consumer.connect();
    await consumer.subscribe({ topics: [this.topic], fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const reply = replyOf(message, this.topic);
        if (reply) this.heard(reply);
      },
    });
    await arrives;
    if (this.closed) await consumer.disconnect().catch(() => undefined);
  }

  /** Whether answers have been looked for since then (monotonic, ms), or nothing has ever been asked. */
  looksSince(ms: number): boolean {
    return this.consumer === undefined || this.lookedAtMs >= ms;
  }

  private heard(reply: Reply): void {
    const question = this.open.get(reply.question);
    if (!question) return;
    if (reply.type === 'answer') question.answer({ ...reply.message, topic: question.topic });
    else if (reply.sure) question.fail(reply.error);
    else {
      question.failure ??= reply.error;
      setTimeout(() => question.fail(reply.error), DOUBT_MS);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const gone = new Fault('bus.closed', 'The bus closed before an answer came: the process is shutting down.');
    for (const question of [...this.open.values()]) question.fail(gone);
    await this.consumer?.disconnect().catch(() => undefined);
  }
}
