import { describe, expect, it } from 'vitest';
import type { Bus, Message } from '@isthmus/ports';
import { Colleagues, ownerOf } from './colleagues.js';

/** A bus on which everybody hears everybody at once, unless they are cut off, and a clock that is moved by hand. */
class Room {
  nowMs = 0;
  private readonly listeners = new Map<number, (message: Message) => Promise<unknown>>();
  private readonly ticking: (() => void)[] = [];
  readonly cutOff = new Set<number>();
  readonly asleep = new Set<number>();

  async enter(brain: number) {
    const said = { changed: 0, ousted: 0 };
    const bus = {
      publish: async (message: Message) => {
        if (!this.cutOff.has(brain)) for (const [other, hear] of this.listeners) if (!this.cutOff.has(other)) await hear(message);
      },
      subscribe: async (_topic: string, _options: unknown, handle: (message: Message) => Promise<void>) => {
        this.listeners.set(brain, handle);
        return { close: async () => void this.listeners.delete(brain) };
      },
    } as unknown as Bus;
    const colleagues = new Colleagues(
      {
        ...{ brain, bus, clock: { now: () => 0, monotonic: () => this.nowMs } },
        timers: {
          after: () => () => undefined,
          every: (_ms, work) => {
            this.ticking.push(() => this.asleep.has(brain) || work());
            return () => undefined;
          },
        },
      },
      {
        changed: () => void (said.changed += 1),
        ousted: () => void (said.ousted += 1),
        said: () => undefined,
        notBefore: () => undefined,
      },
    );
    await colleagues.start();
    return { colleagues, said };
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      this.nowMs += 500;
      for (const tick of this.ticking) tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const ROOMS = Array.from({ length: 300 }, (_, n) => `room${n}`);

describe('which brain of a site a room belongs to', () => {
  it('is the same for all who ask, and all have about as many', () => {
    const counts = [3, 8, 11].map((brain) => ROOMS.filter((room) => ownerOf(room, [8, 3, 11]) === brain).length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(300);
    expect(Math.min(...counts)).toBeGreaterThan(70);
    expect(ownerOf('r', [])).toBeUndefined();
  });

  it('stays when another one goes or comes, but for what that one had', () => {
    for (const room of ROOMS) {
      const before = ownerOf(room, [3, 8, 11]);
      if (before !== 8) expect(ownerOf(room, [3, 11])).toBe(before);
    }
  });
});

describe('which brains are there', () => {
  it('is known after listening for a while, and one that falls silent is given up soon', async () => {
    const room = new Room();
    const [one, two] = [await room.enter(1), await room.enter(2)];
    expect(one.colleagues.isMine('r')).toBe(false);
    await room.pass(3_000);
    expect([one, two].map(({ colleagues }) => [...colleagues.there])).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect([one, two].map(({ colleagues }) => colleagues.isEnvoy)).toEqual([true, false]);
    room.asleep.add(1);
    await room.pass(2_500);
    expect(two.colleagues.there).toEqual([1, 2]);
    // What it had may soon be the other's.
    expect(ROOMS.filter((name) => two.colleagues.isLate(name))).toEqual(ROOMS.filter((name) => ownerOf(name, [1, 2]) === 1));
    await room.pass(1_500);
    expect(two.colleagues.there).toEqual([2]);
    expect(two.colleagues.isEnvoy).toBe(true);
    // It comes back, and is told that it has to be another.
    room.asleep.delete(1);
    await room.pass(1_000);
    expect(one.said.ousted).toBeGreaterThan(0);
    expect(two.colleagues.there).toEqual([2]);
  });

  it('is nothing that a deaf one can tell: while nobody is heard, itself included, nobody is given up', async () => {
    const room = new Room();
    const [one, two] = [await room.enter(1), await room.enter(2)];
    await room.pass(3_000);
    for (const brain of [1, 2]) room.cutOff.add(brain);
    await room.pass(20_000);
    expect(one.colleagues.there).toEqual([1, 2]);
    room.cutOff.clear();
    await room.pass(2_000);
    expect([one, two].map(({ colleagues }) => colleagues.there)).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect([one.said.ousted, two.said.ousted]).toEqual([0, 0]);
  });

  it('is one less at once when somebody says goodbye', async () => {
    const room = new Room();
    const [one, two] = [await room.enter(1), await room.enter(2)];
    await room.pass(3_000);
    await one.colleagues.close();
    expect(two.colleagues.there).toEqual([2]);
  });
});
