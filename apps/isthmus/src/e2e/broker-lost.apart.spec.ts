import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, missingFromRosters, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { tellBroker } from '../testing/brokers-under-test.js';
import { digestsAt } from '../testing/digests.js';
import { PortalClient } from '../testing/portal-client.js';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/**
 * Issue 5: the broker of a site is killed and stays away. Its meetings go on, and new callers get in all the same, into a meeting and
 * into an empty room, by the door of the brain (ADR 0080); when the broker is back, everything is as if it had never been away.
 */
const LONG_MS = 60_000;
const NYC = 0;
const MEETING = 'demo';
const EMPTY = 'attic';

let demo: DemoUnderTest;
const rooms: Record<string, Bot[]> = { [MEETING]: [], [EMPTY]: [] };
/** What a bot lost and had to come back for, if anything. */
const lost: string[] = [];
let persona = 0;

const join = async (site: string, alias: string): Promise<Bot> => {
  const name = `${site}-${persona}`;
  const bot = await startBot({
    ...{ gatewayUrl: demo.gateway(site), alias, name, persona: personaOf(persona++), hdKbps: 300, receive: 'count' },
    onEnded: (why) => lost.push(`${name}: ${why}`),
    onNotice: (code, message) => void (code.startsWith('bot.') && lost.push(`${name}: ${code}: ${message}`)),
  });
  rooms[alias]!.push(bot);
  return bot;
};
const leave = async (bot: Bot): Promise<void> => {
  for (const there of Object.values(rooms)) if (there.includes(bot)) there.splice(there.indexOf(bot), 1);
  await bot.leave();
};
/** Everybody of a room knows of everybody else there, once and of nobody else, and sees what they should. */
const missing = () =>
  Object.values(rooms).flatMap((bots) => [
    ...missingFromRosters(bots),
    ...missingNow(bots),
    ...bots.filter(({ view }) => view.roster.length > bots.length).map(({ name }) => `${name} knows of somebody who is not there`),
  ]);
const speaks = async (bot: Bot) => {
  bot.speak(20_000);
  const others = rooms[MEETING]!;
  await eventually(
    () => others.filter(({ view }) => view.floor !== bot.leg).map(({ name }) => `${name} has not heard ${bot.name} speak`),
    LONG_MS,
  );
  bot.quiet();
};
/** What is not as it should be at the services of New York that say how they are. */
const health = async (of: (said: { status: string; dependencies: Readonly<Record<string, string>> }) => string | undefined) => {
  const { host, ports } = demo.plan.sites[NYC]!;
  const asked = [ports.meet, ports.brainHealth, ports.nodes[0]!.client, ports.telemetry].map(async (port) => {
    const answer = await fetch(`http://${host}:${port}/healthz/ready`);
    const wrong = answer.ok ? of((await answer.json()) as Parameters<typeof of>[0]) : `status ${answer.status}: ${await answer.text()}`;
    return wrong === undefined ? [] : [`at port ${port}: ${wrong}`];
  });
  return (await Promise.all(asked)).flat();
};

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 27_000, sites: 2 });
  const portal = new PortalClient(demo.plan.management.portalUrl);
  await portal.firstSignIn(demo.administrator.name, demo.administrator.password, 'a longer pass phrase 7');
  await portal.ask('POST', '/v1/rooms', { name: EMPTY, aliases: [EMPTY] });
  await join('nyc', MEETING);
  await join('lon', MEETING);
  await eventually(missing, LONG_MS);
}, 240_000);
afterAll(async () => {
  await Promise.all(Object.values(rooms).flatMap((bots) => bots.map((bot) => bot.leave())));
  await demo?.close();
});

describe('a site whose broker is killed', () => {
  it('goes on without it, lets new callers in, and catches up when it is back', async () => {
    await tellBroker('kill', NYC);
    const newcomer = await join('nyc', MEETING);
    await join('nyc', EMPTY);
    await join('lon', EMPTY);
    await eventually(missing, LONG_MS);
    await speaks(newcomer);
    await eventually(
      () =>
        health(({ status, dependencies: { bus = '' } }) =>
          status === 'degraded' && /^Kafka away for \d+ s; asking directly/.test(bus) ? undefined : bus,
        ),
      LONG_MS,
    );
    await leave(newcomer);
    await eventually(missing, LONG_MS);

    await tellBroker('start', NYC);
    await eventually(() => health(({ status, dependencies }) => (status === 'ok' ? undefined : JSON.stringify(dependencies))), LONG_MS);
    await speaks(await join('nyc', MEETING));
    await eventually(missing, LONG_MS);
    await eventually(async () => {
      const [here, there] = (await Promise.all(demo.plan.sites.map(digestsAt))).map((digests) => JSON.stringify(digests));
      return here === there ? [] : ['the sites do not have the same facts yet'];
    }, LONG_MS);
    expect(lost).toEqual([]);
  }, 240_000);

  it('says what to do if it has stopped because its disk is full, goes on, and is as before when it is started with space', async () => {
    await tellBroker('fill', NYC);
    const newcomer = await join('nyc', MEETING);
    await eventually(missing, LONG_MS);
    await eventually(
      () =>
        health(({ status, dependencies: { bus = '' } }) =>
          status === 'degraded' && /finds its disk full stops.*Make room where its log\.dirs are, then start it again/.test(bus)
            ? undefined
            : `${status}: ${bus}`,
        ),
      LONG_MS,
    );
    await tellBroker('start', NYC);
    await eventually(() => health(({ status, dependencies }) => (status === 'ok' ? undefined : JSON.stringify(dependencies))), LONG_MS);
    await speaks(newcomer);
    expect(lost).toEqual([]);
  }, 240_000);
});
