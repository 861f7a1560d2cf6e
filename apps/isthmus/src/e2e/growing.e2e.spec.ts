import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attendee, startBrowser } from '../testing/attendee.js';
import { GUEST_PIN, ROOM, SplitStory } from '../testing/split-story.js';
import { WorldOfSites } from '../testing/world-of-sites.js';

/** S6, S8: a deployment grows while people meet: each machine joins by one command, and nobody who is there notices. */
let world: WorldOfSites;
let story: SplitStory;
let usedOnce: string;
let browser: Browser | undefined;
/** Of each node; one more person than that needs one more node. */
const CAPACITY = 3;

beforeAll(async () => {
  world = await WorldOfSites.start(['nyc', 'lon'], ['cpt', 'rack'], CAPACITY, true);
  story = new SplitStory(world);
  await story.begin(2);
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

const soon = { timeout: 30_000, interval: 500 };

/** What management's telemetry has heard of the nodes. */
const legsAtNyc = async (): Promise<Readonly<Record<string, number>>> => {
  type Nodes = { items: { site: string; node: string; legs: number }[] };
  const { items } = await world.administer<Nodes>([{ do: 'ask', method: 'GET', path: '/v1/nodes' }]);
  return Object.fromEntries(items.filter(({ site }) => site === 'nyc').map(({ node, legs }) => [node, legs]));
};

const command = async (...args: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await world.administrate(...args);
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
};

describe('a running deployment', () => {
  it('takes in a site by one command, and the people who come there', async () => {
    const { address } = world.wire.machine('cpt');
    const typed = await command('site', 'add', 'cpt', '--name', 'Cape Town', '--address', address, '--client-address', '127.0.0.1');
    expect(typed).toMatch(/^npm run join -- \S+\n$/);
    usedOnce = typed;
    const { afterMs } = await world.join('cpt', typed);
    await world.people('cpt');
    await story.join('cpt');
    process.stdout.write(`a site has joined after ${Math.round(afterMs)} ms\n`);
    await story.isOne();
    await story.isEqualEverywhere();
    expect(await story.nobodyWasDisconnected()).toEqual([]);
  });

  it('takes in a media node by one command, for people for whom there was no room before', async () => {
    await story.join('nyc');
    await expect(story.tryToJoin('nyc')).rejects.toThrow(/no free capacity/);
    const typed = await command('node', 'add', 'nyc', '--node', 'nyc-2', '--address', world.wire.machine('rack').address);
    const began = performance.now();
    await world.join('rack', typed);
    await story.join('nyc');
    process.stdout.write(`a media node takes calls after ${Math.round(performance.now() - began)} ms\n`);
    await story.join('nyc');
    await story.isOne();
    await expect.poll(legsAtNyc, soon).toEqual({ 'nyc-1': 3, 'nyc-2': 2 });
    expect(await story.nobodyWasDisconnected()).toEqual([]);
  });

  it('empties a media node by one command, its people in their seats on another, and turns it away from then on', async () => {
    for (const name of story.at('nyc').slice(0, 2)) await story.leave(name);
    const { status, stderr } = await world.administrate('node', 'remove', 'nyc-2', '--within', '60');
    expect(`${status}: ${stderr}`).toMatch(/^0: .*nyc-2 is drained: nobody is on it.*no part of its site any more/s);
    await expect.poll(legsAtNyc, soon).toEqual({ 'nyc-1': 3 });
    await story.isOne();
    // To attach again is what moving is; to ask for a seat again is not.
    expect((await story.nobodyWasDisconnected()).filter((what) => !what.includes('bot.reattaching'))).toEqual([]);
    const logOfNode = () => readFileSync(join(world.state, 'rack', 'nyc-2', 'nyc-2.log'), 'utf8');
    await expect.poll(logOfNode, soon).toContain('an administrator removed this media node');
  });

  it('ends a site by one command, whose people are taken to the others by themselves, in a browser, too', async () => {
    await story.leave(story.at('nyc')[0]!);
    browser = await startBrowser(undefined, world.browserAt('cpt'));
    const ana = await Attendee.at(browser, `${world.site('cpt').gatewayUrl}/r/${ROOM}`, { viewport: { width: 640, height: 400 } });
    await ana.knock('Ana');
    await ana.pin(GUEST_PIN);
    await ana.part('meeting').waitFor();
    story.add('cpt', 'Ana');
    await story.isOne();
    const lostBefore = await story.nobodyWasDisconnected();
    const isTold = ana
      .part('toasts')
      .getByText(/^You are now connected through (NYC|LON)\.$/)
      .waitFor({ timeout: 60_000 });
    const darkMs = await story.darkWhile(async () => {
      const { status, stderr } = await world.administrate('site', 'remove', 'cpt', '--within', '60');
      expect(`${status}: ${stderr}`).toMatch(/^0: .*cpt is drained: nobody is in a meeting there.*no part of the deployment/s);
      await isTold;
      await story.isOne();
    });
    process.stdout.write(`a site has ended; nobody was without the right pictures for more than ${darkMs} ms\n`);
    // A moment is promised, on a machine that has nothing else to do.
    expect(darkMs).toBeLessThan(15_000);
    expect(await story.nobodyWasDisconnected()).toEqual(lostBefore);
    const frames = async () => new Map((await ana.sees()).map((tile) => [`${tile.name} ${tile.leg}`, tile.frames]));
    const moving = async () => {
      const before = await frames();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const tiles = [...(await frames())].filter(([tile, count]) => count > (before.get(tile) ?? Infinity));
      return tiles.map(([tile]) => tile.split(' ')[0]).toSorted();
    };
    await expect.poll(moving, soon).toEqual(story.all.filter((name) => name !== 'Ana').toSorted());
  });

  it('takes a token once, whole, and from its own management only', async () => {
    const typed = await command('site', 'add', 'spare', '--address', '10.203.0.99', '--client-address', '127.0.0.1');
    const [payload = '', signature = ''] = typed.trim().split(' ').at(-1)!.split('.');
    const ticket = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const changed = (change: object) => `${Buffer.from(JSON.stringify({ ...ticket, ...change })).toString('base64url')}.${signature}`;
    let folders = 0;
    const refused = async (text: string) => {
      const { status, stderr } = await world.isthmus('rack', ['join', text, '--state', `${world.state}/rack-${(folders += 1)}`]);
      return `${status}: ${stderr}`;
    };
    expect(await refused(changed({ linkUrl: 'wss://10.203.0.66:7101' }))).toMatch(/1: .*has not signed/s);
    expect(await refused(payload)).toMatch(/1: .*not the whole of it/s);
    expect(await refused(changed({ authority: '0'.repeat(64) }))).toMatch(/1: .*another authority/s);
    expect(await refused(usedOnce.trim().split(' ').at(-1)!)).toMatch(/1: .*is not good/s);
    await command('site', 'remove', 'spare', '--now');
  });
});
