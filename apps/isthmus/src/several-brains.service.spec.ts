import { afterEach, describe, expect, it } from 'vitest';
import { siteOf, writerOf } from '@isthmus/kernel';
import { NYC, settled, SeveralBrains } from './testing/several-brains.js';

/** Issue 5: brains of one site in processes of their own, over one EventStoreDB, killed and frozen while people come in. */
const ROOMS = Array.from({ length: 8 }, (_, n) => `room${n}`);

let world: SeveralBrains;
afterEach(() => world.close());

/** People come into all rooms, one after another in each, until told to stop. */
class Comers {
  /** By leg, as it was acknowledged. */
  readonly acknowledged = new Map<string, string>();
  readonly refused: unknown[] = [];
  private readonly working: Promise<void>[];
  private over = false;

  constructor(rooms: readonly string[]) {
    this.working = rooms.map((room) => this.come(room));
  }

  count(room: string): number {
    return [...this.acknowledged.values()].filter((each) => each === room).length;
  }

  /** So many more have come into each room than now. */
  async more(count: number): Promise<void> {
    const before = ROOMS.map((room) => this.count(room));
    await expect.poll(() => ROOMS.filter((room, n) => this.count(room) < before[n]! + count), settled).toEqual([]);
  }

  async stop(): Promise<void> {
    this.over = true;
    await Promise.all(this.working);
  }

  private async come(room: string): Promise<void> {
    for (let n = 0; !this.over; n++) {
      await world.enter(room, `${room}-${n}`).then(
        (leg) => this.acknowledged.set(leg, room),
        (error: unknown) => this.refused.push(error),
      );
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  }
}

/** Of New York's brains. */
const slowly = { ...settled, interval: 500 };
const writersOf = async () =>
  new Set((await world.recorded()).map(({ stream }) => writerOf(stream)).filter((writer) => siteOf(writer) === NYC));

describe('several brains of one site', () => {
  it('share its rooms; what one of them had, killed or frozen, is soon decided by the others, and nothing is lost or done twice', async () => {
    world = await SeveralBrains.start(ROOMS);
    await Promise.all(['one', 'two', 'three'].map((name) => world.add(name)));
    const comers = new Comers(ROOMS);
    await comers.more(1);
    // A brain that a busy machine kept from saying that it is there has begun anew, as another one.
    expect((await writersOf()).size).toBeGreaterThan(1);
    await expect.poll(() => world.inReachOf('lon', 'room0').length, settled).toBeGreaterThan(0);

    await world.kill('one');
    await comers.more(1);
    await world.enter('room1', 'Hal', 'lon');
    await expect.poll(() => world.inReachOf('nyc', 'room1'), settled).toContain('Hal');

    const frozen = world.brains.get('two')!;
    frozen.kill('SIGSTOP');
    await comers.more(1);
    const before = await writersOf();
    frozen.kill('SIGCONT');
    // It finds that it was given up, and has rooms again under another name.
    await expect.poll(async () => [...(await writersOf())].some((writer) => !before.has(writer)), slowly).toBe(true);
    await comers.more(1);

    await world.kill('three', 'SIGTERM');
    await comers.more(1);
    await comers.stop();
    // On a busy machine it may take too long for one of them, who was promised nothing then.
    expect(comers.refused.filter((error) => (error as { code?: string }).code !== 'bus.no-answer')).toEqual([]);

    const joined = (await world.recorded()).filter(({ type }) => type === 'LegJoined').map(({ body }) => (body as { leg: string }).leg);
    expect(joined.length).toBe(new Set(joined).size);
    expect([...comers.acknowledged.keys()].filter((leg) => !joined.includes(leg))).toEqual([]);
    for (const room of ROOMS) {
      const came = comers.count(room) + (room === 'room1' ? 1 : 0);
      for (const site of ['nyc', 'lon'] as const)
        await expect.poll(() => world.inReachOf(site, room).length, settled).toBeGreaterThanOrEqual(came);
    }
  }, 180_000);
});
