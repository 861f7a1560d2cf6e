import { beforeEach, describe, expect, test, vi } from 'vitest';
import { embeddedBus } from '@isthmus/bus-embedded';
import { busContract, busContractTopics, closing } from '@isthmus/contract';
import { Fault } from '@isthmus/kernel';
import type { Bus, Message } from '@isthmus/ports';
import type { MainBus } from './absence.js';
import { detouredBus } from './detoured-bus.js';
import type { Way } from './several-ways.js';

const { events, questions } = busContractTopics;
const log = { warn: vi.fn(), info: vi.fn() };
const patience = { timeout: 10_000, interval: 20 };

/** A bus that several processes share, and that can go away as a broker does: with what it took and has not given out yet. */
class Broker {
  private readonly bus = embeddedBus({ report: () => undefined });
  private readonly kept: (() => void)[] = [];
  private state: 'well' | 'mute' | 'away' = 'well';
  readonly taken: unknown[] = [];

  /** It takes messages and gives out none. */
  fallMute(): void {
    this.state = 'mute';
  }
  goAway(): void {
    this.state = 'away';
  }
  comeBack(): void {
    this.state = 'well';
    for (const release of this.kept.splice(0)) release();
  }

  /** As one process has it. */
  client(): MainBus {
    const gate = async (message: Message) => {
      if (this.state === 'away') await new Promise<void>((resolve) => this.kept.push(resolve));
      this.taken.push(message.value);
    };
    const out = () => new Promise<void>((resolve) => (this.state === 'well' ? resolve() : this.kept.push(resolve)));
    return {
      publish: async (sent) => {
        const message = structuredClone(sent);
        await gate(message);
        await this.bus.publish(message);
      },
      request: async (message, deadlineMs) => {
        const late = new Promise<never>((_, reject) =>
          setTimeout(() => reject(new Fault('bus.no-answer', 'late', {})), deadlineMs).unref(),
        );
        return Promise.race([late, gate(message).then(() => this.bus.request(message, deadlineMs))]);
      },
      subscribe: (topic, options, handle) =>
        this.bus.subscribe(topic, options, async (message) => {
          await out();
          return handle(message);
        }),
      trouble: async () => (this.state === 'well' ? undefined : 'The broker does not answer.'),
      close: async () => undefined,
    };
  }

  async close(): Promise<void> {
    this.comeBack();
    await this.bus.close();
  }
}

const wayBy = (hub: Bus, up: () => boolean = () => true): Way => ({ ...hub, linked: up, close: async () => undefined });
const busOf = (broker: Broker, way: Way, boundMs = 100) =>
  detouredBus({ main: broker.client(), mainName: 'The broker', ways: [way], log, boundMs, settleMs: 200 });

const keep = closing();

for (const [name, prepare] of [
  ['a bus with a way past it', () => undefined],
  ['a bus that is away, with a way past it', (broker: Broker) => broker.goAway()],
] as const) {
  busContract(name, async () => {
    const [broker, hub] = [new Broker(), embeddedBus({ report: () => undefined })];
    const bus = busOf(broker, wayBy(hub));
    prepare(broker);
    // What is said by then shows whether it is there.
    await bus.publish({ topic: events, key: 'first', value: 'is it there?' });
    const close = async () => {
      await bus.close();
      await Promise.all([hub.close(), broker.close()]);
    };
    let closing: Promise<void> | undefined;
    return { ...bus, close: () => (closing ??= close()) };
  });
}

describe('a bus that goes away and comes back, under several services', () => {
  let broker: Broker;
  let hub: Bus;
  let up: boolean;
  const heard: number[] = [];
  beforeEach(() => {
    broker = keep(new Broker());
    hub = keep(embeddedBus({ report: () => undefined }));
    up = true;
    heard.length = 0;
    log.warn.mockClear();
    log.info.mockClear();
  });
  const way = () => wayBy(hub, () => up);
  const service = (boundMs?: number) => keep(busOf(broker, way(), boundMs));
  const listening = (bus: Bus) => bus.subscribe(events, { group: 'listener' }, async ({ value }) => void heard.push(value as number));
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

  test('loses nothing, turns nothing around, and has nothing happen twice', async () => {
    const [one, two] = [service(), service()];
    await listening(two);
    for (let n = 0; n < 100; n++) {
      if (n === 20) broker.fallMute();
      if (n === 30) broker.goAway();
      if (n === 60) broker.comeBack();
      void one.publish({ topic: events, key: 'k', value: n });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await vi.waitFor(() => expect(heard).toHaveLength(100), patience);
    await vi.waitFor(() => expect(log.info).toHaveBeenCalledWith(expect.anything(), 'The broker is back'), patience);
    const before = broker.taken.length;
    await one.publish({ topic: events, key: 'k', value: 100 });
    await vi.waitFor(() => expect(heard).toEqual(upTo(101)), patience);
    expect(broker.taken.length).toBe(before + 1);
  });

  test('asks once what is asked by several ways, and each gives the answer', async () => {
    const [asker, answerer] = [service(), service()];
    let times = 0;
    await answerer.subscribe(questions, { group: 'answerer' }, async (message) => {
      times++;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { ...message, value: times };
    });
    // Taken by the broker, and begun; its answer never comes that way.
    const early = asker.request({ topic: questions, key: 'k', value: '?' }, 5_000);
    await vi.waitFor(() => expect(times).toBe(1), patience);
    broker.goAway();
    await asker.publish({ topic: events, key: 'k', value: 0 });
    expect((await early).value).toBe(1);
    expect((await asker.request({ topic: questions, key: 'k', value: '?' }, 5_000)).value).toBe(2);
    broker.comeBack();
    expect((await asker.request({ topic: questions, key: 'k', value: '?' }, 5_000)).value).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(times).toBe(3);
  });

  test('is gone around also by those who would not have noticed', async () => {
    const [quiet, talker] = [service(600_000), service()];
    await listening(talker);
    broker.goAway();
    await talker.publish({ topic: events, key: 'k', value: 0 });
    await quiet.publish({ topic: events, key: 'k', value: 1 });
    await vi.waitFor(() => expect(heard).toEqual([0, 1]), patience);
    expect([quiet.degraded?.(), await quiet.trouble?.()]).toEqual([undefined, undefined]);
  });

  test('says how it is: degraded while there is a way past it, in trouble while there is none', async () => {
    const bus = service();
    expect([await bus.trouble?.(), bus.degraded?.()]).toEqual([undefined, undefined]);
    broker.goAway();
    await bus.publish({ topic: events, key: 'k', value: 0 });
    expect(await bus.trouble?.()).toBeUndefined();
    expect(bus.degraded?.()).toMatch(/^The broker away for \d+ s; asking directly\./);
    up = false;
    expect([await bus.trouble?.(), bus.degraded?.()]).toEqual(['The broker does not answer.', undefined]);
    up = true;
    broker.comeBack();
    await vi.waitFor(() => expect(bus.degraded?.()).toBeUndefined(), patience);
    expect(log.warn).toHaveBeenCalledTimes(1);
  });

  test('goes around as soon as there is a way, with what was said shortly before', async () => {
    up = false;
    const [one, two] = [service(), service()];
    await listening(two);
    broker.goAway();
    const saying = one.publish({ topic: events, key: 'k', value: 0 });
    await vi.waitFor(() => expect(log.warn).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('no way past it')), patience);
    up = true;
    await saying;
    await vi.waitFor(() => expect(heard).toEqual([0]), patience);
  });
});
