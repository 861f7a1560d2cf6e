import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { Problem } from '../lib/problem.mjs';

const { Kafka, logLevel } = kafkajs;
const PROBE_TOPIC = 'isthmus.tools.probe';

/**
 * Waits until a group can be joined: an open port is not enough, for its first seconds a broker only says that it is loading.
 * @param {string} address @param {number} limitMs
 */
export const untilReady = async (address, limitMs) => {
  const deadline = performance.now() + limitMs;
  let why = 'its port is closed';
  while (performance.now() < deadline) {
    if (await isOpen(address)) {
      const failure = await joinGroup(address);
      if (failure === undefined) return;
      why = failure;
    }
    await wait(200);
  }
  throw new Problem(`The broker at ${address} was not ready within ${limitMs / 1_000} s: ${why}.`, 'Its log says more.');
};

/** @param {string} address @returns {Promise<boolean>} */
const isOpen = (address) => {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host ?? '');
    const say = (/** @type {boolean} */ open) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => say(true)).once('error', () => say(false));
  });
};

/** @param {string} address @returns {Promise<string | undefined>} what is missing */
const joinGroup = async (address) => {
  const retry = { retries: 2, initialRetryTime: 100, maxRetryTime: 300 };
  const kafka = new Kafka({ clientId: 'isthmus-probe', brokers: [address], logLevel: logLevel.NOTHING, retry });
  const admin = kafka.admin();
  const groupId = `probe-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId });
  try {
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: PROBE_TOPIC, numPartitions: 1 }], waitForLeaders: true });
    await consumer.connect();
    await consumer.subscribe({ topics: [PROBE_TOPIC] });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => undefined });
    const late = wait(5_000, 'nobody can join a group');
    return (await Promise.race([joined.then(() => undefined), late])) ?? undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect().catch(() => undefined);
  }
};
