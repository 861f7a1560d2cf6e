import { afterEach, describe, expect, it } from 'vitest';
import { settled, SeveralBrains } from './testing/several-brains.js';

/** Issue 5: EventStoreDB is killed under a site whose brain is a process of its own, with the real client and a real disk. */
const ROOMS = ['board', 'canteen', 'attic', 'cellar'];

let world: SeveralBrains;
afterEach(() => world.close());

const comesIn = (room: string, name: string) => expect.poll(() => world.enter(room, name), settled).toMatch(/^nyc-/);
const londonSees = (room: string, name: string) => expect.poll(() => world.inReachOf('lon', room), settled).toContain(name);
const joined = async () => {
  const facts = (await world.recorded()).filter(({ type }) => type === 'LegJoined');
  return [...new Set(facts.map(({ body }) => (body as { name: string }).name))].sort();
};

describe('a site whose store is away', () => {
  it('goes on from its journal: people come into meetings and into empty rooms, other sites hear of it, and the store has it all after', async () => {
    world = await SeveralBrains.start(ROOMS);
    await world.add('one');
    await expect.poll(() => [...world.claimed].sort(), settled).toEqual([...ROOMS].sort());
    await comesIn('board', 'Ana');
    await londonSees('board', 'Ana');

    await world.esdb.kill();
    await comesIn('board', 'Bo');
    await comesIn('canteen', 'Cy');
    await londonSees('board', 'Bo');
    await londonSees('canteen', 'Cy');
    await world.esdb.restart();
    await expect.poll(joined, settled).toEqual(['Ana', 'Bo', 'Cy']);
    await comesIn('board', 'Di');

    // Killed while it is away, the brain leaves its journal; another one goes on without it, and knows all of it again when it comes.
    await world.esdb.kill();
    await comesIn('attic', 'Ed');
    await londonSees('attic', 'Ed');
    await world.kill('one');
    await world.esdb.restart();
    await world.add('two');
    await comesIn('cellar', 'Flo');
    await world.add('one');
    await expect.poll(joined, settled).toEqual(['Ana', 'Bo', 'Cy', 'Di', 'Ed', 'Flo']);
    await londonSees('cellar', 'Flo');

    const places = (await world.recorded()).map(({ stream, seq }) => `${stream} ${seq}`);
    expect(places.length).toBe(new Set(places).size);
  }, 180_000);
});
