import { Fault, type Fact, type SiteId, type StreamName } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';
import { chain, streamOf } from '@isthmus/contract';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Comparison } from './comparison.js';
import { Heads } from './heads.js';

describe('what a peer holds of this site', () => {
  const [nyc, lon] = ['nyc', 'lon'] as SiteId[] as [SiteId, SiteId];
  const stream = streamOf('r0_1');
  const facts = chain(stream, 5);
  let away: boolean;
  let reads: number;
  let told: string[];
  let comparison: Comparison;

  beforeEach(() => {
    [away, reads, told] = [false, 0, []];
    const heads = new Heads();
    heads.keep(facts);
    const read = async function* (name: StreamName, from = 0): AsyncGenerator<Fact> {
      reads += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (away) throw new Fault('store.unavailable', 'planted: it is away');
      yield* facts.filter((fact) => fact.stream === name && fact.seq >= from);
    };
    comparison = new Comparison({
      ...{ site: nyc, store: { read } as unknown as EventStore, heads },
      lost: async (_peer, lastEpoch, streams) => void told.push(`lost ${streams.join()} of ${lastEpoch}`),
      forked: async (_peer, lastEpoch, name) => void told.push(`forked ${name} of ${lastEpoch}`),
      takeBack: (_peer, streams) => told.push(...streams.map(({ stream: name, upTo }) => `back ${name} to ${upTo}`)),
      poisoned: (_peer, what) => told.push(what),
      send: (_peer, message) => told.push(message.type),
    });
  });

  const settled = () => new Promise((resolve) => setTimeout(resolve, 10));
  const says = (...heads: readonly Pick<Fact, 'stream' | 'seq' | 'hash'>[]) =>
    comparison.heard(lon, { type: 'yours', heads: heads.map(({ stream: name, seq, hash }) => ({ stream: name, seq, hash })) });

  it('is nothing new where it is here, also if more is here', async () => {
    says(facts[4]!, facts[2]!);
    await settled();
    expect(told).toEqual([]);
    expect(reads).toBe(1);
  });

  it('is told where this site has lost it, or has another story', async () => {
    const other = chain(stream, 3, facts[0], 'otherwise');
    says(other[1]!, chain(streamOf('r0_2', 'nyc', 3), 1)[0]!);
    await vi.waitFor(() => expect(told).toHaveLength(4));
    expect(told).toEqual([
      `forked ${stream} of 1`,
      'lost conference-r0_2@nyc.3 of 3',
      'back conference-r0_2@nyc.3 to 0',
      `back ${stream} to Infinity`,
    ]);
  });

  it('is not known while the store is away, keeps nobody waiting, and is looked at again until it is, as it was said last', async () => {
    away = true;
    const lost = chain(streamOf('r0_2', 'nyc', 3), 2);
    says(lost[0]!);
    await settled();
    comparison.tick();
    await settled();
    expect([told, reads]).toEqual([[], 2]);
    says(lost[1]!);
    await settled();
    away = false;
    comparison.tick();
    comparison.tick();
    await vi.waitFor(() => expect(told).toEqual(['lost conference-r0_2@nyc.3 of 3', 'back conference-r0_2@nyc.3 to 1']));
    comparison.tick();
    await settled();
    expect([told.length, reads]).toEqual([2, 4]);
  });
});
