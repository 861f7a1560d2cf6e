import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { chain, collect, eventStoreContract, streamOf, take, type StorePlace } from '@isthmus/contract';
import { writerOf, type WriterId } from '@isthmus/kernel';
import type { EventStore } from '@isthmus/ports';
import { esdbEventStore, type EsdbEventStore } from './esdb-event-store.js';
import { startEsdbServer } from './testing/esdb-server.js';

/** `esdb://…`: the suite runs against this real server as well. */
const REAL = process.env['ISTHMUS_TEST_ESDB'];

const placeOnTestServer = async (): Promise<StorePlace> => {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-esdb-'));
  const file = join(folder, 'records.jsonl');
  const server = await startEsdbServer(file);
  const begun: { close(): Promise<void> }[] = [server];
  const keep = <T extends { close(): Promise<void> }>(it: T): T => {
    begun.unshift(it);
    return it;
  };
  return {
    open: () => esdbEventStore({ connectionString: server.connectionString }),
    // The file is all that a server that lost power would have.
    openAfterCrash: async () => {
      const left = join(folder, `${randomUUID()}.jsonl`);
      await copyFile(file, left);
      const { connectionString } = keep(await startEsdbServer(left));
      return keep(await esdbEventStore({ connectionString }));
    },
    dispose: async () => {
      for (const each of begun) await each.close();
      await rm(folder, { recursive: true });
    },
  };
};

/** Of the real server nothing can be killed here: what another client sees is what stands for a crash. */
const placeOnRealServer = async (connectionString: string): Promise<StorePlace> => {
  const namespace = `spec${randomUUID().replaceAll('-', '')}:`;
  const others: EventStore[] = [];
  return {
    open: () => esdbEventStore({ connectionString, namespace }),
    openAfterCrash: async () => {
      const other = await esdbEventStore({ connectionString, namespace });
      others.push(other);
      return other;
    },
    dispose: async () => void (await Promise.all(others.map((other) => other.close()))),
  };
};

eventStoreContract('the event store on a server that speaks EventStoreDB’s protocol', placeOnTestServer);
if (REAL) eventStoreContract('the event store on a real EventStoreDB', () => placeOnRealServer(REAL));

/** Lets plain Node run the sources, as Vitest does: `./x.js` means `./x.ts`. */
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ resolve: (name, context, next) => next(name.startsWith('.') && context.parentURL?.endsWith('.ts') ? name.replace(/\\.js$/, '.ts') : name, context) });
`)}`;
const SERVER = fileURLToPath(new URL('./testing/server-process.ts', import.meta.url));

describe('the event store on EventStoreDB, when the server fails', { timeout: 60_000 }, () => {
  const stream = streamOf('7f3a');
  let folder: string;
  let port: number;
  let server: ChildProcess;
  const stores: EsdbEventStore[] = [];
  const address = () => `esdb://127.0.0.1:${port}?tls=false`;
  const opened = async (): Promise<EsdbEventStore> => {
    const store = await esdbEventStore({ connectionString: address() });
    stores.push(store);
    return store;
  };
  const launch = async (): Promise<void> => {
    const args = [
      '--experimental-transform-types',
      '--disable-warning=ExperimentalWarning',
      '--conditions=@isthmus/source',
      `--import=${HOOK}`,
    ];
    server = spawn(process.execPath, [...args, SERVER, join(folder, 'records.jsonl'), String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(server.stdout!, 'data')) as [Buffer];
    expect(said.toString()).toContain(String(port));
  };
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isthmus-esdb-'));
    port = await freePort();
    await launch();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await kill();
    await rm(folder, { recursive: true });
  });

  test('killed at any moment and started again, it has every fact that was acknowledged, once, and followers miss none', async () => {
    const store = await opened();
    const facts = chain(stream, 120);
    const followed = take(store.follow('conference', undefined, new AbortController().signal), facts.length);
    const acknowledged: number[] = [];
    const appending = (async () => {
      for (const fact of facts) {
        // Whoever does not know whether it is there says it again.
        while (!acknowledged.includes(fact.seq)) {
          await store.append(stream, fact.seq - 1, [fact]).then(
            () => acknowledged.push(fact.seq),
            (error: unknown) => expect(error).toMatchObject({ code: 'store.unavailable' }),
          );
        }
      }
    })();
    for (const after of [20, 50, 80]) {
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(after), { timeout: 30_000, interval: 5 });
      await kill();
      await launch();
    }
    await appending;
    const after = await opened();
    expect(await collect(after.read(stream))).toEqual(facts);
    expect((await followed).map(({ fact }) => fact)).toEqual(facts);
  });

  test('at whatever moment it loses power, what it has of a peer’s facts is not more than their author’s word says', async () => {
    const store = await opened();
    const facts = chain(stream, 3);
    for (const fact of facts) {
      await store.setBookmark('word', String(fact.seq), 'before-facts');
      await store.adopt([fact]);
    }
    const lines = (await readFile(join(folder, 'records.jsonl'), 'utf8')).trimEnd().split('\n');
    const found: string[] = [];
    for (let written = 0; written <= lines.length; written++) {
      const file = join(folder, `power-cut-${written}.jsonl`);
      await writeFile(
        file,
        lines.slice(0, written).map((line) => `${line}\n`),
      );
      const cut = await startEsdbServer(file);
      const left = await esdbEventStore({ connectionString: cut.connectionString });
      const [word, held] = [await left.bookmark('word'), await collect(left.read(stream))];
      found.push(`${held.length} with ${word}`);
      await left.close();
      await cut.close();
    }
    expect([...new Set(found)]).toEqual(['0 with undefined', '0 with 0', '1 with 0', '1 with 1', '2 with 1', '2 with 2', '3 with 2']);
  });

  test('away, it is named, commands are told, and a follower goes on where it was when it is back', async () => {
    const store = await opened();
    const facts = chain(stream, 3);
    await store.append(stream, -1, facts.slice(0, 1));
    const seen: number[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const { fact } of store.follow('conference', undefined, stop.signal)) seen.push(fact.seq);
    })();
    await vi.waitFor(() => expect(seen).toEqual([0]), { timeout: 10_000 });
    expect(await store.trouble()).toBeUndefined();
    await kill();
    expect(await store.trouble()).toMatch(`EventStoreDB at 127.0.0.1:${port} cannot be used`);
    await launch();
    await vi.waitFor(async () => expect(await store.trouble()).toBeUndefined(), { timeout: 20_000 });
    await store.append(stream, 0, facts.slice(1));
    await vi.waitFor(() => expect(seen).toEqual([0, 1, 2]), { timeout: 20_000 });
    stop.abort();
    await following;
  });

  test('that does not answer is a fault in time, not a wait for ever', async () => {
    const store = await esdbEventStore({ connectionString: address(), patienceMs: 1_000 });
    stores.push(store);
    server.kill('SIGSTOP');
    await expect(store.append(stream, -1, chain(stream, 1))).rejects.toMatchObject({ kind: 'fault', code: 'store.unavailable' });
    server.kill('SIGCONT');
  });

  test('two brains of a site: of appends against one revision one wins, what both adopt is there once, and no tenure is given twice', async () => {
    const [one, other] = [await opened(), await opened()];
    const rivals = await Promise.allSettled([
      one.append(stream, -1, chain(stream, 1, undefined, 'one')),
      other.append(stream, -1, chain(stream, 1, undefined, 'other')),
    ]);
    expect(rivals.map((rival) => rival.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(rivals.find((rival) => rival.status === 'rejected')?.reason).toMatchObject({ kind: 'refusal', code: 'store.conflict' });
    const theirs = streamOf('7f3a', 'lon', 4);
    const facts = chain(theirs, 40);
    const news = await Promise.all([one.adopt(facts), other.adopt(facts.toReversed()), one.adopt(facts.slice(10))]);
    expect(news.flat()).toHaveLength(40);
    expect(await collect(other.read(theirs))).toEqual(facts);
    const epochs = await Promise.all([one, other, one, other].map((store) => store.beginEpoch()));
    expect(new Set(epochs).size).toBe(4);
  });

  test('who takes over is after all before them, and the former writes no more, not even with what it had begun', async () => {
    const [former, next] = [await opened(), await opened()];
    const [old, young] = [writerOf(stream), 'nyc.2' as WriterId];
    expect(await former.sharing.claim('room-1', old)).toEqual([]);
    await former.sharing.settle('room-1', old);
    const facts = chain(stream, 3);
    await former.append(stream, -1, facts.slice(0, 1));
    const another = streamOf('new');
    expect(await next.sharing.claim('room-1', young)).toEqual([old]);
    await next.sharing.fence([stream, another]);
    await next.sharing.fence([stream]);
    const fenced = { kind: 'fault', code: 'store.fenced' };
    await expect(former.append(stream, 0, facts.slice(1, 2))).rejects.toMatchObject(fenced);
    await expect(former.append(another, -1, chain(another, 1))).rejects.toMatchObject(fenced);
    // What was there is there all the same, for whoever did not learn that it is, and others may bring what was lost.
    await former.append(stream, -1, facts.slice(0, 1));
    expect(await next.adopt(facts)).toEqual(facts.slice(1));
    expect(await collect(next.read(stream))).toEqual(facts);
    // Not settled: whoever comes next fences both.
    expect(await former.sharing.claim('room-1', 'nyc.3' as WriterId)).toEqual([old, young]);
    await next.sharing.settle('room-1', young);
    await former.sharing.settle('room-1', 'nyc.3' as WriterId);
    expect(await next.sharing.claim('room-1', 'nyc.4' as WriterId)).toEqual(['nyc.3']);
    expect(await next.streams('conference')).toEqual([stream, another].sort());
  });

  test('nobody there at the start: it says once that it waits, and names the server, not the password, when it gives up', async () => {
    await kill();
    const waiting = vi.fn();
    const starting = esdbEventStore({ connectionString: `esdb://admin:changeit@127.0.0.1:${port}?tls=false`, waitMs: 1_500, waiting });
    await expect(starting).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(starting).rejects.toThrow(`127.0.0.1:${port}`);
    await expect(starting).rejects.not.toThrow(/changeit/);
    expect(waiting).toHaveBeenCalledTimes(1);
    await launch();
  });

  test('a connection string that is none is refused in words', async () => {
    await expect(esdbEventStore({ connectionString: 'http//nowhere' })).rejects.toMatchObject({ code: 'config.invalid' });
  });
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};
