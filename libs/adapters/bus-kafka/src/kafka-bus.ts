import type { Admin } from 'kafkajs';
import { Defect, Fault, Refusal } from '@isthmus/kernel';
import type { Bus, Message, SubscribeOptions, Subscription, Topic } from '@isthmus/ports';
import { faultOf, IMPATIENT, kafkaOf, type KafkaAccess } from './access.js';
import { GroupConsumer, type Taken } from './group-consumer.js';
import { Outbox, type OutboxLimits } from './outbox.js';
import { Replies } from './replies.js';
import { ensureTopics, type TopicPlan } from './topics.js';
import { answerTo, asking, failureTo, messageOf, questionOf, recordOf, type Question } from './wire.js';

export interface KafkaBusOptions extends KafkaAccess {
  /** Every topic that is spoken on. */
  readonly topics: readonly TopicPlan[];
  /** How long to wait for a cluster that does not answer at the start. Default 60 s. */
  readonly waitMs?: number;
  /** Says that the cluster, or one of its groups, is waited for. */
  readonly waiting?: (why: string) => void;
  /** What a handler threw for which no requester waits. Default: one line on stderr. */
  readonly report?: (failure: { readonly topic: Topic; readonly group: string; readonly error: unknown }) => void;
  readonly limits?: OutboxLimits;
}

/** The bus of a site whose services are processes of their own. */
export interface KafkaBus extends Bus {
  /** What keeps messages from going or coming, as a sentence; undefined when nothing does. For `/healthz/ready`. */
  trouble(): Promise<string | undefined>;
  /** Why what is published is not taken now; undefined if it is, or if nothing was. */
  failing(): string | undefined;
  /** Whether every group of this process, and its answers, have been looked for since then (monotonic, ms). */
  looksSince(ms: number): boolean;
}

/** Messages that nobody could make sense of, or whose handler failed, with the reason. */
export const DEAD_LETTERS: TopicPlan = { topic: 'isthmus.bus.dead-letters', partitions: 1, retentionMs: 7 * 24 * 3_600_000 };
export const REPLIES: TopicPlan = { topic: 'isthmus.bus.replies', partitions: 12, retentionMs: 600_000 };

const LIMITS: OutboxLimits = { messages: 10_000, bytes: 64 * 1024 * 1024 };
const WAIT_MS = 60_000;
const AGAIN_MS = 500;
/** A published message that no broker took within this time is refused to whoever published it. */
const PUBLISH_WITHIN_MS = 10_000;
/** Whoever waits for an answer does not wait longer than they said; what is older, give or take two clocks, is not worth doing. */
const CLOCKS_DIFFER_MS = 30_000;
/** A question that has waited here for more than this share of its asker's patience is not begun: the answer would come too late. */
const BEGIN_WITHIN = 0.5;
const DEAD_VALUE_CHARS = 64 * 1024;

type Handle = (message: Message) => Promise<Message | void>;

/** One group of this process: its members here, and its membership of the group in the cluster. */
interface LocalGroup {
  readonly consumer: GroupConsumer;
  readonly members: Map<Topic, Handle[]>;
  /** Topics on which it has answered a question before: what it throws there speaks for the question. */
  readonly answers: Set<Topic>;
}

/**
 * A bus on Kafka (ADR 0041).
 * @throws Fault `bus.unavailable` if the cluster does not answer in time, `bus.forbidden` if it does not let us in,
 *   `bus.topic-wrong` if a topic is not as planned
 */
export const kafkaBus = async (options: KafkaBusOptions): Promise<KafkaBus> => {
  const { topics, report = onStderr, limits = LIMITS } = options;
  const kafka = kafkaOf(options);
  const admin = kafka.admin({ retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 } });
  const outbox = new Outbox(kafka, options, limits);
  await startUp(admin, outbox, options);
  const replies = new Replies(kafka, options, REPLIES.topic, REPLIES.partitions);
  const groups = new Map<string, LocalGroup>();
  const known = new Set(topics.map(({ topic }) => topic));
  /** An answer could not go; until one goes again, no other that could not is told of. */
  let answersFail = false;
  let closing: Promise<void> | undefined;

  const refuseIfClosed = () => {
    if (closing) throw new Fault('bus.closed', 'The bus of this process is closed: it is shutting down.');
  };
  const refuseUnplanned = (topic: Topic) => {
    if (!known.has(topic))
      throw new Defect('bus.topic-unplanned', `Nobody planned the topic ${topic}: how many partitions, how long kept?`, { topic });
  };
  const send = (record: Parameters<Outbox['send']>[0], patienceMs: number) => outbox.send(record, patienceMs);

  const publish = async (message: Message): Promise<void> => {
    refuseIfClosed();
    refuseUnplanned(message.topic);
    await send(recordOf(message), PUBLISH_WITHIN_MS);
  };

  const request = async (message: Message, deadlineMs: number): Promise<Message> => {
    refuseIfClosed();
    refuseUnplanned(message.topic);
    const record = recordOf(message);
    return replies.ask(message.topic, deadlineMs, (question) => send(asking(record, question), deadlineMs));
  };

  /** Messages that can do no good any more are kept with the reason, for a person to look at; they hold up nobody. */
  const setAside = async ({ topic, partition, record }: Taken, group: string, error: unknown): Promise<void> => {
    const text = record.value?.toString() ?? '';
    const value = {
      ...{ topic, partition, offset: record.offset, group, key: record.key?.toString() ?? '' },
      reason: { code: codeOf(error), message: error instanceof Error ? error.message : String(error) },
      value: text.length > DEAD_VALUE_CHARS ? `${text.slice(0, DEAD_VALUE_CHARS)}…` : text,
    };
    await send(recordOf({ topic: DEAD_LETTERS.topic, key: topic, value }), PUBLISH_WITHIN_MS).catch((failure: unknown) =>
      report({ topic, group, error: failure }),
    );
  };

  const handled = async (taken: Taken, name: string, local: LocalGroup): Promise<void> => {
    const { topic, record } = taken;
    const members = local.members.get(topic) ?? [];
    const question = questionOf(record);
    if (members.length === 0 || (question && question.until + CLOCKS_DIFFER_MS < Date.now())) return;
    const reply = async (answer: ReturnType<typeof answerTo>) => {
      if (!question) return;
      const patience = Math.max(1_000, question.until - Date.now());
      try {
        await send({ ...answer, partition: question.partition }, patience);
        answersFail = false;
      } catch (error) {
        // Each may have gone another way (ADR 0080), and there are as many as there are questions: that it begins is what is news.
        if (!answersFail) report({ topic, group: name, error: unanswered(topic, faultOf(error, options)) });
        answersFail = true;
      }
    };
    const late = question && tooLate(question, taken);
    // Others of the topic may have begun with it: this says nothing for them.
    if (late) return reply(failureTo(question, REPLIES.topic, topic, late, false));
    let message: Message;
    try {
      message = messageOf(topic, record);
    } catch {
      const error = new Refusal('bus.malformed', `A message on ${topic} is not JSON.`, { topic });
      if (question) await reply(failureTo(question, REPLIES.topic, topic, error, local.answers.has(topic)));
      return setAside(taken, name, error);
    }
    try {
      const answer = await memberFor(members, message.key)(message);
      if (!answer || !question) return;
      local.answers.add(topic);
      await reply(answerTo(question, REPLIES.topic, answer));
    } catch (error) {
      if (question) await reply(failureTo(question, REPLIES.topic, topic, error, local.answers.has(topic)));
      if (question && (error instanceof Refusal || error instanceof Fault)) return;
      report({ topic, group: name, error });
      if (!question) await setAside(taken, name, error);
    }
  };

  const localGroup = (name: string): LocalGroup => {
    const there = groups.get(name);
    if (there) return there;
    const local: LocalGroup = {
      consumer: new GroupConsumer({
        ...{ kafka, admin, access: options, group: name },
        handle: (taken) => handled(taken, name, local),
        waiting: (why) => options.waiting?.(why),
      }),
      members: new Map(),
      answers: new Set(),
    };
    groups.set(name, local);
    return local;
  };

  const subscribe = async (topic: Topic, { group }: SubscribeOptions, handle: Handle): Promise<Subscription> => {
    refuseIfClosed();
    refuseUnplanned(topic);
    const local = localGroup(group);
    const running = new Set<Promise<unknown>>();
    const member: Handle = (message) => {
      const work = handle(message);
      running.add(work);
      void work.catch(() => undefined).finally(() => running.delete(work));
      return work;
    };
    const members = local.members.get(topic) ?? [];
    local.members.set(topic, members);
    members.push(member);
    const leave = async (): Promise<void> => {
      const at = members.indexOf(member);
      if (at < 0) return;
      members.splice(at, 1);
      await Promise.race([Promise.allSettled(running), pause(FAREWELL_MS)]);
      if ([...local.members.values()].some((left) => left.length > 0)) return;
      if (groups.get(group) === local) groups.delete(group);
      await local.consumer.close();
    };
    try {
      await local.consumer.listen(topic);
    } catch (error) {
      await leave();
      throw faultOf(error, options);
    }
    return { close: leave };
  };

  const trouble = async (): Promise<string | undefined> => {
    const silent = [...groups.values()].map(({ consumer }) => consumer.trouble).find((why) => why !== undefined);
    if (silent ?? outbox.trouble) return silent ?? outbox.trouble?.message;
    const answered = admin.describeCluster().then(
      () => undefined,
      (error: unknown) => faultOf(error, options).message,
    );
    return Promise.race([answered, pause(HEALTH_WITHIN_MS).then(() => `Kafka at ${options.brokers.join(', ')} does not answer.`)]);
  };

  const close = async (): Promise<void> => {
    await replies.close();
    await Promise.all([...groups.values()].map(({ consumer }) => consumer.close()));
    await outbox.close();
    await admin.disconnect().catch(() => undefined);
  };

  return {
    ...{ publish, request, subscribe, trouble },
    failing: () => outbox.trouble?.message,
    looksSince: (ms) => [replies, ...[...groups.values()].map(({ consumer }) => consumer)].every((each) => each.looksSince(ms)),
    close: () => (closing ??= close()),
  };
};

const FAREWELL_MS = 1_000;
const HEALTH_WITHIN_MS = 2_000;

const startUp = async (admin: Admin, outbox: Outbox, options: KafkaBusOptions): Promise<void> => {
  const deadline = performance.now() + (options.waitMs ?? WAIT_MS);
  for (let told = false; ; told = true) {
    try {
      await knock(options);
      await admin.connect();
      await ensureTopics(admin, [...options.topics, DEAD_LETTERS, REPLIES]);
      return await outbox.connect();
    } catch (error) {
      const fault = faultOf(error, options);
      if (!fault.retryable || performance.now() > deadline) {
        await admin.disconnect().catch(() => undefined);
        throw fault;
      }
      if (!told) options.waiting?.(fault.message);
      await pause(AGAIN_MS);
    }
  }
};

/** Whether somebody is there who lets us in: says so soon, so that whoever starts us knows what is waited for. */
const knock = async (options: KafkaBusOptions): Promise<void> => {
  const visitor = kafkaOf(options, IMPATIENT).admin();
  try {
    await visitor.connect();
  } finally {
    await visitor.disconnect().catch(() => undefined);
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());

/**
 * Somebody who has more to do than they can would else answer every question, each a little too late. Both times that a
 * question carries are by its asker's clock, and how long it has waited here is by ours: no two clocks are compared.
 */
const tooLate = ({ until }: Question, { topic, record, arrivedMs }: Taken): Fault | undefined => {
  const waitedMs = performance.now() - arrivedMs;
  if (waitedMs < (until - Number(record.timestamp)) * BEGIN_WITHIN) return undefined;
  const why = `Whoever answers ${topic} has more to do than they can: this waited ${Math.round(waitedMs)} ms and was not begun. Try again later.`;
  return new Fault('bus.overloaded', why, { topic });
};

const unanswered = (topic: Topic, cause: Fault): Fault => {
  const why = `An answer on ${topic} could not go by Kafka, nor can others until it works again. ${cause.message}`;
  return new Fault('bus.unanswered', why, { topic }, { cause });
};

/** The same member for the same key while the membership lasts. */
const memberFor = (members: readonly Handle[], key: string): Handle => {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (hash * 31 + key.charCodeAt(index)) >>> 0;
  return members[hash % members.length]!;
};

const codeOf = (error: unknown): string => (error as { code?: unknown } | null)?.code?.toString() ?? 'bus.handler-failed';

const onStderr: NonNullable<KafkaBusOptions['report']> = ({ topic, group, error }) =>
  console.error(`bus: ${group} failed on ${topic}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
