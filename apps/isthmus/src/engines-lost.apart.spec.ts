import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { tellBroker } from './testing/brokers-under-test.js';
import { Callers, type Call } from './testing/callers.js';
import { PortalClient } from './testing/portal-client.js';
import { startDemoUnderTest, type DemoUnderTest } from './testing/running-demo.js';
import { StoreUnderTest } from './testing/store-under-test.js';

/**
 * What the services stand on is killed (SIGKILL) and started again while people come and go: the broker of one site and the store
 * of the other, in turn. What was acknowledged stays so, at every site; nothing happens twice; and things are as before soon.
 */
const SITES = ['nyc', 'lon'] as const;
const ROOMS = Array.from({ length: 20 }, (_, at) => `hall-${at}`);
/** How often each engine is killed; the long suite says more. */
const KILLS = Number(process.env['ISTHMUS_TEST_KILLS'] ?? 3);
const JOINS_PER_SECOND = 50;
const STORE_PORT = 29_401;
/** How long an engine is away, beside the time that it takes to start. */
const AWAY_MS = 1_000;
const WINDOW_MS = 1_000;
/** Thirty seconds are promised, on a machine that has nothing else to do; how long it took is said. */
const SOON_MS = 90_000;
/** In the end all that was acknowledged is everywhere; how long that takes is for a machine to say that has nothing else to do. */
const IN_THE_END_MS = 240_000;

/** What services stand on, as it is treated here. */
interface Engine {
  kill(): Promise<void>;
  start(): Promise<void>;
}
const brokerAt = (at: number): Engine => ({ kill: () => tellBroker('kill', at), start: () => tellBroker('start', at) });

let folder: string;
let stores: readonly StoreUnderTest[];
let demo: DemoUnderTest;
let callers: Callers | undefined;
const bots: Bot[] = [];
/** What a bot lost and had to come back for, if anything. */
const lost: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-stores-'));
  stores = SITES.map((_, at) => new StoreUnderTest(folder, STORE_PORT + at));
  await Promise.all(stores.map((store) => store.start()));
  const eventstore = stores.map(({ connectionString }) => connectionString);
  demo = await startDemoUnderTest({ port: 27_500, sites: SITES.length, capacity: 1_000, eventstore });
  const portal = new PortalClient(demo.plan.management.portalUrl);
  await portal.firstSignIn(demo.administrator.name, demo.administrator.password, 'a longer pass phrase 7');
  for (const name of ROOMS) await portal.ask('POST', '/v1/rooms', { name, aliases: [name] });
  for (const [at, site] of SITES.entries()) {
    const name = `${site}-bot`;
    const gone = (what: string) => lost.push(`${name}: ${what}`);
    bots.push(
      await startBot({
        ...{ gatewayUrl: demo.gateway(site), alias: 'demo', name, persona: personaOf(at), hdKbps: 300, receive: 'count' },
        onEnded: gone,
        onNotice: (code, message) => void (code.startsWith('bot.') && gone(`${code}: ${message}`)),
      }),
    );
  }
}, 240_000);
afterAll(async () => {
  callers?.close();
  await Promise.all(bots.map((bot) => bot.leave()));
  await demo?.close();
  await Promise.all((stores ?? []).map((store) => store.kill()));
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Waits until, at these sites, most of those who begin within one second get in: all of them do where the machine has the time.
 * @returns how long that took, ms
 */
const normal = async (callers: Callers, sites: readonly string[] = SITES): Promise<number> => {
  const since = performance.now();
  let from = since;
  await eventually(() => {
    const now = performance.now();
    if (now < from + WINDOW_MS) return ['nobody has begun yet'];
    const some = callers.begunWithin(from, from + WINDOW_MS);
    const missing = sites.flatMap((site) => {
      const here = some.filter((call) => call.site === site);
      const got = here.filter(({ joinedMs }) => joinedMs !== undefined).length;
      const why = here.find(({ failed }) => failed !== undefined)?.failed ?? 'the others wait';
      return got * 2 > here.length ? [] : [`at ${site} only ${got} of ${here.length} got in within a second: ${why}`];
    });
    // Nothing is decided yet about those who wait; once too many have failed, the next second may be the one.
    const decided = some.every(({ site, over, joinedMs }) => !sites.includes(site) || (over ?? joinedMs !== undefined));
    if (missing.length > 0 && decided) from = now - WINDOW_MS;
    return missing;
  }, SOON_MS);
  return performance.now() - since;
};

type Body = Readonly<Partial<Record<'leg' | 'person', string>>>;
const times = (all: readonly (string | undefined)[]): ReadonlyMap<string, number> => {
  const counted = new Map<string, number>();
  for (const one of all) if (one !== undefined) counted.set(one, (counted.get(one) ?? 0) + 1);
  return counted;
};
const several = (what: string, counted: ReadonlyMap<string, number>) =>
  [...counted].filter(([, n]) => n > 1).map(([of, n]) => `${of} ${what} ${n} times`);

/** Sentences, one for each difference between what callers were told and what this site has recorded of them. */
const differences = (site: string, store: StoreUnderTest, calls: readonly Call[]): readonly string[] => {
  const facts = store.facts();
  const persons = new Set(calls.map(({ person }) => person));
  const about = (wanted: string) => facts.filter(({ type }) => type === wanted).map(({ body }) => body as Body);
  const comings = about('LegJoined').filter(({ person = '' }) => persons.has(person));
  const joined = times(comings.map(({ leg }) => leg));
  const left = times(about('LegLeft').map(({ leg }) => leg));
  const seated = calls.flatMap(({ leg, ...call }) => (leg === undefined ? [] : [{ leg, ...call }]));
  return [
    ...seated.filter(({ leg }) => !joined.has(leg)).map(({ leg }) => `${leg} was seated, which is not recorded`),
    ...seated.filter((call) => call.left && !left.has(call.leg)).map(({ leg }) => `${leg} left, which is not recorded`),
    ...[...joined.keys()].filter((leg) => !left.has(leg)).map((leg) => `${leg} came and never left`),
    ...several('joined', joined),
    ...several('left', left),
    ...several('was seated', times(comings.map(({ person }) => person))),
  ].map((what) => `at ${site}: ${what}`);
};

describe('two sites with fifty joins a second between them', () => {
  it(
    `lose nothing and do nothing twice while each of their engines is killed ${KILLS} times`,
    async () => {
      callers?.close();
      callers = new Callers(
        SITES.map((site) => ({ site, url: demo.gateway(site) })),
        ROOMS,
        JOINS_PER_SECOND,
      );
      await normal(callers);
      const { calls } = callers;
      const figures: Record<string, number[]> = { broker: [], store: [] };
      const kill = async (what: string, at: number, engine: Engine) => {
        await engine.kill();
        await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
        await engine.start();
        figures[what]!.push(Math.round(await normal(callers!, [SITES[at]!])));
      };
      for (let n = 0; n < KILLS; n += 1) {
        const [one, other] = [n % SITES.length, (n + 1) % SITES.length] as const;
        await Promise.all([kill('broker', one, brokerAt(one)), kill('store', other, stores[other]!)]);
      }
      await normal(callers);
      callers.stop();
      await eventually(() => calls.filter(({ over }) => !over).map(({ site }) => `a caller is still at ${site}`), SOON_MS);
      const seated = calls.filter(({ leg }) => leg !== undefined).length;
      process.stdout.write(`${JSON.stringify({ ...figures, calls: calls.length, seated })}\n`);
      expect(seated).toBeGreaterThan(0);
      await eventually(() => SITES.flatMap((site, at) => differences(site, stores[at]!, calls)).slice(0, 20), IN_THE_END_MS);
      // Their pictures and voices have nothing to do with brokers and stores.
      await eventually(() => missingNow(bots), SOON_MS);
      expect(lost).toEqual([]);
    },
    Math.max(600_000, KILLS * 120_000),
  );
});
