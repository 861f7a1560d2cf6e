import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Defect, Fault, Refusal } from '@isthmus/kernel';
import type { Bus, Message } from '@isthmus/ports';
import { PATIENCE } from './patience.js';

/** The topics that the suite uses, for a bus whose topics must exist first. */
export const busContractTopics = {
  events: 'isthmus.contract.events',
  questions: 'isthmus.contract.questions',
  quiet: 'isthmus.contract.quiet',
} as const;

/** What every bus promises, whatever carries it. Run it from the adapter's own spec. */
export const busContract = (name: string, makeBus: () => Promise<Bus>): void => {
  describe(`${name} keeps the promises of a bus`, PATIENCE, () => {
    const { events, questions, quiet } = busContractTopics;
    let bus: Bus;
    /** Nothing that an earlier test left behind has this run's groups or keys. */
    let run: string;

    beforeEach(async () => {
      run = randomUUID();
      bus = await makeBus();
    });
    afterEach(() => bus.close());

    const group = (which: string) => ({ group: `${which}-${run}` });
    const key = (which: string) => `${which}-${run}`;
    const answering = (value: (message: Message) => unknown) =>
      bus.subscribe(questions, group('answerers'), async (message) => ({ topic: questions, key: message.key, value: value(message) }));
    const arrived = (list: readonly unknown[], count: number) => vi.waitFor(() => expect(list).toHaveLength(count), { timeout: 10_000 });

    describe('publish', () => {
      test('every group gets every message; members of one group share them', async () => {
        const seen: Record<string, number[]> = { a: [], b1: [], b2: [] };
        const noting = (who: string) => async (message: Message) => void seen[who]!.push(message.value as number);
        await bus.subscribe(events, group('a'), noting('a'));
        await bus.subscribe(events, group('b'), noting('b1'));
        await bus.subscribe(events, group('b'), noting('b2'));
        for (let n = 0; n < 100; n++) await bus.publish({ topic: events, key: key(`k${n}`), value: n });
        await arrived(seen['a']!, 100);
        await vi.waitFor(() =>
          expect([...seen['b1']!, ...seen['b2']!].sort((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, n) => n)),
        );
      });

      test('messages of one key are handled one after another, in order, also by slow handlers', async () => {
        const handled: string[] = [];
        let busy = 0;
        await bus.subscribe(events, group('slow'), async ({ value }) => {
          expect(++busy).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, (value as number) % 3));
          busy--;
          handled.push(String(value));
        });
        for (let n = 0; n < 50; n++) await bus.publish({ topic: events, key: key('one'), value: n });
        await arrived(handled, 50);
        expect(handled).toEqual(Array.from({ length: 50 }, (_, n) => String(n)));
      });

      test('order per key holds while members of the group come and go', async () => {
        const handled: number[] = [];
        const note = async ({ value }: Message) => void handled.push(value as number);
        await bus.subscribe(events, group('stay'), note);
        const leaver = await bus.subscribe(events, group('stay'), note);
        for (let n = 0; n < 30; n++) {
          if (n === 15) await leaver.close();
          await bus.publish({ topic: events, key: key('one'), value: n });
        }
        await arrived(handled, 30);
        expect(handled).toEqual([...handled].sort((a, b) => a - b));
      });

      test('a subscriber that throws harms neither itself, nor other groups, nor the publisher', async () => {
        const good: unknown[] = [];
        const tried: unknown[] = [];
        await bus.subscribe(events, group('bad'), async ({ value }) => {
          tried.push(value);
          throw new Error('planted: a subscriber that throws');
        });
        await bus.subscribe(events, group('good'), async ({ value }) => void good.push(value));
        for (let n = 0; n < 3; n++) await bus.publish({ topic: events, key: key('one'), value: n });
        await arrived(good, 3);
        await vi.waitFor(() => expect(new Set(tried).size).toBe(3), { timeout: 10_000 });
      });

      test('a handler gets a copy, as JSON has it, never the sender’s object', async () => {
        const sent = { list: [1, { deep: true }], gone: undefined, when: new Date(0) };
        const got: unknown[] = [];
        await bus.subscribe(events, group('a'), async ({ value }) => {
          got.push(structuredClone(value));
          (value as typeof sent).list.push(99);
        });
        await bus.subscribe(events, group('b'), async ({ value }) => void got.push(structuredClone(value)));
        const publishing = bus.publish({ topic: events, key: key('copy'), value: sent });
        sent.list.length = 0;
        await publishing;
        await arrived(got, 2);
        const copy = { list: [1, { deep: true }], when: '1970-01-01T00:00:00.000Z' };
        expect(got).toEqual([copy, copy]);
        expect(sent.list).toEqual([]);
      });

      test('topic, key and headers arrive', async () => {
        const got: Message[] = [];
        await bus.subscribe(events, group('a'), async (message) => void got.push(message));
        const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
        await bus.publish({ topic: events, key: key('h'), value: 1, headers });
        await arrived(got, 1);
        expect(got[0]).toMatchObject({ topic: events, key: key('h'), value: 1, headers });
      });

      test('a value that JSON cannot carry is a defect of the sender', async () => {
        const cycle: Record<string, unknown> = {};
        cycle['self'] = cycle;
        await expect(bus.publish({ topic: events, key: key('x'), value: cycle })).rejects.toMatchObject({
          kind: 'defect',
          code: 'bus.not-json',
        });
        await expect(bus.publish({ topic: events, key: key('x'), value: 1n })).rejects.toMatchObject({ code: 'bus.not-json' });
      });

      test('a closed subscription hears nothing more, and closing it twice is quiet', async () => {
        const got: unknown[] = [];
        const other: unknown[] = [];
        const subscription = await bus.subscribe(events, group('a'), async ({ value }) => void got.push(value));
        await bus.subscribe(events, group('b'), async ({ value }) => void other.push(value));
        await bus.publish({ topic: events, key: key('k'), value: 'before' });
        await arrived(got, 1);
        await subscription.close();
        await subscription.close();
        await bus.publish({ topic: events, key: key('k'), value: 'after' });
        await arrived(other, 2);
        expect(got).toEqual(['before']);
      });
    });

    describe('request', () => {
      test('brings the one answer back to whoever asked', async () => {
        await answering(({ value }) => ({ double: (value as number) * 2 }));
        expect(await bus.request({ topic: questions, key: key('k'), value: 21 }, 5_000)).toMatchObject({ value: { double: 42 } });
      });

      test('1,000 questions at once get 1,000 answers, each its own', async () => {
        await answering(({ value }) => value);
        const asked = Array.from({ length: 1_000 }, (_, n) => n);
        const answers = await Promise.all(asked.map((n) => bus.request({ topic: questions, key: key(`k${n % 50}`), value: n }, 20_000)));
        expect(answers.map(({ value }) => value)).toEqual(asked);
      });

      test('one who only listens to the topic does not answer for others', async () => {
        const overheard: unknown[] = [];
        await bus.subscribe(questions, group('listeners'), async ({ value }) => void overheard.push(value));
        await answering(() => 'the answer');
        expect((await bus.request({ topic: questions, key: key('k'), value: '?' }, 5_000)).value).toBe('the answer');
        await arrived(overheard, 1);
      });

      test('headers reach whoever answers, and the answer’s headers come back', async () => {
        await bus.subscribe(questions, group('answerers'), async (message) => ({
          ...message,
          headers: { echo: message.headers?.['ask'] ?? 'none' },
        }));
        const answer = await bus.request({ topic: questions, key: key('k'), value: 1, headers: { ask: 'who' } }, 5_000);
        expect(answer.headers).toMatchObject({ echo: 'who' });
      });

      test('nobody there, or nobody answering, is a fault after the deadline and not before', async () => {
        const asked = performance.now();
        await expect(bus.request({ topic: quiet, key: key('k'), value: 1 }, 200)).rejects.toMatchObject({
          kind: 'fault',
          code: 'bus.no-answer',
          details: { topic: quiet, deadlineMs: 200 },
        });
        expect(performance.now() - asked).toBeGreaterThanOrEqual(195);
        const stuck = await bus.subscribe(quiet, group('stuck'), () => new Promise(() => undefined));
        await expect(bus.request({ topic: quiet, key: key('k2'), value: 1 }, 100)).rejects.toMatchObject({ code: 'bus.no-answer' });
        void stuck;
      });

      test('a refusal crosses as a refusal, with code, words and details', async () => {
        await answering(() => {
          throw new Refusal('conference.locked', 'The meeting is locked.', { room: '9', tries: [1, 2] });
        });
        const asking = bus.request({ topic: questions, key: key('k'), value: 1 }, 5_000);
        await expect(asking).rejects.toBeInstanceOf(Refusal);
        await expect(asking).rejects.toMatchObject({
          code: 'conference.locked',
          message: 'The meeting is locked.',
          details: { room: '9', tries: [1, 2] },
        });
      });

      test('a fault crosses as a fault, and says whether trying again may help', async () => {
        class LastingFault extends Fault {
          override readonly retryable = false;
        }
        for (const fault of [
          new Fault('store.full', 'The disk is full.', { file: 'x' }),
          new LastingFault('store.corrupt', 'Damaged.', { file: 'x' }),
        ]) {
          const subscription = await answering(() => {
            throw fault;
          });
          const asking = bus.request({ topic: questions, key: key('k'), value: 1 }, 5_000);
          await expect(asking).rejects.toBeInstanceOf(Fault);
          await expect(asking).rejects.toMatchObject({ code: fault.code, retryable: fault.retryable, details: { file: 'x' } });
          await subscription.close();
        }
      });

      test('what broke inside the answering service is a fault, and its insides stay there', async () => {
        for (const broken of [new Error('secret path /etc/shadow'), new Defect('x.y', 'secret path /etc/shadow')]) {
          const subscription = await answering(() => {
            throw broken;
          });
          const asking = bus.request({ topic: questions, key: key('k'), value: 1 }, 5_000);
          await expect(asking).rejects.toMatchObject({ kind: 'fault', code: 'bus.handler-failed' });
          await expect(asking).rejects.not.toThrow(/secret/);
          await subscription.close();
        }
      });

      test('after a failed question the next of the same key is answered', async () => {
        let first = true;
        await answering(() => {
          if (!first) return 'fine';
          first = false;
          throw new Error('planted: fails once');
        });
        await expect(bus.request({ topic: questions, key: key('k'), value: 1 }, 5_000)).rejects.toThrow();
        expect((await bus.request({ topic: questions, key: key('k'), value: 2 }, 5_000)).value).toBe('fine');
      });
    });

    describe('close', () => {
      test('twice is quiet, and afterwards every call says that the bus is closed', async () => {
        await bus.close();
        await bus.close();
        const closed = { kind: 'fault', code: 'bus.closed' };
        await expect(bus.publish({ topic: events, key: 'k', value: 1 })).rejects.toMatchObject(closed);
        await expect(bus.request({ topic: events, key: 'k', value: 1 }, 100)).rejects.toMatchObject(closed);
        await expect(bus.subscribe(events, group('a'), async () => undefined)).rejects.toMatchObject(closed);
      });

      test('whoever still waits for an answer is told', async () => {
        const asking = bus.request({ topic: quiet, key: key('k'), value: 1 }, 60_000);
        const told = expect(asking).rejects.toMatchObject({ code: 'bus.closed' });
        await bus.close();
        await told;
      });
    });
  });
};
