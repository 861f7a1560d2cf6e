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

describe('management restored from a backup', () => {
  const make = (alias: string) => world.portal.ask('POST', '/v1/rooms', { name: alias, aliases: [alias] });
  /** Sites where an alias leads nowhere: whoever dials it is asked for a PIN that there is not. */
  const unknownAt = async (alias: string): Promise<readonly string[]> => {
    const leads = async (site: string) => {
      const { client, answer } = await world.knock(site, alias, `Guest-of-${site}`);
      client.ws.terminate();
      return answer.type === 'joined' ? [] : [site];
    };
    return (await Promise.all(SITES.map(leads))).flat();
  };

  it('is what sites go by: rooms that it lost are gone, rooms made since are everywhere, and meetings go on', async () => {
    const ivy = await world.join('nyc', 'board', 'Ivy');
    const backup = `${world.state}/backup-of-management`;
    await world.does('backup', '--state', world.stateOf('management'), '--to', backup);
    for (const alias of ['lost', 'mislaid']) await make(alias);
    await eventually(() => unknownAt('mislaid'), PATIENCE_MS);
    await world.part('management').stop('SIGKILL');
    await world.does('restore', backup, '--state', world.stateOf('management'), '--replace');
    await world.part('management').start();
    await world.signIn();
    // As many as were lost, and one more: the count alone does not tell them apart.
    for (const alias of ['fresh', 'new', 'lost']) await make(alias);
    for (const alias of ['fresh', 'new', 'lost']) await eventually(() => unknownAt(alias), PATIENCE_MS);
    expect(await unknownAt('mislaid')).toEqual(SITES);
    await eventually(async () => {
      const { items } = await world.portal.ask<{ items: { id: string; upToDate: boolean }[] }>('GET', '/v1/sites');
      return items.flatMap(({ id, upToDate }) => (upToDate ? [] : [`${id} goes by another configuration`]));
    }, PATIENCE_MS);
    expect(ivy.client.ws.readyState).toBe(ivy.client.ws.OPEN);
  });
});
