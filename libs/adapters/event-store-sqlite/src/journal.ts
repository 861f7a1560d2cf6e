import { rmSync } from 'node:fs';
import { Fault, type Fact, type StreamName } from '@isthmus/kernel';
import { sqliteEventStore, type SqliteEventStore } from './sqlite-event-store.js';

const CATEGORIES = ['estate', 'room', 'conference'] as const;
/** Streams that are read side by side: each answer waits for what is being fsynced. */
const AT_ONCE = 32;

/** Where facts wait on this machine's disk until the store that they belong to is back: one file for each time that it is away. */
export class Journal {
  private constructor(
    private readonly file: string,
    private readonly kept: SqliteEventStore,
  ) {}

  /** @throws Fault `store.full` and the like */
  static async open(file: string): Promise<Journal> {
    return new Journal(file, await sqliteEventStore({ file }));
  }

  /** One that was left by a process that is gone; undefined if its process lives. */
  static async openLeft(file: string): Promise<Journal | undefined> {
    try {
      return await Journal.open(file);
    } catch (error) {
      if (error instanceof Fault && (error as Fault).code === 'store.locked') return undefined;
      throw error;
    }
  }

  /** Durable when it resolves, with those that were new here. */
  add(facts: readonly Fact[]): Promise<readonly Fact[]> {
    return this.kept.adopt(facts);
  }

  async read(stream: StreamName, from: number): Promise<readonly Fact[]> {
    const facts: Fact[] = [];
    for await (const fact of this.kept.read(stream, from)) facts.push(fact);
    return facts;
  }

  streams(category: string): Promise<readonly StreamName[]> {
    return this.kept.streams(category);
  }

  async facts(category: string): Promise<readonly Fact[]> {
    const streams = await this.streams(category);
    return (await Promise.all(streams.map((stream) => this.read(stream, 0)))).flat();
  }

  /** Everything that is here now, each stream in order, about so many at a time: of several streams, where they are short. */
  async *all(portion: number): AsyncIterable<readonly Fact[]> {
    for (const category of CATEGORIES) {
      const streams = await this.streams(category);
      const facts: Fact[] = [];
      for (let at = 0; at < streams.length; at += AT_ONCE) {
        const read = await Promise.all(streams.slice(at, at + AT_ONCE).map((stream) => this.read(stream, 0)));
        facts.push(...read.flat());
        while (facts.length >= portion) yield facts.splice(0, portion);
      }
      if (facts.length > 0) yield facts;
    }
  }

  close(): Promise<void> {
    return this.kept.close();
  }

  /** The store has all of it. */
  async remove(): Promise<void> {
    await this.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.file}${suffix}`, { force: true });
  }
}
