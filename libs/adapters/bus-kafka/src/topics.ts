import type { Admin } from 'kafkajs';
import type { Topic } from '@isthmus/ports';
import { LastingFault, typeOf } from './access.js';

/** How a topic must be before anybody talks on it. */
export interface TopicPlan {
  readonly topic: Topic;
  /** How many may work on it at once; what has one key is always in one of them. Cannot be changed later without breaking the order per key. */
  readonly partitions: number;
  /** How long a message is kept, for whoever was away. */
  readonly retentionMs: number;
}

/** Kafka's number for `topic` among what can be configured; kafkajs names it, but not for ES modules. */
const TOPIC_RESOURCE = 2;
/** The estate is said as a whole. */
const MESSAGE_BYTES = 8 * 1024 * 1024;
/** As many copies of a message as there are brokers, and three at most. */
const COPIES_MAX = 3;

/**
 * Creates the topics that are missing and checks those that are there. Several services may do so at once.
 * @throws Fault `bus.topic-wrong` that names every topic that is not as planned
 */
export const ensureTopics = async (admin: Admin, plans: readonly TopicPlan[]): Promise<void> => {
  const there = new Set(await admin.listTopics());
  const missing = plans.filter(({ topic }) => !there.has(topic));
  if (missing.length > 0) await create(admin, missing);
  const wrong = [...(await wrongPartitions(admin, plans)), ...(await wrongRetention(admin, plans))];
  if (wrong.length === 0) return;
  throw new LastingFault(
    'bus.topic-wrong',
    `${wrong.length === 1 ? 'A topic is' : `${wrong.length} topics are`} not as Isthmus needs them.\n${wrong.map((line) => `  ${line}`).join('\n')}`,
    { wrong },
  );
};

const create = async (admin: Admin, plans: readonly TopicPlan[]): Promise<void> => {
  const { brokers } = await admin.describeCluster();
  const copies = Math.min(COPIES_MAX, brokers.length);
  const topics = plans.map(({ topic, partitions, retentionMs }) => ({
    topic,
    numPartitions: partitions,
    replicationFactor: copies,
    configEntries: [
      { name: 'retention.ms', value: String(retentionMs) },
      { name: 'max.message.bytes', value: String(MESSAGE_BYTES) },
      // An acknowledged message survives the loss of a broker where there is another one.
      { name: 'min.insync.replicas', value: String(Math.max(1, copies - 1)) },
    ],
  }));
  try {
    await admin.createTopics({ topics, waitForLeaders: true });
  } catch (error) {
    // Another service was quicker with some of them.
    const errors = (error as { errors?: readonly unknown[] }).errors ?? [error];
    if (!errors.every((each) => typeOf(each) === 'TOPIC_ALREADY_EXISTS')) throw error;
  }
};

const wrongPartitions = async (admin: Admin, plans: readonly TopicPlan[]): Promise<string[]> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: plans.map(({ topic }) => topic) });
  return plans.flatMap(({ topic, partitions }) => {
    const has = topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
    if (has === partitions) return [];
    const next =
      has < partitions
        ? `While nothing runs: kafka-topics.sh --alter --topic ${topic} --partitions ${partitions}`
        : `While nothing runs: kafka-topics.sh --delete --topic ${topic}; it is made again at the next start.`;
    return [`${topic} has ${has} partitions and needs ${partitions}. ${next}`];
  });
};

const wrongRetention = async (admin: Admin, plans: readonly TopicPlan[]): Promise<string[]> => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: plans.map(({ topic }) => ({ type: TOPIC_RESOURCE, name: topic, configNames: ['retention.ms'] })),
  });
  return plans.flatMap(({ topic, retentionMs }) => {
    const configs = resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? [];
    const has = Number(configs.find(({ configName }) => configName === 'retention.ms')?.configValue ?? -1);
    // -1 is for ever; longer than planned harms nobody.
    if (has === -1 || has >= retentionMs) return [];
    return [
      `${topic} keeps messages for ${has} ms and must keep them for ${retentionMs}. ` +
        `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config retention.ms=${retentionMs}`,
    ];
  });
};
