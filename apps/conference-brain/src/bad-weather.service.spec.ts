import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fact } from '@isthmus/kernel';
import type { BrainCommand } from '@isthmus/protocol';
import { sqliteEventStore } from '@isthmus/event-store-sqlite';

/** Issue 4 and G4, G5: a real brain over a real store, in a process that is killed, traced, starved of disk, or lied to by it. */
const PROGRAM = fileURLToPath(new URL('../dist/testing/brain-process.js', import.meta.url));
/** For a machine that has much else to do. */
const PATIENCE_MS = 60_000;

let folder: string;
const lives: Life[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isthmus-brain-weather-'));
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: build first (npm run build)`);
});
afterEach(async () => {
  for (const life of lives.splice(0)) await life.kill();
  await rm(folder, { recursive: true });
});

interface Told {
  readonly leg?: string;
  readonly locked?: boolean;
  readonly seats?: readonly (readonly [person: string, muted: boolean])[];
}

/** A brain's life, from a start to an end. */
class Life {
  /** Facts as published, `stream seq type`. */
  readonly facts: string[] = [];
  /** What came of snapshots: `used`, `kept`. */
  readonly snapshots: string[] = [];
  private readonly said: string[] = [];
  private readonly ended: Promise<void>;
  private over = false;
  private stderr = '';
  private wake: () => void = () => undefined;

  private constructor(private readonly child: ChildProcess) {
    let rest = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines.filter((each) => each.startsWith('>'))) {
        if (line.startsWith('>fact ')) this.facts.push(line.slice(6));
        else if (line.startsWith('>snapshot ')) this.snapshots.push(line.slice(10));
        else this.said.push(line.slice(1));
      }
      this.wake();
    });
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    child.stdin!.on('error', () => undefined);
    this.ended = new Promise((resolve) =>
      child.once('close', () => {
        this.over = true;
        this.wake();
        resolve();
      }),
    );
  }

  /** @param standStill `appended:1`: where it stands still, to be killed. @param around a command to run it by. @param snapshots after every fact */
  static begin({
    standStill,
    around = [],
    snapshots = false,
  }: { standStill?: string; around?: readonly string[]; snapshots?: boolean } = {}): Life {
    const [command, ...args] = [...around, process.execPath, PROGRAM, folder, ...(standStill === undefined ? [] : [standStill])];
    const child = spawn(command!, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ISTHMUS_LOG_LEVEL: 'error', ...(snapshots ? { SNAPSHOTS: '1' } : {}) },
    });
    const life = new Life(child);
    lives.push(life);
    return life;
  }

  /** The next thing it says; `gone` if it ended instead. */
  async next(): Promise<string> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const line = this.said.shift();
      if (line !== undefined) return line;
      if (this.over) return 'gone';
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`It said nothing for ${PATIENCE_MS} ms. ${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async ready(): Promise<this> {
    const line = await this.next();
    if (line !== 'ready') throw new Error(`It said "${line}" and not that it is ready. ${this.stderr}`);
    return this;
  }

  async tell(command: BrainCommand): Promise<string> {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
    return this.next();
  }

  /** The same until it is acknowledged. */
  async insist(command: BrainCommand): Promise<Told> {
    for (;;) {
      const answer = await this.tell(command);
      if (answer.startsWith('ack ')) return JSON.parse(answer.slice(4)) as Told;
      if (!/^no store\./.test(answer)) throw new Error(`It answered "${answer}". ${this.stderr}`);
    }
  }

  /** How many facts of each kind there are. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    return JSON.parse(await this.tell({ type: 'Count' } as never)) as Record<string, number>;
  }

  get complaint(): string {
    return this.stderr;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGKILL, and gone when it resolves. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Its standard input ends, and so does it. */
  async end(): Promise<void> {
    this.child.stdin!.end();
    await this.ended;
  }
}

const enter = (person: string, connect = 1): BrainCommand => ({
  ...{ type: 'Join', room: 'r1', person: person as never, name: person, role: 'host', connect, muted: false, cameraOff: false },
});
type Act = Extract<BrainCommand, { type: 'Act' }>['act'];
const act = (leg: string, what: Act): BrainCommand => ({ type: 'Act', room: 'r1', leg: leg as never, act: what });

/** What is in the store, when nobody has it open. */
const kept = async (): Promise<readonly Fact[]> => {
  const store = await sqliteEventStore({ file: join(folder, 'facts.db') });
  const facts: Fact[] = [];
  for (const category of ['room', 'conference']) {
    for (const stream of await store.streams(category)) for await (const fact of store.read(stream)) facts.push(fact);
  }
  await store.close();
  return facts;
};
/** As if none had ever been kept. */
const dropSnapshots = async (): Promise<void> => {
  const store = await sqliteEventStore({ file: join(folder, 'facts.db') });
  await store.keepSnapshot('r1', undefined);
  await store.close();
};
const count = (facts: readonly { readonly type: string }[], type: string) => facts.filter((fact) => fact.type === type).length;
const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);

describe('a brain that is killed', () => {
  it(
    'at any boundary has all that it acknowledged when it is back, and does nothing twice that is asked again',
    async () => {
      const published = new Set<string>();
      const ended = async (life: Life) => {
        await life.kill();
        for (const fact of life.facts) published.add(fact);
      };
      let looks = 0;
      const begin = () => Life.begin({ snapshots: true });
      let life = await begin().ready();
      const ana = (await life.insist(enter('ana'))).leg!;
      const expected = { locked: false, muted: false, people: ['ana'], locks: 0, unlocks: 0, mutes: 0, unmutes: 0 };
      const isAsExpected = async () => {
        const { locked, seats = [] } = await life.insist(enter('looks', ++looks));
        const others = seats.filter(([person]) => person !== 'looks');
        expect(locked).toBe(expected.locked);
        expect(others.map(([person]) => person).toSorted()).toEqual(expected.people.toSorted());
        expect(others.find(([person]) => person === 'ana')).toEqual(['ana', expected.muted]);
      };

      // The lock changes, a microphone does, and somebody comes: one after the other, each with a kill in the middle.
      const all = ['lock', 'mute', 'join'] as const;
      const boundaries = { 'before-append': all, appended: all, publishing: all, published: all };
      const ofSnapshots = { 'before-snapshot': ['lock'], 'keeping-snapshot': ['mute'], 'snapshot-kept': ['join'] } as const;
      for (const [boundary, steps] of Object.entries({ ...boundaries, ...ofSnapshots })) {
        for (const step of steps) {
          const who = `guest-${boundary}`;
          const command = (again: boolean): BrainCommand => {
            if (step === 'lock') return act(ana, { type: expected.locked ? 'unlock' : 'lock' });
            if (step === 'mute') return act(ana, { type: expected.muted ? 'unmute' : 'mute', leg: ana as never });
            return enter(who, again ? 2 : 1);
          };
          expect(await life.tell({ type: 'Hold', at: boundary } as never)).toBe('will hold');
          const answer = await life.tell(command(false));
          const acknowledged = answer.startsWith('ack ');
          expect(acknowledged ? await life.next() : answer).toBe(`held ${boundary}`);
          await ended(life);

          life = await begin().ready();
          // It may have been recorded, and nobody knows: whoever asked asks again.
          if (!acknowledged) await life.insist(command(true));
          if (step === 'lock') {
            expected[expected.locked ? 'unlocks' : 'locks'] += 1;
            expected.locked = !expected.locked;
          } else if (step === 'mute') {
            expected[expected.muted ? 'unmutes' : 'mutes'] += 1;
            expected.muted = !expected.muted;
          } else expected.people.push(who);
          await isAsExpected();
        }
      }
      await ended(life);
      // While it reads what it knows: from a snapshot, and all of it, as one does that has none.
      for (const snapshots of [true, false]) {
        if (!snapshots) await dropSnapshots();
        life = Life.begin({ standStill: snapshots ? 'reading:3' : 'reading:9', snapshots });
        expect(await life.next()).toBe('held reading');
        await ended(life);
        life = await Life.begin({ snapshots }).ready();
        expect(life.snapshots[0]).toBe(snapshots ? 'used' : undefined);
        await isAsExpected();
        await ended(life);
      }

      life = await Life.begin().ready();
      const known = sum(await life.counts());
      await expect.poll(() => new Set([...published, ...life.facts]).size, { timeout: PATIENCE_MS }).toBe(known);
      await ended(life);
      const facts = await kept();
      const { locks, unlocks, mutes, unmutes } = expected;
      const done = { locks: count(facts, 'ConferenceLocked'), unlocks: count(facts, 'ConferenceUnlocked') };
      expect(done).toEqual({ locks, unlocks });
      expect({ mutes: count(facts, 'LegMuted'), unmutes: count(facts, 'LegUnmuted') }).toEqual({ mutes, unmutes });
      // Each fact once in the store, and, once or more, on the bus: none that is durable stays unsaid.
      const places = facts.map(({ stream, seq }) => `${stream} ${seq}`);
      expect(new Set(places).size).toBe(places.length);
      const own = facts.filter(({ stream }) => stream.startsWith('conference-')).map(({ stream, seq, type }) => `${stream} ${seq} ${type}`);
      expect([...published].toSorted()).toEqual(own.toSorted());
    },
    10 * PATIENCE_MS,
  );

  it(
    'within a write to the disk has all that it acknowledged when it is back',
    async () => {
      let locked = false;
      const first = await Life.begin().ready();
      let ana = (await first.insist(enter('ana'))).leg!;
      await first.kill();
      for (const when of [1, 2, 3]) {
        // The first few are those of opening the store.
        const around = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `inject=fdatasync,fsync:signal=SIGKILL:when=${20 + when}`];
        const life = await Life.begin({ around }).ready();
        for (let answer = ''; answer !== 'gone';) {
          answer = await life.tell(act(ana, { type: locked ? 'unlock' : 'lock' }));
          if (answer.startsWith('ack ')) locked = !locked;
        }
        const back = await Life.begin().ready();
        const seen = await back.insist(enter('ana', 10 * when));
        ana = seen.leg!;
        // What was under way may have happened; what was acknowledged has.
        const facts = (await back.kill(), await kept());
        const difference = count(facts, 'ConferenceLocked') - count(facts, 'ConferenceUnlocked');
        expect(seen.locked).toBe(difference === 1);
        expect([locked, !locked]).toContain(seen.locked);
        locked = seen.locked!;
      }
    },
    5 * PATIENCE_MS,
  );
});

describe('a brain that is frozen', () => {
  it(
    'cannot be taken over from while it may wake up, and goes on as the one writer when it does',
    async () => {
      const life = await Life.begin().ready();
      const ana = (await life.insist(enter('ana'))).leg!;
      life.signal('SIGSTOP');
      const other = Life.begin();
      expect(await other.next()).toBe('gone');
      expect(other.complaint).toContain('Another process has the event store');
      life.signal('SIGCONT');
      await life.insist(act(ana, { type: 'lock' }));
      await life.kill();
      const facts = await kept();
      expect(new Set(facts.map(({ stream }) => stream.split('@')[1])).size).toBe(1);
      expect(count(facts, 'ConferenceLocked')).toBe(1);
    },
    2 * PATIENCE_MS,
  );
});

describe('a brain whose disk misbehaves', () => {
  it(
    'has every fact on the disk before it acknowledges: seen in the trace of its system calls',
    async () => {
      const trace = join(folder, 'trace');
      const life = await Life.begin({
        around: ['strace', '-f', '-y', '-e', 'trace=pwrite64,write,fsync,fdatasync', '-o', trace],
      }).ready();
      const ana = (await life.insist(enter('ana'))).leg!;
      for (let n = 0; n < 10; n++) await life.insist(act(ana, { type: n % 2 === 0 ? 'lock' : 'unlock' }));
      await life.end();

      let [written, synced, acks] = [false, false, 0];
      const syncing = new Set<string>();
      const done = (line: string) => line.endsWith('= 0');
      for (const line of (await readFile(trace, 'utf8')).split('\n')) {
        const thread = line.slice(0, line.indexOf(' '));
        const onLog = line.includes('facts.db-wal>');
        if (onLog && line.includes('pwrite64(')) [written, synced] = [true, false];
        else if (onLog && /(fsync|fdatasync)\(/.test(line)) {
          if (line.includes('<unfinished')) syncing.add(thread);
          else synced = done(line);
        } else if (/<\.\.\. (fsync|fdatasync) resumed/.test(line) && syncing.delete(thread)) synced = done(line);
        else if (/ write\(1<.*">ack /.test(line)) {
          expect({ line, written, synced }).toEqual({ line, written: true, synced: true });
          acks++;
          [written, synced] = [false, false];
        }
      }
      expect(acks).toBe(11);
    },
    3 * PATIENCE_MS,
  );

  it(
    'acknowledges nothing whose fsync failed; what is asked again happens once, and all of it is there afterwards',
    async () => {
      const failing = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=fsync,fdatasync:error=EIO:when=15+4'];
      const life = await Life.begin({ around: failing }).ready();
      const ana = (await life.insist(enter('ana'))).leg!;
      let refused = 0;
      for (let n = 0; n < 20; n++) {
        const command = act(ana, { type: n % 2 === 0 ? 'lock' : 'unlock' });
        const answer = await life.tell(command);
        if (answer.startsWith('no store.')) refused++;
        if (!answer.startsWith('ack ')) await life.insist(command);
      }
      await life.kill();
      expect(refused).toBeGreaterThan(0);
      const facts = await kept();
      expect([count(facts, 'ConferenceLocked'), count(facts, 'ConferenceUnlocked')]).toEqual([10, 10]);
    },
    3 * PATIENCE_MS,
  );

  it(
    'acknowledges nothing when its disk is full, and has everything that it acknowledged when there is room again',
    async () => {
      // In a mount namespace of its own, a file system of one megabyte: first for one life, then what is left of it for the next.
      const twice = `mount -t tmpfs -o size=1m isthmus "${folder}" && "$@"; mount -o remount,size=16m "${folder}" && exec "$@"`;
      const life = await Life.begin({ around: ['unshare', process.getuid!() === 0 ? '-m' : '-rm', 'sh', '-c', twice, 'sh'] }).ready();
      const ana = (await life.insist(enter('ana'))).leg!;
      let acknowledged = 0;
      let answer = '';
      while (acknowledged < 5_000) {
        answer = await life.tell(act(ana, { type: acknowledged % 2 === 0 ? 'lock' : 'unlock' }));
        if (!answer.startsWith('ack ')) break;
        acknowledged++;
      }
      expect(answer).toBe('no store.full');
      expect(await life.tell(act(ana, { type: acknowledged % 2 === 0 ? 'lock' : 'unlock' }))).toBe('no store.full');
      expect(acknowledged).toBeGreaterThan(10);
      expect(await life.tell({ type: 'Stop' } as never)).toBe('ready');
      const seen = await life.insist(enter('ana', 2));
      expect(seen.locked).toBe(acknowledged % 2 === 1);
      expect(await life.counts()).toMatchObject({
        ConferenceLocked: Math.ceil(acknowledged / 2),
        ConferenceUnlocked: Math.floor(acknowledged / 2),
      });
      await life.end();
    },
    3 * PATIENCE_MS,
  );
});
