import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RESTARTS_MAX, Supervised, WINDOW_MS, nextRestart, type SupervisedOptions } from './supervised.js';

describe('a supervised process', () => {
  let folder: string;
  let said: string[];
  const running: Supervised[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-supervised-'));
    said = [];
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((part) => part.stop()));
    rmSync(folder, { recursive: true });
  });

  /** A part that is this program. */
  const part = (program: string, more: Partial<SupervisedOptions> = {}) => {
    const main = join(folder, `main-${running.length}.mjs`);
    writeFileSync(main, program);
    const supervised = new Supervised({
      title: 'the part',
      args: ['one', 'two'],
      main,
      logFile: join(folder, 'part.log'),
      say: (line) => said.push(line),
      ...more,
    });
    running.push(supervised);
    return supervised;
  };
  const READY = `process.send({ type: 'ready', facts: { args: process.argv.slice(2) } }); process.on('disconnect', () => process.exit());`;
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('is started when it says so, and tells what it knows', async () => {
    expect(await part(READY).start()).toEqual({ args: ['one', 'two'] });
  });

  it('that cannot start is reported in its own words, once, and not started again', async () => {
    const supervised = part(`process.send({ type: 'failed', message: 'Port 7000 is taken.' }); setTimeout(() => process.exit(1), 50);`);
    await expect(supervised.start()).rejects.toThrow('the part did not start: Port 7000 is taken. Its log is');
    expect(said).toEqual([]);
  });

  it('that ends without a word is reported, and its log has the rest', async () => {
    await expect(part(`console.error('out of luck'); process.exit(3);`).start()).rejects.toThrow(
      'the part did not start: it ended with status 3.',
    );
    expect(readFileSync(join(folder, 'part.log'), 'utf8')).toContain('out of luck');
  });

  it('that dies later is started again, and that is said', async () => {
    const supervised = part(READY);
    await supervised.start();
    const first = supervised.pid!;
    process.kill(first, 'SIGKILL');
    await expect.poll(() => said, { timeout: 5_000 }).toEqual(['the part ended (SIGKILL) and is started again.', 'the part is back.']);
    expect(supervised.pid).not.toBe(first);
  });

  it('answers questions, and a question to one that has died fails', async () => {
    const supervised = part(
      `${READY} process.on('message', ({ id, what, about }) => what === 'echo' ? process.send({ type: 'answer', id, value: about }) : process.exit(1));`,
    );
    await supervised.start();
    expect(await supervised.ask('echo', 'hello')).toBe('hello');
    await expect(supervised.ask('die', '')).rejects.toThrow('the part has ended');
  });

  it('is gone when stop resolves, even if it does not want to', async () => {
    const supervised = part(`${READY} process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);`);
    await supervised.start();
    const pid = supervised.pid!;
    await supervised.stop();
    expect(isAlive(pid)).toBe(false);
    await supervised.stop();
    expect(said).toEqual([]);
  }, 15_000);

  it('that ends again and again is given up, once and with an alarm, and its sibling never notices', async () => {
    const alarms: string[] = [];
    const sibling = part(READY);
    await sibling.start();
    const { pid } = sibling;
    const failing = part(`${READY} setTimeout(() => process.exit(9), 20);`, { onGivenUp: () => alarms.push('given up') });
    await failing.start();
    await expect.poll(() => alarms, { timeout: 50_000 }).toEqual(['given up']);
    expect(said.filter((line) => line.includes('is started again'))).toHaveLength(RESTARTS_MAX);
    expect(said.at(-1)).toMatch(/^the part ended 6 times within a minute and is left as it is\./);
    const last = failing.pid!;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([failing.pid, isAlive(last)]).toEqual([last, false]);
    expect([sibling.pid, isAlive(pid!)]).toEqual([pid, true]);
  }, 60_000);

  it('is given up after it died too often within a minute, and gets new chances after that', () => {
    const endings: number[] = [];
    const waits = Array.from({ length: RESTARTS_MAX + 1 }, (_, at) => {
      endings.push(at * 100);
      return nextRestart(endings, at * 100);
    });
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, undefined]);
    expect(nextRestart([0, 100, 200, 300, 400, WINDOW_MS + 1_000], WINDOW_MS + 1_000)).toBe(250);
  });
});
