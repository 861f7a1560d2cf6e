import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Topic } from '@isthmus/ports';
import { faultOf, type KafkaAccess } from './access.js';
import { sharing } from './assigners.js';
import { Lanes } from './lanes.js';
import { Progress } from './progress.js';

export interface Taken {
  readonly topic: Topic;
  readonly partition: number;
  readonly record: KafkaMessage;
  /** When it came to this process, on our monotonic clock; it may have waited for others of its key since. */
  readonly arrivedMs: number;
}

export interface GroupParts {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly access: KafkaAccess;
  readonly group: string;
  /** Handles one message and settles everything about it; never throws. */
  handle(taken: Taken): Promise<void>;
  /** Says why the group could not be joined, before it is tried again. */
  waiting?(why: string): void;
}

/** A fetch that finds nothing is answered after so long; kafkajs' 5 s would hold up whatever comes to a quiet topic (ADR 0041). */
const FETCH_WAIT_MS = 50;
/** The least that brokers allow by default. */
const SESSION_MS = 6_000;
const HEARTBEAT_MS = 300;
const COMMIT_EVERY_MS = 100;
/** Messages that are being handled or wait for it, here; beyond that nothing more is fetched. */
const OPEN_MAX = 1_000;
const AGAIN_MS = 1_000;
const FAREWELL_MS = 1_000;
/** A broker that has just started knows its groups only after a while; what it answers until then ends one attempt, not the start. */
const JOIN_WITHIN_MS = 60_000;
const ATTEMPT_WITHIN_MS = 20_000;
const PIN_AGAIN_MS = 200;

/** This process' membership of one consumer group, for all topics that it listens to as part of that group. */
export class GroupConsumer {
  private consumer: Consumer | undefined;
  private readonly topics = new Set<Topic>();
  private readonly lanes = new Lanes();
  private readonly progress = new Map<string, Progress>();
  private assigned: Readonly<Record<Topic, readonly number[]>> = {};
  private joining: Promise<void> = Promise.resolve();
  private again: NodeJS.Timeout | undefined;
  private readonly committing: NodeJS.Timeout;
  private closing: Promise<void> | undefined;
  /** Why nothing arrives; undefined while it does. */
  trouble: string | undefined;

  constructor(private readonly parts: GroupParts) {
    this.committing = setInterval(() => void this.commit(), COMMIT_EVERY_MS);
  }

  /** Resolves when whatever is published from now on arrives here, or at another member. */
  listen(topic: Topic): Promise<void> {
    if (this.topics.has(topic)) return this.joining;
    this.topics.add(topic);
    // Topics that are asked for in the same turn are joined at once; later ones after the others.
    const before = this.joining;
    return (this.joining = before.then(() => (this.isJoinedFor(topic) ? undefined : this.restart())));
  }

  close(): Promise<void> {
    return (this.closing ??= this.leave());
  }

  /** Whether new messages have been looked for since then (monotonic, ms), if there is a place for us to look at. */
  looksSince(ms: number): boolean {
    return this.lookedAtMs >= ms || Object.values(this.assigned).every((partitions) => partitions.length === 0);
  }
  private lookedAtMs = -Infinity;

  private isJoinedFor(topic: Topic): boolean {
    return this.consumer !== undefined && this.joinedTopics.has(topic);
  }
  private joinedTopics: ReadonlySet<Topic> = new Set();

  private async restart(): Promise<void> {
    const deadline = performance.now() + JOIN_WITHIN_MS;
    while (!this.closing) {
      try {
        return await this.join();
      } catch (error) {
        const fault = faultOf(error, this.parts.access);
        if (!fault.retryable || performance.now() > deadline) throw fault;
        this.parts.waiting?.(fault.message);
        await pause(AGAIN_MS);
      }
    }
  }

  private async join(): Promise<void> {
    await this.stop();
    const { kafka, group } = this.parts;
    const topics = [...this.topics];
    const consumer = kafka.consumer({
      groupId: group,
      partitionAssigners: [sharing],
      maxWaitTimeInMs: FETCH_WAIT_MS,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 200, maxRetryTime: 1_000, retries: 6 },
    });
    this.consumer = consumer;
    this.joinedTopics = new Set(topics);
    const arrives = this.watch(consumer);
    const runs = async () => {
      await consumer.connect();
      await consumer.subscribe({ topics, fromBeginning: false });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 1,
        eachBatch: (payload) => this.take(payload),
      });
    };
    await Promise.all([runs(), arrives]);
  }

  /** Resolves at the first fetch after the places where each partition begins are written down; rejects if it ends or is late before. */
  private watch(consumer: Consumer): Promise<void> {
    const { events } = consumer;
    return new Promise<void>((resolve, reject) => {
      let pinned = false;
      let arrived = false;
      const fail = (error: Error) => {
        clearTimeout(late);
        reject(faultOf(error, this.parts.access));
      };
      const late = setTimeout(() => fail(new Error(`the group ${this.parts.group} could not be joined`)), ATTEMPT_WITHIN_MS).unref();
      consumer.on(events.GROUP_JOIN, ({ payload }) => {
        if (consumer !== this.consumer) return;
        this.assigned = assignmentOf(payload);
        void this.pinned(consumer, this.assigned).then((done) => (pinned ||= done));
      });
      consumer.on(events.FETCH, () => {
        if (!pinned) return;
        this.lookedAtMs = performance.now();
        arrived = true;
        clearTimeout(late);
        resolve();
      });
      consumer.on(events.CRASH, ({ payload: { error, restart } }) => {
        if (consumer !== this.consumer || this.closing) return;
        this.trouble = `messages for ${this.parts.group} do not arrive: ${faultOf(error, this.parts.access).message}`;
        if (restart) return;
        if (!arrived) return fail(error);
        // kafkajs gives up on some errors that pass, as a broker that is away.
        this.again = setTimeout(() => void this.comeBack(), AGAIN_MS);
      });
    });
  }

  private async comeBack(): Promise<void> {
    this.joining = this.joining.catch(() => undefined).then(() => this.restart());
    await this.joining.catch((error: unknown) => {
      this.trouble = faultOf(error, this.parts.access).message;
      if (!this.closing) this.again = setTimeout(() => void this.comeBack(), AGAIN_MS);
    });
  }

  /** Pins until it has succeeded, or something else is assigned. */
  private async pinned(consumer: Consumer, assigned: GroupConsumer['assigned']): Promise<boolean> {
    while (consumer === this.consumer && assigned === this.assigned) {
      try {
        await this.pin(consumer);
        this.trouble = undefined;
        return true;
      } catch (error) {
        this.trouble = faultOf(error, this.parts.access).message;
        await pause(PIN_AGAIN_MS);
      }
    }
    return false;
  }

  /** A group that begins somewhere writes down where, before anything else can happen: a partition that moves must not begin later. */
  private async pin(consumer: Consumer): Promise<void> {
    const { admin, group } = this.parts;
    const topics = Object.keys(this.assigned);
    if (topics.length === 0) return;
    const known = await admin.fetchOffsets({ groupId: group, topics });
    for (const { topic, partitions } of known) {
      const missing = partitions.filter(({ partition, offset }) => offset === '-1' && this.owns(topic, partition));
      if (missing.length === 0) continue;
      const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]));
      await consumer.commitOffsets(missing.map(({ partition }) => ({ topic, partition, offset: ends.get(partition) ?? '0' })));
    }
  }

  private async take(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { topic, partition } = batch;
    const place = `${topic}/${partition}`;
    const progress = this.progress.get(place) ?? new Progress();
    this.progress.set(place, progress);
    const arrivedMs = performance.now();
    for (const record of batch.messages) {
      if (!payload.isRunning() || payload.isStale() || this.closing) return;
      while (this.lanes.size >= OPEN_MAX) {
        await this.lanes.shrunkTo(OPEN_MAX / 2, HEARTBEAT_MS);
        await payload.heartbeat();
      }
      const offset = BigInt(record.offset);
      if (progress.take(offset)) {
        this.lanes.add(`${topic}/${record.key?.toString() ?? ''}`, async () => {
          await this.parts.handle({ topic, partition, record, arrivedMs });
          progress.done(offset);
        });
      }
      payload.resolveOffset(record.offset);
    }
    await payload.heartbeat();
  }

  private async commit(): Promise<void> {
    const { consumer } = this;
    if (!consumer) return;
    const news = [...this.progress].flatMap(([place, progress]) => {
      const cut = place.lastIndexOf('/');
      const [topic, partition] = [place.slice(0, cut), Number(place.slice(cut + 1))];
      const offset = progress.toCommit();
      return offset !== undefined && this.owns(topic, partition) ? [{ topic, partition, offset: String(offset), progress }] : [];
    });
    if (news.length === 0) return;
    try {
      await consumer.commitOffsets(news.map(({ topic, partition, offset }) => ({ topic, partition, offset })));
      for (const { progress, offset } of news) progress.noted(BigInt(offset));
    } catch {
      // The group is being shared out anew, or the broker is away: the next time, or whoever has the partition then.
    }
  }

  private owns(topic: Topic, partition: number): boolean {
    return this.assigned[topic]?.includes(partition) ?? false;
  }

  private async stop(): Promise<void> {
    const { consumer } = this;
    if (!consumer) return;
    await this.commit();
    this.consumer = undefined;
    this.assigned = {};
    await consumer.disconnect().catch(() => undefined);
  }

  private async leave(): Promise<void> {
    clearTimeout(this.again);
    // Nothing more is taken, what was begun is finished, and whoever comes next begins behind it.
    await this.lanes.shrunkTo(0, FAREWELL_MS);
    clearInterval(this.committing);
    await this.stop();
  }
}

const assignmentOf = ({ memberAssignment }: ConsumerGroupJoinEvent['payload']): Readonly<Record<Topic, readonly number[]>> =>
  memberAssignment;
