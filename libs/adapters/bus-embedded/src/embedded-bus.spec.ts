import { describe, expect, test, vi } from 'vitest';
import { busContract } from '@isthmus/contract';
import { embeddedBus } from './embedded-bus.js';

busContract('the embedded bus', async () => embeddedBus({ report: () => undefined }));

describe('embeddedBus', () => {
  const topic = 'isthmus.test.things';

  test('two buses in one process know nothing of each other', async () => {
    const [one, other] = [embeddedBus(), embeddedBus()];
    const heard: unknown[] = [];
    await other.subscribe(topic, { group: 'g' }, async ({ value }) => void heard.push(value));
    await one.publish({ topic, key: 'k', value: 1 });
    await expect(one.request({ topic, key: 'k', value: 1 }, 20)).rejects.toMatchObject({ code: 'bus.no-answer' });
    expect(heard).toEqual([]);
    await Promise.all([one.close(), other.close()]);
  });

  test('a group that cannot keep up is bounded: the publisher is told, other groups get every message', async () => {
    const bus = embeddedBus({ queueLimit: 100 });
    const heard: unknown[] = [];
    await bus.subscribe(topic, { group: 'stuck' }, () => new Promise(() => undefined));
    await bus.subscribe(topic, { group: 'awake' }, async ({ value }) => void heard.push(value));
    const outcomes: PromiseSettledResult<void>[] = [];
    for (let n = 0; n < 300; n++) {
      outcomes.push(...(await Promise.allSettled([bus.publish({ topic, key: 'k', value: n })])));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(heard).toHaveLength(300);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(199);
    expect(refused[0]).toMatchObject({ reason: { code: 'bus.full', details: { groups: ['stuck'] } } });
    await bus.close();
  });

  test('one slow key holds up no other key', async () => {
    const bus = embeddedBus();
    const heard: string[] = [];
    await bus.subscribe(topic, { group: 'g' }, async ({ key }) => {
      if (key === 'slow') await new Promise((resolve) => setTimeout(resolve, 200));
      heard.push(key);
    });
    await bus.publish({ topic, key: 'slow', value: 1 });
    await bus.publish({ topic, key: 'fast', value: 1 });
    await vi.waitFor(() => expect(heard).toEqual(['fast']), { timeout: 150 });
    await bus.close();
  });

  test('what a subscriber threw is reported with its topic and group', async () => {
    const report = vi.fn();
    const bus = embeddedBus({ report });
    const error = new Error('planted');
    await bus.subscribe(topic, { group: 'bad' }, async () => {
      throw error;
    });
    await bus.publish({ topic, key: 'k', value: 1 });
    await vi.waitFor(() => expect(report).toHaveBeenCalledWith({ topic, group: 'bad', error }));
    await bus.close();
  });

  test('a listener that throws does not speak for the one who answers', async () => {
    const bus = embeddedBus({ report: () => undefined });
    await bus.subscribe(topic, { group: 'listener' }, async () => {
      throw new Error('planted');
    });
    await bus.subscribe(topic, { group: 'answerer' }, async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { ...message, value: 'answer' };
    });
    expect((await bus.request({ topic, key: 'k', value: 1 }, 1_000)).value).toBe('answer');
    await bus.close();
  });

  test('a chain of messages that answer each other leaves timers their turn', async () => {
    const bus = embeddedBus();
    let rounds = 0;
    await bus.subscribe(topic, { group: 'g' }, async (message) => {
      rounds++;
      await bus.publish({ ...message, key: `k${rounds}` });
    });
    await bus.publish({ topic, key: 'k', value: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await bus.close();
    expect(rounds).toBeGreaterThan(1);
  });
});
