import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chain, collect, streamOf } from '@isthmus/contract';
import { sqliteEventStore } from './sqlite-event-store.js';

const stream = streamOf('7f3a');
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isthmus-weather-'));
  file = join(folder, 'store.db');
});
afterEach(() => rm(folder, { recursive: true }));

/** Lets plain Node run the sources, as Vitest does: `./x.js` means `./x.ts`. */
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ resolve: (name, context, next) => next(name.startsWith('.') ? name.replace(/\\.js$/, '.ts') : name, context) });
`)}`;
const node = (scenario: string): string[] => [
  process.execPath,
  ...['--experimental-transform-types', '--disable-warning=ExperimentalWarning', '--conditions=@isthmus/source', `--import=${HOOK}`],
  fileURLToPath(new URL('./store-process.ts', import.meta.url)),
  scenario,
  folder,
];

interface Run {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
  /** Resolves with the first line that begins so. */
  readonly says: (start: string) => Promise<string>;
}
const run = ([command, ...args]: readonly string[]): Run => {
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let [rest, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    const [last, ...complete] = (rest + chunk.toString()).split('\n').reverse();
    rest = last!;
    lines.push(...complete.reverse());
    for (const listener of listeners) listener();
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stderr });
      for (const listener of listeners) listener();
    });
  });
  const says = (start: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find((line) => line.startsWith(start));
        if (found !== undefined) resolve(found);
        else if (child.exitCode !== null || child.signalCode !== null) reject(new Error(`ended without saying ${start}: ${stderr}`));
      };
      listeners.add(look);
      look();
    });
  return { process: child, lines, ended, says };
};
const finished = async (command: readonly string[]): Promise<readonly string[]> => {
  const { lines, ended } = run(command);
  const { code, stderr } = await ended;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return lines;
};
/** In a mount namespace of its own, the folder being a small file system in memory: nothing is left behind, whatever happens. */
const onSmallDisk = (size: string, scenario: string): string[] => {
  const mounted = `mount -t tmpfs -o size=${size} isthmus "${folder}" && exec "$@"`;
  return ['unshare', process.getuid!() === 0 ? '-m' : '-rm', 'sh', '-c', mounted, 'sh', ...node(scenario)];
};
const kept = async (): Promise<number[]> => {
  const store = await sqliteEventStore({ file });
  const facts = await collect(store.read(stream));
  await store.close();
  return facts.map(({ seq }) => seq);
};
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const acknowledged = (lines: readonly string[]) => lines.filter((line) => line.startsWith('ack ')).length;

describe('a store in bad weather', () => {
  test('killed at any moment, it has every fact that it acknowledged, and at most one more', async () => {
    let before = 0;
    for (let kills = 0; kills < 4; kills++) {
      const { process: child, says, lines, ended } = run(node('append-on'));
      await says('ack');
      await new Promise((resolve) => setTimeout(resolve, 37 * kills));
      child.kill('SIGKILL');
      await ended;
      const facts = await kept();
      const acks = before + acknowledged(lines);
      expect(facts).toEqual(upTo(facts.length));
      expect(facts.length).toBeGreaterThanOrEqual(acks);
      expect(facts.length).toBeLessThanOrEqual(acks + 1);
      before = facts.length;
    }
  });

  test('a file that another process has open is refused in words, until that process is gone', async () => {
    const { process: child, says, ended } = run(node('append-on'));
    await says('ack');
    await expect(sqliteEventStore({ file })).rejects.toMatchObject({ code: 'store.locked', retryable: false });
    child.kill('SIGKILL');
    await ended;
    expect((await kept()).length).toBeGreaterThan(0);
  });

  test('the log is on the disk before the acknowledgement: seen in the trace of its system calls', async () => {
    const trace = join(folder, 'trace');
    await finished(['strace', '-f', '-y', '-e', 'trace=pwrite64,write,fsync,fdatasync', '-o', trace, ...node('append-ten')]);

    let written = 0;
    let synced = false;
    let acks = 0;
    const syncing = new Set<string>();
    for (const line of (await readFile(trace, 'utf8')).split('\n')) {
      const thread = line.slice(0, line.indexOf(' '));
      const onLog = line.includes('store.db-wal>');
      if (onLog && line.includes('pwrite64(')) {
        written++;
        synced = false;
      } else if (/(fsync|fdatasync)\(/.test(line) && onLog) {
        if (line.includes('<unfinished')) syncing.add(thread);
        else synced = line.endsWith('= 0');
      } else if (/<\.\.\. (fsync|fdatasync) resumed/.test(line) && syncing.delete(thread)) {
        synced = line.endsWith('= 0');
      } else if (/write\(1<.*"(open|ack \d+)/.test(line)) {
        if (line.includes('"ack')) {
          acks++;
          expect({ line, written: written > 0, synced }).toEqual({ line, written: true, synced: true });
        }
        [written, synced] = [0, false];
      }
    }
    expect(acks).toBe(10);
  });

  test('a failing fsync acknowledges nothing; what is tried again is kept once, and all that was acknowledged is there', async () => {
    const failing = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=fsync,fdatasync:error=EIO:when=12+5'];
    const lines = await finished([...failing, ...node('append-through-failures')]);
    expect(lines).toContain('failed store.unavailable');
    expect(acknowledged(lines)).toBe(30);
    expect(await kept()).toEqual(upTo(30));
  });

  test('a full disk refuses appends in words, keeps what was acknowledged, and takes more when there is room', async () => {
    expect(await finished(onSmallDisk('16m', 'fill-the-disk'))).toEqual([
      'first store.full',
      'again store.full',
      'readable true',
      'freed room',
      'restarted true',
    ]);
  });

  test('a disk too small for an empty store is refused in words', async () => {
    expect(await finished(onSmallDisk('4k', 'open'))).toEqual(['refused store.full']);
  });

  test('a read-only folder is refused in words, with a store in it or without', async () => {
    expect(await finished(onSmallDisk('2m', 'go-read-only'))).toEqual([
      'refused store.read-only',
      'refused store.read-only',
      'refused store.read-only',
    ]);
  });
});

describe('a file that is no sound store is refused in words and left as it was', () => {
  const digest = async () =>
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  const refusedWith = async (code: string, message: RegExp) => {
    const before = await digest();
    await expect(sqliteEventStore({ file })).rejects.toMatchObject({
      kind: 'fault',
      code,
      retryable: false,
      message: expect.stringMatching(message) as string,
    });
    await expect(sqliteEventStore({ file })).rejects.toThrow(file);
    expect(await digest()).toBe(before);
  };
  const makeStore = async () => {
    const store = await sqliteEventStore({ file });
    await store.append(stream, -1, chain(stream, 2_000));
    await store.close();
  };

  test('a damaged page', async () => {
    await makeStore();
    const { size } = await stat(file);
    const handle = await open(file, 'r+');
    for (let page = 4; page < size / 4096; page += 5) await handle.write(Buffer.alloc(512, 0xa5), 0, 512, page * 4096);
    await handle.close();
    await refusedWith('store.corrupt', /damaged.*Restore a backup.*or move it away/);
  });

  test('half a file', async () => {
    await makeStore();
    await truncate(file, Math.floor((await stat(file)).size / 2));
    await refusedWith('store.corrupt', /damaged/);
  });

  test('a damaged header', async () => {
    await makeStore();
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(100, 7), 0, 100, 0);
    await handle.close();
    await refusedWith('store.corrupt', /damaged/);
  });

  test('a file that is no database at all', async () => {
    await writeFile(file, 'Dear diary, today I was mistaken for an event store. '.repeat(200));
    await refusedWith('store.corrupt', /damaged/);
  });

  test('another program’s database', async () => {
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE recipes (name TEXT)');
    other.close();
    await refusedWith('store.foreign', /not an event store of Isthmus/);
  });

  test('the store of a newer version', async () => {
    await makeStore();
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await refusedWith('store.newer', /schema 99.*Start the newer version/);
  });

  test('a folder in the place of the file', async () => {
    await expect(sqliteEventStore({ file: folder })).rejects.toMatchObject({ kind: 'fault', code: 'store.unavailable' });
  });
});
