import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, missingNow, personaOf, startBot, type Bot } from '@isthmus/bots';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';

/** Issue 4, "Less than a site", and G9: real media nodes in processes of their own, of which some are killed with people on them. */
let demo: DemoUnderTest;
const bots: Bot[] = [];
/** Whatever looked like a redial, a new seat, or the end of one. */
const disturbed: string[] = [];
const CROWD = 20;
const LONG_MS = 60_000;

const join = async (site: string): Promise<Bot> => {
  const n = bots.length;
  const name = `${site}-${n}`;
  const bot = await startBot({
    gatewayUrl: demo.gateway(site),
    alias: 'demo',
    name,
    persona: personaOf(n % 8),
    hdKbps: 200,
    receive: 'count',
    onNotice: (code, message) => code !== 'bot.reattaching' && disturbed.push(`${name}: ${code} ${message}`),
    onEnded: (reason) => disturbed.push(`${name}: ended, ${reason}`),
  });
  bots.push(bot);
  return bot;
};

/** What must be as before for everybody: who they are, the roster with who is muted, the lock, the stage. */
const standing = () =>
  bots.map(({ leg, view: { roster, locked, stage, floor } }) => ({
    leg,
    locked,
    stage,
    floor,
    roster: roster.map(({ leg: other, name, role, muted, cameraOff, inReach }) => ({ other, name, role, muted, cameraOff, inReach })),
  }));
const legsOn = async (node: string): Promise<number> => {
  const site = demo.plan.sites.find(({ id }) => node.startsWith(`${id}-`))!;
  const metrics = await (await fetch(`http://${site.host}:${site.ports.telemetry}/metrics`)).text();
  const line = metrics.split('\n').find((each) => each.startsWith('isthmus_node_legs{') && each.includes(`node="${node}"`));
  return Number(line?.split(' ').at(-1) ?? NaN);
};
const nodeHas = (node: string, legs: number) =>
  eventually(async () => {
    const has = await legsOn(node);
    return has === legs ? [] : [`${node} has ${has} participants, not ${legs}`];
  }, LONG_MS);

beforeAll(async () => {
  demo = await startDemoUnderTest({ port: 24_000, sites: 2, nodesPerSite: 2, capacity: 30, nodeProcesses: true });
}, 180_000);
afterAll(async () => {
  await Promise.all(bots.map((bot) => bot.leave()));
  await demo?.close();
});

describe('a media node that is killed', () => {
  it(`has its ${CROWD} people on another node of the site, with the same seats, nobody having redialled`, async () => {
    for (let n = 0; n < CROWD; n += 1) await join('nyc');
    await join('lon');
    await bots[3]!.mute();
    await bots[0]!.act({ type: 'mute', leg: bots[4]!.leg });
    await bots[0]!.act({ type: 'lock' });
    bots[7]!.speak(2_500);
    await eventually(
      () =>
        bots.flatMap(({ name, view }) => (view.floor === bots[7]!.leg && view.locked ? [] : [`${name} knows no lock, or not who speaks`])),
      LONG_MS,
    );
    await eventually(() => missingNow(bots), LONG_MS);
    await nodeHas('nyc-1', CROWD);
    const before = standing();

    process.kill(demo.pidOf('media-node nyc-1'), 'SIGKILL');
    await nodeHas('nyc-2', CROWD);
    await eventually(() => missingNow(bots), LONG_MS);
    expect(standing()).toEqual(before);
    expect(disturbed).toEqual([]);
  }, 300_000);

  it('is started again, and left alone by those who have moved', async () => {
    await nodeHas('nyc-1', 0);
    await nodeHas('nyc-2', CROWD);
  }, 120_000);

  it('or is frozen, has its people moved too; thawed, it lets go of them', async () => {
    const before = standing();
    const frozen = demo.pidOf('media-node nyc-2');
    process.kill(frozen, 'SIGSTOP');
    try {
      await nodeHas('nyc-1', CROWD);
      await eventually(() => missingNow(bots), LONG_MS);
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
    await nodeHas('nyc-2', 0);
    await nodeHas('nyc-1', CROWD);
    await eventually(() => missingNow(bots), LONG_MS);
    expect(standing()).toEqual(before);
    expect(disturbed).toEqual([]);
  }, 300_000);

  it('is waited for where no other has room: its people keep their seats, and are back when it is', async () => {
    const before = standing();
    for (const node of ['lon-1', 'lon-2']) process.kill(demo.pidOf(`media-node ${node}`), 'SIGKILL');
    await eventually(
      () => (missingNow(bots.filter(({ name }) => name.startsWith('lon'))).length > 0 ? [] : ['the media at London go on']),
      LONG_MS,
    );
    await eventually(() => missingNow(bots), LONG_MS);
    expect(standing()).toEqual(before);
    expect(disturbed).toEqual([]);
  }, 300_000);
});

describe('a site whose brain and gateway-router are killed in the middle of a meeting', () => {
  it('comes back from its streams: everybody has the same seat, and roster, mute, lock and stage are as before', async () => {
    const here = bots.filter(({ name }) => name.startsWith('nyc'));
    const before = standing();
    const revisions = here.map(({ view }) => view.revision);
    process.kill(demo.pidOf('site nyc'), 'SIGKILL');
    await eventually(
      () => here.flatMap(({ name, view }, n) => (view.revision > revisions[n]! ? [] : [`${name} is not back at the site`])),
      LONG_MS,
    );
    await nodeHas('nyc-1', CROWD);
    await eventually(() => (JSON.stringify(standing()) === JSON.stringify(before) ? [] : ['not all is as before']), LONG_MS).catch(() =>
      expect(standing()).toEqual(before),
    );
    await eventually(() => missingNow(bots), LONG_MS);
    expect(disturbed.filter((what) => !what.includes('bot.returning'))).toEqual([]);
  }, 300_000);
});
