import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Fact, StreamName } from '@isthmus/kernel';
import type { EventStore, Position } from '@isthmus/ports';
import { chain, collect, streamOf } from '@isthmus/contract';
import { journaledEventStore } from './journaled-event-store.js';
import { sqliteEventStore } from './sqlite-event-store.js';
import { newFolder } from './testing/contract-files.js';
import { Elsewhere, type Whereabouts } from './testing/elsewhere.js';

const OURS = ['a', 'b', 'c'].map((subject) => streamOf(subject));
const THEIRS = ['a', 'b'].map((subject) => streamOf(subject, 'lon', 4));

type Step =
  | { readonly does: 'record'; readonly at: number; readonly count: number }
  | { readonly does: 'adopt'; readonly at: number; readonly count: number }
  | { readonly does: 'go'; readonly to: Whereabouts }
  | { readonly does: 'break' }
  | { readonly does: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('record' as const), at: fc.nat(2), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('adopt' as const), at: fc.nat(1), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('go' as const),
      to: fc.constantFrom<Whereabouts>('there', 'there', 'away', 'mute', 'deaf', 'torn'),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ does: 'break' as const }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }) },
);

/** A peer that follows: what it has counts, and its place, only when it has taken both; a link that breaks loses what is on its way. */
class Peer {
  readonly has = new Set<string>();
  private place: Position | undefined;
  private link = new AbortController();
  private following: Promise<void> = Promise.resolve();

  constructor(private readonly store: EventStore) {}

  /** On a new link, from where it was. */
  begin(): void {
    this.link.abort();
    const link = (this.link = new AbortController());
    this.following = this.following.then(() => this.follow(link.signal));
  }

  async end(): Promise<void> {
    this.link.abort();
    await this.following;
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for await (const { fact, position } of this.store.follow('conference', this.place, signal)) {
      await sleep(1);
      if (signal.aborted) return;
      this.has.add(fact.hash);
      this.place = position;
    }
  }
}

describe('whatever becomes of the store, and whenever', () => {
  test('what is acknowledged is there in the end, once and in order, and each peer has it', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const folder = await newFolder('journal');
        const elsewhere = new Elsewhere(await sqliteEventStore({ file: ':memory:' }));
        const store = await journaledEventStore({
          ...{ store: elsewhere.store, folder: join(folder, 'journal'), patienceMs: 10, lookEveryMs: 5 },
        });
        const peer = new Peer(store);
        const last = new Map<StreamName, Fact>();
        const acknowledged: Fact[] = [];
        const turns = new Map<StreamName, Promise<void>>();
        const next = (stream: StreamName, count: number, write: (facts: readonly Fact[], before: number) => Promise<unknown>) => {
          const before = last.get(stream);
          const facts = chain(stream, count, before);
          last.set(stream, facts.at(-1)!);
          const turn = (turns.get(stream) ?? Promise.resolve()).then(async () => {
            await write(facts, before?.seq ?? -1);
            acknowledged.push(...facts);
          });
          turns.set(stream, turn);
        };
        try {
          peer.begin();
          for (const each of steps) {
            if (each.does === 'go') elsewhere.state = each.to;
            else if (each.does === 'break') peer.begin();
            else if (each.does === 'wait') await sleep(each.ms);
            else if (each.does === 'adopt') next(THEIRS[each.at]!, each.count, (facts) => store.adopt(facts));
            else next(OURS[each.at]!, each.count, (facts, before) => store.append(facts[0]!.stream, before, facts));
          }
          elsewhere.state = 'there';
          await Promise.all(turns.values());
          const soon = { timeout: 20_000, interval: 5 };
          await vi.waitFor(async () => expect(await store.trouble?.()).toBeUndefined(), soon);
          for (const stream of [...OURS, ...THEIRS]) {
            const facts = acknowledged.filter((fact) => fact.stream === stream);
            expect(await collect(elsewhere.real.read(stream))).toEqual(facts);
          }
          await vi.waitFor(() => expect([...peer.has].sort()).toEqual(acknowledged.map(({ hash }) => hash).sort()), soon);
        } finally {
          await peer.end();
          await store.close();
          await elsewhere.real.close();
          await rm(folder, { recursive: true });
        }
      }),
      { numRuns: 12 },
    );
  });
});
