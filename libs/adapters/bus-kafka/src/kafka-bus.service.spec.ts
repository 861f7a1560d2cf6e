import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { busContract, busContractTopics } from '@isthmus/contract';
import { kafkaBus, type KafkaBus, type KafkaBusOptions } from './kafka-bus.js';
import { startBrokers, type Brokers } from './testing/brokers.js';

const PASSWORD = 'not-a-secret-anywhere';
const PATIENCE = { timeout: 60_000 };
const eventually = { timeout: 40_000, interval: 100 };

const planned = (topic: string, partitions = 4) => ({ topic, partitions, retentionMs: 3_600_000 });
const topics = Object.values(busContractTopics).map((topic) => planned(topic));

let brokers: Brokers;
const open: KafkaBus[] = [];
const busAt = async (options: Partial<KafkaBusOptions> = {}): Promise<KafkaBus> => {
  const bus = await kafkaBus({ brokers: brokers.addresses, clientId: 'spec', topics, report: () => undefined, ...options });
  open.push(bus);
  return bus;
};
const onBroker = async <T>(work: (kafka: Kafka) => Promise<T>): Promise<T> =>
  work(new Kafka({ brokers: [...brokers.addresses], clientId: 'spec', logLevel: logLevel.NOTHING }));

beforeAll(async () => {
  brokers = await startBrokers({ port: 19_492, password: PASSWORD });
}, 180_000);
afterAll(() => brokers?.close(), 60_000);
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
});

busContract('the bus on a real Kafka broker', () =>
  kafkaBus({ brokers: brokers.addresses, clientId: 'contract', topics, report: () => undefined }),
);

describe('the bus on Kafka', PATIENCE, () => {
  const { events, questions, quiet } = busContractTopics;

  /** What lies in a topic, from its beginning, as soon as something there satisfies `enough`. */
  const recordsOf = (topic: string, enough: (values: readonly string[]) => boolean): Promise<string[]> =>
    onBroker(async (kafka) => {
      const consumer = kafka.consumer({ groupId: `spec-${randomUUID()}`, maxWaitTimeInMs: 50 });
      const values: string[] = [];
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }) => void values.push(message.value?.toString() ?? '') });
      await vi.waitFor(() => expect(enough(values)).toBe(true), eventually);
      await consumer.disconnect();
      return values;
    });

  test('1,000 messages published at once are 1,000 records, each once', async () => {
    const topic = `isthmus.spec.${randomUUID()}`;
    const bus = await busAt({ topics: [planned(topic)] });
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => bus.publish({ topic, key: `k${n % 50}`, value: n })));
    const values = await recordsOf(topic, ({ length }) => length >= 1_000);
    expect(values.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  test('processes of one group share the messages, also of a topic that only the newer of them listens to', async () => {
    const [one, other, publisher] = [await busAt(), await busAt(), await busAt()];
    const group = { group: `shared-${randomUUID()}` };
    const heard = { one: [] as unknown[], other: [] as unknown[], newer: [] as unknown[] };
    await one.subscribe(events, group, async ({ value }) => void heard.one.push(value));
    await Promise.all([
      other.subscribe(events, group, async ({ value }) => void heard.other.push(value)),
      other.subscribe(questions, group, async ({ value }) => void heard.newer.push(value)),
    ]);
    const sent = Array.from({ length: 200 }, (_, n) => n);
    await Promise.all(sent.flatMap((n) => [events, questions].map((topic) => publisher.publish({ topic, key: `k${n}`, value: n }))));
    await vi.waitFor(() => {
      expect(new Set([...heard.one, ...heard.other]).size).toBe(200);
      expect(new Set(heard.newer).size).toBe(200);
    }, eventually);
  });

  test('what a service missed while it was down, it gets when it is back', async () => {
    const group = { group: `away-${randomUUID()}` };
    const heard: unknown[] = [];
    const before = await busAt();
    await before.subscribe(events, group, async ({ value }) => void heard.push(value));
    const publisher = await busAt();
    await publisher.publish({ topic: events, key: 'k', value: 'before' });
    await vi.waitFor(() => expect(heard).toEqual(['before']), eventually);
    await before.close();
    await publisher.publish({ topic: events, key: 'k', value: 'meanwhile' });
    const after = await busAt();
    await after.subscribe(events, group, async ({ value }) => void heard.push(value));
    await vi.waitFor(() => expect(heard).toEqual(['before', 'meanwhile']), eventually);
  });

  test('a message that is no JSON, or whose handler fails, is set aside with the reason, and those behind it are handled', async () => {
    const bus = await busAt();
    const key = `poison-${randomUUID()}`;
    const heard: unknown[] = [];
    await bus.subscribe(events, { group: `g-${key}` }, async ({ value, key: of }) => {
      if (of !== key) return;
      if (value === 'bad') throw new Error('planted: it cannot be handled');
      heard.push(value);
    });
    await onBroker(async (kafka) => {
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({ topic: events, messages: [{ key, value: 'no { JSON' }] });
      await producer.disconnect();
    });
    await bus.publish({ topic: events, key, value: 'bad' });
    await bus.publish({ topic: events, key, value: 'good' });
    await vi.waitFor(() => expect(heard).toEqual(['good']), eventually);
    const mine = (values: readonly string[]) =>
      values.filter((value) => value.includes(`"group":"g-${key}"`) && value.includes(`"key":"${key}"`));
    const letters = mine(await recordsOf('isthmus.bus.dead-letters', (values) => mine(values).length >= 2)).map(
      (text) => JSON.parse(text) as unknown,
    );
    expect(letters).toMatchObject([
      { topic: events, reason: { code: 'bus.malformed' }, value: 'no { JSON' },
      { topic: events, reason: { message: 'planted: it cannot be handled' }, value: '"bad"' },
    ]);
  });

  test('a question that has waited behind others for half of its time is refused and not begun, and the next one is answered', async () => {
    const bus = await busAt();
    const key = `busy-${randomUUID()}`;
    const begun: unknown[] = [];
    await bus.subscribe(questions, { group: `g-${key}` }, async (message) => {
      if (message.key !== key) return;
      begun.push(message.value);
      await new Promise((resolve) => setTimeout(resolve, message.value === 'long' ? 2_000 : 0));
      return message;
    });
    const ask = (value: string, deadlineMs: number) => bus.request({ topic: questions, key, value }, deadlineMs);
    await ask('first', 30_000);
    const outcomes = await Promise.allSettled([ask('long', 30_000), ask('late', 3_000), ask('patient', 30_000)]);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'answered' : (outcome.reason as { code: string }).code))).toEqual([
      'answered',
      'bus.overloaded',
      'answered',
    ]);
    expect(begun).toEqual(['first', 'long', 'patient']);
  });

  test('a handler that never ends holds up neither other keys, nor its own process’ other topics, nor closing', async () => {
    const bus = await busAt();
    const run = randomUUID();
    const heard: unknown[] = [];
    await bus.subscribe(events, { group: `stuck-${run}` }, async ({ key, value }) => {
      if (key === `stuck-${run}`) await new Promise(() => undefined);
      if (key === `free-${run}`) heard.push(value);
    });
    await bus.publish({ topic: events, key: `stuck-${run}`, value: 0 });
    for (let n = 0; n < 20; n++) await bus.publish({ topic: events, key: `free-${run}`, value: n });
    await vi.waitFor(() => expect(heard).toHaveLength(20), eventually);
    await bus.close();
  });

  test(
    'killed and started again, the broker loses nothing that was acknowledged, what waits meanwhile is bounded, and all flows again',
    { timeout: 150_000 },
    async () => {
      const reported: unknown[] = [];
      const bus = await busAt({ report: ({ error }) => void reported.push((error as { code: unknown }).code) });
      const narrow = await busAt({ limits: { messages: 100, bytes: 1024 * 1024 } });
      const run = randomUUID();
      const heard = new Set<unknown>();
      const acknowledged: number[] = [];
      await bus.subscribe(events, { group: `g-${run}` }, async ({ key, value }) => void (key.endsWith(run) && heard.add(value)));
      await bus.subscribe(questions, { group: `a-${run}` }, async (message) => message);
      // Somebody who answers when there is nobody any more to carry the answers.
      let answer: () => void = () => undefined;
      const away = new Promise<void>((resolve) => (answer = resolve));
      const asked: unknown[] = [];
      await bus.subscribe(quiet, { group: `q-${run}` }, async (message) => {
        if (!message.key.endsWith(run)) return;
        asked.push(message.value);
        await away;
        return message;
      });
      const questioned = Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => narrow.request({ topic: quiet, key: `${n}-${run}`, value: n }, 10_000)),
      );
      await vi.waitFor(() => expect(asked).toHaveLength(20), eventually);
      let going = true;
      const publishing = (async () => {
        for (let n = 0; going; n++) {
          await bus.publish({ topic: events, key: `${n % 7}-${run}`, value: n }).then(
            () => acknowledged.push(n),
            () => undefined,
          );
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      })();
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(20), eventually);
      await brokers.kill(0);
      await vi.waitFor(
        async () => expect(await bus.trouble()).toMatch(/Kafka at 127\.0\.0\.1:\d+ cannot be used|do not arrive|does not answer/),
        eventually,
      );
      answer();
      const before = acknowledged.length;
      const late: unknown[] = [];
      const joining = bus.subscribe(
        events,
        { group: `late-${run}` },
        async ({ key, value }) => void (key.endsWith(run) && late.push(value)),
      );
      // Meanwhile what waits is bounded, and whoever publishes more is told.
      const outcomes = await Promise.allSettled(
        Array.from({ length: 300 }, (_, n) => narrow.publish({ topic: quiet, key: 'k', value: n })),
      );
      const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : []));
      expect(codes.filter((code) => code === 'bus.full')).toHaveLength(200);
      expect(codes).toHaveLength(300);
      expect(new Set((await questioned).map(({ status }) => status))).toEqual(new Set(['rejected']));
      await vi.waitFor(() => expect(reported).toContain('bus.unanswered'), eventually);
      await brokers.start(0);
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 20), eventually);
      // Who wanted to listen while nobody was there listens now.
      await joining;
      await vi.waitFor(() => expect(late.length).toBeGreaterThan(0), eventually);
      going = false;
      await publishing;
      await vi.waitFor(() => expect(acknowledged.filter((n) => !heard.has(n))).toEqual([]), eventually);
      await vi.waitFor(async () => {
        expect((await bus.request({ topic: questions, key: run, value: 'back?' }, 3_000)).value).toBe('back?');
      }, eventually);
      await vi.waitFor(async () => expect(await bus.trouble()).toBeUndefined(), eventually);
      // One line, not one for each answer.
      expect(reported.filter((code) => code === 'bus.unanswered')).toHaveLength(1);
    },
  );
});

describe('a start on Kafka that cannot be', PATIENCE, () => {
  test('nobody there: it says once that it waits, tries seldom, and names the address when it gives up', async () => {
    let connections = 0;
    const wall = createServer((socket) => {
      connections++;
      socket.on('error', () => undefined).destroy();
    }).listen(0, '127.0.0.1');
    await once(wall, 'listening');
    const address = `127.0.0.1:${(wall.address() as AddressInfo).port}`;
    const waiting = vi.fn();
    const starting = kafkaBus({ brokers: [address], clientId: 'spec', topics, waitMs: 4_000, waiting });
    await expect(starting).rejects.toMatchObject({
      kind: 'fault',
      code: 'bus.unavailable',
      message: expect.stringContaining(address) as string,
    });
    expect(waiting).toHaveBeenCalledTimes(1);
    expect(connections).toBeLessThan(100);
    await new Promise((resolve) => wall.close(resolve));
  });

  test('wrong credentials are named at once, and the right ones let in', async () => {
    const sasl = { mechanism: 'plain', username: 'isthmus' } as const;
    const refused = kafkaBus({ brokers: brokers.guarded, clientId: 'spec', topics, sasl: { ...sasl, password: 'wrong' } });
    await expect(refused).rejects.toMatchObject({
      code: 'bus.forbidden',
      retryable: false,
      message: expect.stringContaining('KAFKA_SASL') as string,
    });
    await expect(refused).rejects.not.toThrow(/wrong$|"wrong"/);
    await busAt({ brokers: brokers.guarded, sasl: { ...sasl, password: PASSWORD } });
  });

  test('a topic with the wrong number of partitions, or that forgets too soon, is named with what to do', async () => {
    const [narrow, brief] = [`isthmus.spec.${randomUUID()}`, `isthmus.spec.${randomUUID()}`];
    await busAt({ topics: [planned(narrow, 2), { ...planned(brief, 1), retentionMs: 60_000 }] });
    const refused = kafkaBus({ brokers: brokers.addresses, clientId: 'spec', topics: [planned(narrow, 6), planned(brief, 1)] });
    await expect(refused).rejects.toMatchObject({ code: 'bus.topic-wrong', retryable: false });
    await expect(refused).rejects.toThrow(`${narrow} has 2 partitions and needs 6. While nothing runs: kafka-topics.sh --alter`);
    await expect(refused).rejects.toThrow(`${brief} keeps messages for 60000 ms and must keep them for 3600000.`);
  });
});
