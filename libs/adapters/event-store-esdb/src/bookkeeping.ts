import { ANY, BACKWARDS, END, ErrorType, FORWARDS, NO_STREAM, START, jsonEvent, type EventData } from '@eventstore/db-client';
import { categoryOf, Refusal, type StreamName } from '@isthmus/kernel';
import { SNAPSHOT_BYTES, type Position } from '@isthmus/ports';
import { Bookmarks } from './bookmarks.js';
import type { Connection } from './connection.js';
import type { LogPlace } from './events.js';
import { closedFault, kindOf } from './failures.js';

/**
 * What the store keeps beside facts: which tenures it has given, how far followers have come, and which streams there are. Its
 * own streams have no `-` in their names, so they belong to no category.
 */
export class Bookkeeping {
  private readonly bookmarks: Bookmarks;
  private readonly trimmed = new Set<string>();
  /** Names by category, and how far the server's log was read for them. */
  private readonly names = new Map<string, Set<StreamName>>();
  private readUpTo: LogPlace | undefined;
  private reading: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  /** @param prefix what our own streams begin with */
  constructor(
    private readonly connection: Connection,
    private readonly prefix: string,
  ) {
    this.bookmarks = new Bookmarks((name, position, patienceMs) => {
      const event = jsonEvent({ type: 'BookmarkSet', data: { position } });
      return this.connection.call(() => this.replace(this.bookmarkStream(name), event), patienceMs);
    });
  }

  /** -1 if none was given yet. */
  async lastEpoch(): Promise<bigint> {
    const last = await this.last(`${this.prefix}epochs`);
    return last?.revision ?? -1n;
  }

  /** Each tenure is an event; that two of them get one number, the server refuses by the revision. */
  async beginEpoch(): Promise<number> {
    const { client } = this.connection;
    for (;;) {
      const last = await this.connection.call(() => this.lastEpoch());
      const event = jsonEvent({ type: 'EpochBegun', data: { epoch: Number(last) + 2 } });
      try {
        const expectedRevision = last < 0n ? NO_STREAM : last;
        const written = await this.connection.call(() => client.appendToStream(`${this.prefix}epochs`, event, { expectedRevision }));
        return Number(written.nextExpectedRevision) + 1;
      } catch (error) {
        if (kindOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
      }
    }
  }

  async bookmark(name: string): Promise<Position | undefined> {
    const waiting = this.bookmarks.of(name);
    if (waiting !== undefined) return waiting;
    const last = await this.connection.call(() => this.last(this.bookmarkStream(name)));
    const position = (last?.data as { position?: unknown } | undefined)?.position;
    return typeof position === 'string' ? position : undefined;
  }

  setBookmark(name: string, position: Position, isAhead = false): void {
    if (this.connection.closed.aborted) throw closedFault();
    this.bookmarks.set(name, position, isAhead);
  }

  /** What was set to be there before facts are is durable when this resolves. */
  beforeFacts(): Promise<void> {
    return this.bookmarks.beforeFacts();
  }

  private bookmarkStream(name: string): string {
    return `${this.prefix}bookmark:${name.replaceAll('-', '_')}`;
  }

  /** A snapshot is one event, which the server takes whole or not at all. */
  async keepSnapshot(name: string, text: string | undefined): Promise<void> {
    if (this.connection.closed.aborted) throw closedFault();
    const bytes = Buffer.byteLength(text ?? '');
    if (bytes > SNAPSHOT_BYTES)
      throw new Refusal('store.too-large', `The snapshot ${name} has ${bytes} bytes; ${SNAPSHOT_BYTES} is the most.`, { name, bytes });
    const stream = this.snapshotStream(name);
    await this.connection.call(() => this.replace(stream, jsonEvent({ type: 'SnapshotKept', data: { text: text ?? null } })));
  }

  async snapshot(name: string): Promise<string | undefined> {
    const last = await this.connection.call(() => this.last(this.snapshotStream(name)));
    const text = (last?.data as { text?: unknown } | undefined)?.text;
    return typeof text === 'string' ? text : undefined;
  }

  /** Only the last event of such a stream counts: the server may throw away the others. */
  private async replace(stream: string, event: EventData): Promise<void> {
    const { client } = this.connection;
    if (!this.trimmed.has(stream)) await client.setStreamMetadata(stream, { maxCount: 1 });
    this.trimmed.add(stream);
    await client.appendToStream(stream, event, { expectedRevision: ANY });
  }

  private snapshotStream(name: string): string {
    return `${this.prefix}snapshot:${name.replaceAll(/[^a-z0-9]/g, (odd) => `_${odd.charCodeAt(0).toString(16)}`)}`;
  }

  /** The streams of a category, by what was appended since the last time; the client cannot ask for names alone. */
  async streams(category: string, namespace: string): Promise<readonly StreamName[]> {
    // Whoever asks while it is being read waits for the next reading, and all of them for the same one.
    this.next ??= this.reading
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return (this.reading = this.connection.call(() => this.readOn(namespace)));
      });
    await this.next;
    return [...(this.names.get(category) ?? [])].sort();
  }

  private async readOn(namespace: string): Promise<void> {
    const events = this.connection.client.readAll({ direction: FORWARDS, fromPosition: this.readUpTo ?? START });
    events.on('error', () => undefined);
    for await (const { event } of events) {
      if (!event) continue;
      this.readUpTo = event.position ?? this.readUpTo;
      const { streamId } = event;
      if (!streamId.startsWith(namespace) || streamId.startsWith('$')) continue;
      const name = streamId.slice(namespace.length) as StreamName;
      const category = categoryOf(name);
      if (category === '' || !name.includes('@') || !name.includes('-')) continue;
      const names = this.names.get(category) ?? new Set();
      this.names.set(category, names.add(name));
    }
  }

  /** @throws what the client throws if this user may not read everything */
  async mayReadAll(): Promise<void> {
    const events = this.connection.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
    events.on('error', () => undefined);
    // To its end: what is left unread is never given up.
    for await (const _ of events);
  }

  private async last(stream: string): Promise<{ readonly revision: bigint; readonly data: unknown } | undefined> {
    const events = this.connection.client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 });
    events.on('error', () => undefined);
    let last: { readonly revision: bigint; readonly data: unknown } | undefined;
    try {
      for await (const { event } of events) if (event) last = { revision: event.revision, data: event.data };
    } catch (error) {
      if (kindOf(error) !== ErrorType.STREAM_NOT_FOUND) throw error;
    }
    return last;
  }

  async close(): Promise<void> {
    if (!this.connection.closed.aborted) await this.bookmarks.close();
  }
}
