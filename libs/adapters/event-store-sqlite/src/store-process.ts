/**
 * A process of its own around a store, for what specs can only see from outside: kills, traces of system calls, full and failing
 * disks. `node store-process.ts SCENARIO FOLDER`; what it prints is for `bad-weather.service.spec.ts`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { IsthmusError, seal, streamNameOf, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';
import { sqliteEventStore } from './sqlite-event-store.js';

const [, , scenario, folder] = process.argv as [string, string, string, string];
const file = join(folder, 'store.db');
const stream = streamNameOf('conference', '7f3a', writerIdOf('nyc' as SiteId, 1));

/** Straight to the descriptor, so that a line is out before the next system call. */
const print = (line: string): void => void writeSync(1, `${line}\n`);
const codeOf = (error: unknown): string => (error instanceof IsthmusError ? String(error.code) : String(error));
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const factAt = (seq: number, padding = 0): Fact =>
  seal(
    {
      stream,
      seq,
      at: seq,
      prev: seq === 0 ? null : ('0'.repeat(64) as Fact['hash']),
      after: [],
      by: 'ana',
      type: 'Said',
      v: 1,
      body: 'x'.repeat(padding),
    },
    sha256,
  );
const countIn = async (store: EventStore): Promise<number> => {
  let count = 0;
  for await (const { seq } of store.read(stream)) if (seq === count) count++;
  return count;
};

const scenarios: Readonly<Record<string, () => Promise<void>>> = {
  /** Appends one after another for ever, and says so after each acknowledgement. */
  'append-on': async () => {
    const store = await sqliteEventStore({ file });
    for (let seq = await countIn(store); ; seq++) {
      await store.append(stream, seq - 1, [factAt(seq)]);
      print(`ack ${seq}`);
    }
  },
  'append-ten': async () => {
    const store = await sqliteEventStore({ file });
    print('open');
    for (let seq = 0; seq < 10; seq++) {
      await store.append(stream, seq - 1, [factAt(seq)]);
      print(`ack ${seq}`);
    }
    await store.close();
  },
  /** Appends thirty, retrying word for word what failed, as a brain does whose outcome is unknown. */
  'append-through-failures': async () => {
    const store = await sqliteEventStore({ file });
    for (let seq = 0; seq < 30; seq++) {
      for (let acknowledged = false; !acknowledged;) {
        try {
          await store.append(stream, seq - 1, [factAt(seq)]);
          acknowledged = true;
          print(`ack ${seq}`);
        } catch (error) {
          print(`failed ${codeOf(error)}`);
        }
      }
    }
    await store.close();
  },
  /** In a folder of 16 MB with 6 MB in its way. */
  'fill-the-disk': async () => {
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(6_000_000));
    const store = await sqliteEventStore({ file });
    let kept = 0;
    const fill = async (most: number): Promise<string> => {
      for (const until = kept + most; kept < until; kept++) {
        try {
          await store.append(stream, kept - 1, [factAt(kept, 10_000)]);
        } catch (error) {
          return codeOf(error);
        }
      }
      return 'room';
    };
    print(`first ${await fill(2_000)}`);
    print(`again ${await fill(1)}`);
    print(`readable ${(await countIn(store)) === kept}`);
    rmSync(ballast);
    print(`freed ${await fill(5)}`);
    await store.close();
    const reopened = await sqliteEventStore({ file });
    print(`restarted ${(await countIn(reopened)) === kept}`);
    await reopened.close();
  },
  'go-read-only': async () => {
    await (await sqliteEventStore({ file })).close();
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    for (const place of [file, join(folder, 'new.db'), join(folder, 'sub/new.db')]) {
      await sqliteEventStore({ file: place }).then(
        () => print('opened'),
        (error: unknown) => print(`refused ${codeOf(error)}`),
      );
    }
  },
  open: async () => {
    await sqliteEventStore({ file }).then(
      () => print('opened'),
      (error: unknown) => print(`refused ${codeOf(error)}`),
    );
  },
};

await scenarios[scenario]!();
