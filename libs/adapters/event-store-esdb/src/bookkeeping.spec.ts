import { afterEach, expect, it, vi } from 'vitest';
import { Bookkeeping } from './bookkeeping.js';
import type { Connection } from './connection.js';

afterEach(() => vi.useRealTimers());

it('reads the names of streams once more for all who ask meanwhile, not once for each', async () => {
  const log = ['conference-a@nyc.1', 'conference-b@nyc.1'];
  let readings = 0;
  const readAll = ({ fromPosition }: { readonly fromPosition: unknown }) => {
    readings += 1;
    const from = typeof fromPosition === 'number' ? fromPosition + 1 : 0;
    const events = log.slice(from).map((streamId, at) => ({ event: { streamId, position: from + at } }));
    return Object.assign(
      (async function* () {
        await new Promise((resolve) => setImmediate(resolve));
        yield* events;
      })(),
      { on: () => undefined },
    );
  };
  const connection = { call: (work: () => Promise<unknown>) => work(), client: { readAll } } as unknown as Connection;
  const bookkeeping = new Bookkeeping(connection, 'isthmus:');
  const first = bookkeeping.streams('conference', '');
  await new Promise((resolve) => setTimeout(resolve));
  log.push('conference-c@nyc.1');
  const rest = Array.from({ length: 50 }, () => bookkeeping.streams('conference', ''));
  await first;
  expect(new Set((await Promise.all(rest)).map((names) => names.join()))).toEqual(
    new Set(['conference-a@nyc.1,conference-b@nyc.1,conference-c@nyc.1']),
  );
  expect(readings).toBe(2);
  log.push('conference-d@nyc.1');
  expect(await bookkeeping.streams('conference', '')).toHaveLength(4);
});

it('writes how far each follower has come once at a time, however slow the server is, and the last of it in the end', async () => {
  vi.useFakeTimers();
  const [WRITE_MS, FOLLOWERS, SECONDS] = [100, 25, 60];
  const kept = new Map<string, string>();
  const underWay = new Set<string>();
  let [writes, atOnce] = [0, 0];
  const appendToStream = async (stream: string, { data }: { readonly data: { readonly position: string } }) => {
    writes += 1;
    if (underWay.has(stream)) atOnce += 1;
    underWay.add(stream);
    await new Promise((resolve) => setTimeout(resolve, WRITE_MS));
    underWay.delete(stream);
    kept.set(stream, data.position);
  };
  const client = { appendToStream, setStreamMetadata: async () => undefined };
  const connection = { call: (work: () => Promise<unknown>) => work(), closed: { aborted: false }, client } as unknown as Connection;
  const bookkeeping = new Bookkeeping(connection, 'isthmus:');
  for (let second = 1; second <= SECONDS; second += 1) {
    for (let at = 0; at < FOLLOWERS; at += 1) bookkeeping.setBookmark(`of ${at}`, String(second));
    await vi.advanceTimersByTimeAsync(1_000);
  }
  await vi.advanceTimersByTimeAsync(10_000);
  expect([...kept.values()]).toEqual(Array.from({ length: FOLLOWERS }, () => String(SECONDS)));
  expect(atOnce).toBe(0);
  expect(writes).toBeLessThanOrEqual(SECONDS * FOLLOWERS);
  expect(vi.getTimerCount()).toBe(0);
});
