import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, fillRoom, type FilledRoom } from '@isthmus/bots';
import { connectRelay } from '../relay/relay-client.js';
import { DemoProcess, descendantWith, descendantsOf, isAlive, type DemoProcessOptions } from '../testing/demo-process.js';

/** Not the ports of a demo that somebody may have open beside the tests. */
const PORT = 17_000;
const SITES = [
  ['nyc', 'New York'],
  ['lon', 'London'],
  ['cpt', 'Cape Town'],
] as const;

describe('the demo', () => {
  let state: string;
  let demos: DemoProcess[];
  let rooms: FilledRoom[];
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'isthmus-demo-'));
    demos = [];
    rooms = [];
  });
  afterEach(async () => {
    await Promise.all(rooms.map((room) => room.leave()));
    await Promise.all(demos.map((demo) => demo.clear()));
    rmSync(state, { recursive: true, force: true });
  });

  const launch = (args: readonly string[] = [], options: Partial<DemoProcessOptions> = {}) => {
    const demo = DemoProcess.launch({ state, args: ['--port', String(PORT), ...args], ...options });
    demos.push(demo);
    return demo;
  };
  const start = (...args: Parameters<typeof launch>) => launch(...args).ready();
  const fill = async (demo: DemoProcess, names: readonly string[], authority?: string) => {
    const sites = names.map((name) => ({
      name,
      gatewayUrl: `${new URL('/ws', demo.entry(`Meet in ${name}`)).href.replace(/^http/, 'ws')}`,
    }));
    const room = await fillRoom({ sites, alias: 'demo', perSite: 1, ...(authority === undefined ? {} : { authority }) });
    rooms.push(room);
    return room;
  };
  const seeAll = (room: FilledRoom) => eventually(() => room.missing(), 30_000);

  it('comes up by one command, names everything, holds one meeting over three sites, and leaves nothing behind', async () => {
    const demo = await start([], { asNpmStart: true });
    expect(demo.output).toContain('Isthmus is running: 3 sites, 3 media nodes.');
    expect(demo.entry('State is kept in')).toBe(state);
    expect(demo.entry('Sign in as')).toMatch(/^admin, one-time password \S{16,}$/);
    for (const title of ['API documentation', ...SITES.map(([, name]) => `Meet in ${name}`)]) {
      const page = await fetch(demo.entry(title));
      expect([title, page.status, page.headers.get('content-type')]).toEqual([title, 200, expect.stringContaining('text/html')]);
    }

    await seeAll(
      await fill(
        demo,
        SITES.map(([, name]) => name),
      ),
    );
    const relay = await connectRelay(join(state, 'relay.sock'));
    const { links } = await relay.stats();
    relay.close();
    expect(links).toHaveLength(6);
    // Every site shows a picture of somebody at every other.
    expect(links.filter(({ kinds }) => kinds.video.packets === 0)).toEqual([]);

    const all = descendantsOf(demo.child.pid!);
    // isthmus demo, management, relay, three sites and their mediasoup workers
    expect(all.length).toBeGreaterThanOrEqual(9);
    const begun = performance.now();
    expect(await demo.pressCtrlC()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(all.filter(isAlive)).toEqual([]);
    expect(readdirSync(state)).not.toContain('relay.sock');
  });

  it('keeps its state in one folder: the second start has the same rooms, certificates and administrator', async () => {
    const first = await start(['--sites', '1']);
    const password = /password (\S+)/.exec(first.entry('Sign in as'))?.[1];
    const certificate = readFileSync(join(state, 'sites', 'nyc', 'credentials', 'site.crt'), 'utf8');
    expect(await first.stop()).toBe(0);
    const second = await start(['--sites', '1']);
    expect(second.entry('Sign in as')).toContain('admin, with your password (the first one is in ');
    expect(readFileSync(join(state, 'first-password.json'), 'utf8')).toContain(password);
    expect(readFileSync(join(state, 'sites', 'nyc', 'credentials', 'site.crt'), 'utf8')).toBe(certificate);
    expect(statSync(state).mode & 0o077).toBe(0);
    await seeAll(await fill(second, ['New York', 'New York']));
  });

  it('starts a site again that died, while the others go on', async () => {
    const demo = await start(['--sites', '2']);
    const pid = (name: string) => descendantWith(demo.child.pid!, `${name}.json`);
    const [nyc, lon] = [pid('nyc'), pid('lon')];
    process.kill(nyc!, 'SIGKILL');
    await eventually(() => (demo.output.includes('site New York is back.') ? [] : ['New York is not back']), 20_000);
    expect(pid('nyc')).not.toBe(nyc);
    expect(pid('lon')).toBe(lon);
    await seeAll(await fill(demo, ['New York', 'London']));
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('ends with npm when that gets %s, and so do those who fill its room', async (signal) => {
    const demo = await start(['--sites', '2'], { asNpmStart: true });
    const filling = DemoProcess.fill(state, ['--per-site', '1']);
    demos.push(filling);
    await eventually(() => (filling.output.includes('participants are talking') ? [] : [`nobody talks yet: ${filling.output}`]), 60_000);
    const all = [demo, filling].flatMap(({ child }) => descendantsOf(child.pid!));
    for (const each of [filling, demo]) await (signal === 'SIGKILL' ? each.kill() : each.stop(signal));
    await eventually(() => all.filter(isAlive).map((pid) => `process ${pid} is left`), 15_000);
  });

  it('stops at once when it is told to while it is starting', async () => {
    const demo = launch();
    await eventually(() => (descendantWith(demo.child.pid!, 'management.json') ? [] : ['management has not begun']), 10_000);
    const all = descendantsOf(demo.child.pid!);
    expect(await demo.stop('SIGTERM')).toBe(0);
    expect(all.filter(isAlive)).toEqual([]);
    expect(demo.output).not.toContain('Isthmus is running');
  });

  it('serves other machines over HTTPS with an authority that they can fetch and compare', async () => {
    const demo = await start(['--sites', '2', '--listen', '127.0.0.1']);
    expect(demo.entry('Meet in London')).toBe(`https://127.0.0.1:${PORT + 200}/r/demo`);
    expect(demo.entry('Ports to open')).toBe(
      `TCP ${[PORT, PORT + 9, PORT + 100, PORT + 110, PORT + 200, PORT + 210].join(', ')}; UDP and TCP ${PORT + 130}, ${PORT + 230}`,
    );
    const authority = await (await fetch(demo.entry('Authority to trust'))).text();
    const status = await new Promise((resolve, reject) => {
      get(demo.entry('Meet in London'), { ca: authority }, (response) => {
        resolve(response.statusCode);
        response.resume();
      }).on('error', reject);
    });
    expect(status).toBe(200);
    await seeAll(await fill(demo, ['New York', 'London'], authority));
  });

  describe('says in one sentence what is in the way, and leaves nothing running', () => {
    const refusal = async (args: readonly string[]) => {
      const demo = launch(args);
      const status = await demo.exited;
      expect(demo.output).not.toMatch(/^\s+at .+:\d+:\d+/m);
      return { status, said: demo.output.trim() };
    };

    it('a port that another program has', async () => {
      const server = createServer().listen(PORT + 100, '127.0.0.11');
      await once(server, 'listening');
      const { status, said } = await refusal(['--sites', '2']);
      server.close();
      expect(status).toBe(1);
      expect(said).toMatch(
        /site New York did not start: gateway-router cannot listen on 127\.0\.0\.11:17100: something else has that port\./,
      );
    });

    it('a port of the links', async () => {
      const socket = createSocket('udp4');
      socket.bind(PORT + 240, '127.20.1.2');
      await once(socket, 'listening');
      const { status, said } = await refusal(['--sites', '2']);
      socket.close();
      expect([status, said]).toEqual([1, expect.stringContaining('The relay needs 127.20.1.2:17240, which another program has.')]);
    });

    it('an address that this machine has not', async () => {
      const { status, said } = await refusal(['--sites', '1', '--listen', '192.0.2.1']);
      expect([status, said]).toEqual([1, expect.stringContaining('this machine has no such address')]);
    });

    it('a state folder that is a file, or damaged, or in use', async () => {
      const file = join(state, 'file');
      writeFileSync(file, '');
      expect(await refusal(['--state', file])).toMatchObject({
        status: 1,
        said: expect.stringContaining(`The state folder ${file} cannot be used`) as string,
      });

      const running = await start(['--sites', '1']);
      expect(await refusal([])).toMatchObject({
        status: 1,
        said: expect.stringContaining(`A demo is running with ${state} already`) as string,
      });
      await running.stop();
      writeFileSync(join(state, 'sites', 'nyc', 'facts.db'), 'not a database at all, and long enough to be sure of it'.repeat(100));
      expect(await refusal(['--sites', '1'])).toMatchObject({
        status: 1,
        said: expect.stringContaining('site New York did not start') as string,
      });
    });

    it('a mediasoup worker that is not there', async () => {
      const before = process.env['MEDIASOUP_WORKER_BIN'];
      process.env['MEDIASOUP_WORKER_BIN'] = join(state, 'no-worker');
      try {
        expect(await refusal(['--sites', '1'])).toMatchObject({ status: 1, said: expect.stringContaining('no-worker') as string });
      } finally {
        if (before === undefined) delete process.env['MEDIASOUP_WORKER_BIN'];
        else process.env['MEDIASOUP_WORKER_BIN'] = before;
      }
    });

    it('a wish that is impossible, or an option that is none (status 2)', async () => {
      expect(await refusal(['--sites', '99'])).toMatchObject({
        status: 1,
        said: expect.stringContaining('--sites must be a whole number from 1 to') as string,
      });
      expect(await refusal(['--sights', '3'])).toMatchObject({
        status: 2,
        said: expect.stringContaining("unknown option '--sights'") as string,
      });
      expect(await refusal(['--sites', 'three'])).toMatchObject({
        status: 2,
        said: expect.stringContaining('It must be a number') as string,
      });
    });
  });
});
