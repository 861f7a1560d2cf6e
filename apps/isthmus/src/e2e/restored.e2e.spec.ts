import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@isthmus/bots';
import { PartsOnLoopback } from '../testing/parts-on-loopback.js';

/** Three sites and management as processes; what is backed up is put back beside the others, who have gone on meanwhile. */
let world: PartsOnLoopback;
const SITES = ['nyc', 'lon', 'cpt'];
const PATIENCE_MS = 60_000;

beforeAll(async () => {
  world = await PartsOnLoopback.start(36_000, SITES.length);
  for (const alias of ['board', 'team']) await world.portal.ask('POST', '/v1/rooms', { name: alias, aliases: [alias] });
});
afterAll(() => world?.close());

const digestOf = async (site: string): Promise<string> => {
  const rooms = (await world.digests(site)).filter(({ occasions }) => occasions.length > 0);
  return JSON.stringify(rooms.toSorted((a, b) => a.room.localeCompare(b.room)));
};
/** Everywhere the same facts and the same states, byte for byte, of so many rooms with people in them. */
const areEqual = (rooms: number) =>
  eventually(async () => {
    const [first = '', ...others] = await Promise.all(SITES.map(digestOf));
    const unequal = others.flatMap((other, at) => (other === first ? [] : [`${SITES[at + 1]} has ${other}, nyc has ${first}`]));
    return (JSON.parse(first) as unknown[]).length === rooms ? unequal : [`nyc has ${first}, not ${rooms} rooms`];
  }, PATIENCE_MS);

describe('a site restored from a backup', () => {
  it('rejoins the others without a fork, and takes back what it had written since', async () => {
    for (const [site, name] of [
      ['nyc', 'Ana'],
      ['lon', 'Bo'],
      ['cpt', 'Cy'],
    ] as const)
      await world.join(site, 'board', name);
    const backup = `${world.state}/backup-of-cpt`;
    await world.does('backup', '--state', world.stateOf('cpt'), '--to', backup);
    const di = await world.join('cpt', 'board', 'Di');
    await world.join('nyc', 'team', 'Ed');
    await areEqual(2);
    const flo = await world.join('cpt', 'team', 'Flo');
    await areEqual(2);
    await world.part('cpt').stop('SIGKILL');
    await world.does('restore', backup, '--state', world.stateOf('cpt'), '--replace');
    await world.part('cpt').start();
    await areEqual(2);
    // The seats are those that they had: what says so is known only from the others.
    expect((await world.join('cpt', 'board', 'Di', di.resume)).leg).toBe(di.leg);
    expect((await world.join('cpt', 'team', 'Flo', flo.resume)).leg).toBe(flo.leg);
    await world.join('cpt', 'board', 'Gil');
    await world.join('lon', 'team', 'Hal');
    await areEqual(2);
    expect(world.part('cpt').log).toContain('history_lost');
    for (const site of SITES) expect(world.part(site).log).not.toContain('stream_forked');
  });
});
