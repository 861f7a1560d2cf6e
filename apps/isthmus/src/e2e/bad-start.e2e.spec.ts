import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planDemo } from '../demo/plan.js';
import { processesWith } from '../testing/demo-process.js';

/** What demo.e2e.spec.ts does not put in the way of `isthmus demo`: one clear sentence, a failing status, and nothing left running. */
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const PORT = 25_900;
const plan = planDemo({ sites: 1, nodesPerSite: 1, capacity: 10, basePort: PORT, listen: undefined });
let state: string;
beforeEach(() => void (state = mkdtempSync(join(tmpdir(), 'isthmus-bad-start-'))));
afterEach(() => rmSync(state, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly said: string;
}
const run = async (command: string, args: readonly string[]): Promise<Ended> => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const tooLong = setTimeout(() => child.kill('SIGTERM'), 90_000);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(tooLong);
  return { status, said };
};
const demo = ['--enable-source-maps', MAIN, 'demo', '--sites', '1', '--port', String(PORT), '--state'];
const startDemo = () => run(process.execPath, [...demo, state]);
/** In a mount namespace of its own, the state folder being what `mount` makes of it: nothing is left behind, whatever happens. */
const startDemoOn = (mount: string): Promise<Ended> => {
  const script = `${mount} && exec "$@"`;
  return run('unshare', [process.getuid?.() === 0 ? '-m' : '-rm', 'sh', '-c', script, 'sh', process.execPath, ...demo, state]);
};

/** It said this, in a sentence or two and without a stack, and is gone with all that it started. */
const refused = ({ status, said }: Ended, ...sentences: readonly RegExp[]): void => {
  for (const sentence of sentences) expect(said).toMatch(sentence);
  expect(said).not.toMatch(/\n\s+at |Error:|\[object|undefined/);
  expect(said.trim().split('\n').length).toBeLessThanOrEqual(2);
  expect(status).toBe(1);
  expect(processesWith(state)).toEqual([]);
};

describe('a demo does not start', () => {
  const [site] = plan.sites;
  it.each([
    ['the link between brains', site!.host, site!.ports.brainLink],
    ['media', site!.host, site!.ports.nodes[0]!.webRtc],
  ])('when the port for %s is taken, and says which one', async (_what, host, port) => {
    const squatter = createServer().listen(port, host);
    await once(squatter, 'listening');
    const ended = await startDemo();
    await new Promise((resolve) => squatter.close(resolve));
    refused(ended, new RegExp(`${host}:${port}`), /taken|something else has that port/);
  });

  it('in a read-only folder', async () => {
    const ended = await startDemoOn(`mount -t tmpfs -o ro isthmus "${state}"`);
    refused(ended, /state folder .* cannot be used: it is on a read-only file system\. Name another with --state/);
  });

  it('in a full folder', async () => {
    const ended = await startDemoOn(`mount -t tmpfs -o size=1m isthmus "${state}"`);
    refused(ended, /The disk of the state folder .* is full \(\d MiB free\)\. Free at least 64 MiB, or name another folder with --state\./);
  });

  it('on a damaged store of management, which it leaves as it is', async () => {
    const file = join(state, 'management', 'facts.db');
    mkdirSync(join(state, 'management'));
    const diary = 'Dear diary, today I was mistaken for an event store. '.repeat(200);
    writeFileSync(file, diary);
    refused(await startDemo(), /The event store .*facts\.db is damaged .*Restore a backup in its place, or move it away/);
    expect(readFileSync(file, 'utf8')).toBe(diary);
  });
});

describe('a command of an administrator', () => {
  it('says that it needs a password where nobody types one', async () => {
    const { status, said } = await run(process.execPath, [MAIN, 'site', 'drain', 'lon']);
    expect(said).toMatch(/nothing was typed.*ISTHMUS_PASSWORD/);
    expect(said).not.toMatch(/\n\s+at |Warning:/);
    expect(status).toBe(1);
  });
});
