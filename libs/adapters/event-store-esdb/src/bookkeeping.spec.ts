import { expect, it } from 'vitest';
import { Bookkeeping } from './bookkeeping.js';
import type { Connection } from './connection.js';

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
