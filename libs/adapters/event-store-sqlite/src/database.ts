import { accessSync, chmodSync, closeSync, constants, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync, type StatementSync } from 'node:sqlite';
import { corrupt, defect, fenced, foreign, newer, refusal } from './database-failure.ts';
import type { FactRow, StoredRow, WriteOp } from './database-protocol.ts';

const SCHEMA = 1;
/** `isth`, so that nobody takes another program's file for ours. */
const APPLICATION = 0x69737468;
/** A page of reading ends after so many facts, or so many characters of them. */
const PAGE_FACTS = 500;
const PAGE_CHARS = 1024 * 1024;
/** Of 4 KiB each, copied between two looks at what others want. */
const COPY_PAGES = 256;

/**
 * One SQLite file, and all the SQL there is. Every call blocks; it lives in a thread of its own. The file is held exclusively,
 * so that two processes never write one stream; the write-ahead log is fsynced at each commit (`synchronous=FULL`, ADR 0004).
 */
export class Database {
  readonly file: string;
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  /** Hints, written along with the next commit. */
  private readonly bookmarks = new Map<string, string>();

  constructor(file: string) {
    this.file = file;
    if (file !== ':memory:') makeFolder(file);
    this.db = new DatabaseSync(file, { timeout: 1_000 });
    try {
      this.inspect();
      this.prepare();
      if (file !== ':memory:') syncFolder(dirname(file));
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  /** Looks before it touches: what is not ours, newer than us or damaged stays byte for byte as it is. */
  private inspect(): void {
    this.db.exec('PRAGMA locking_mode=EXCLUSIVE');
    const application = this.pragma('application_id');
    const schema = this.pragma('user_version');
    const tables = Number(this.db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n']);
    if (tables > 0 && application !== APPLICATION) throw foreign(this.file);
    if (schema > SCHEMA) throw newer(this.file, schema, SCHEMA);
    const verdict = this.db.prepare('PRAGMA quick_check(1)').get()!['quick_check'];
    if (verdict !== 'ok') throw corrupt(this.file, String(verdict));
  }

  private prepare(): void {
    this.db.exec('PRAGMA journal_mode=WAL');
    this.db.exec('PRAGMA synchronous=FULL');
    this.db.exec('PRAGMA journal_size_limit=67108864');
    // Writes at every start, so that a file that cannot be written to is known now and not at the first join.
    this.transaction(() => {
      this.db.exec(`
        PRAGMA application_id=${APPLICATION};
        PRAGMA user_version=${SCHEMA};
        CREATE TABLE IF NOT EXISTS streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, category TEXT NOT NULL, head INTEGER NOT NULL) STRICT;
        CREATE INDEX IF NOT EXISTS streams_by_category ON streams (category, name);
        CREATE TABLE IF NOT EXISTS facts (
          row INTEGER PRIMARY KEY AUTOINCREMENT, category TEXT NOT NULL, stream INTEGER NOT NULL REFERENCES streams (id),
          seq INTEGER NOT NULL, hash TEXT NOT NULL, json TEXT NOT NULL, UNIQUE (stream, seq, hash)) STRICT;
        CREATE INDEX IF NOT EXISTS facts_by_category ON facts (category, row);
        CREATE INDEX IF NOT EXISTS facts_by_stream ON facts (stream);
        CREATE TABLE IF NOT EXISTS snapshots (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS bookmarks (name TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO counters VALUES ('opened', 1) ON CONFLICT DO UPDATE SET value = value + 1;
      `);
    });
  }

  /** All or nothing, and on disk when it returns. */
  transaction<T>(work: () => T): T {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.writeBookmarks();
      this.db.exec('COMMIT');
      this.bookmarks.clear();
      return result;
    } catch (error) {
      // SQLite has already rolled back after some errors (full disk), not after others.
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      throw error;
    }
  }

  /** A whole database as of some moment of the copying, in a new file that is on disk when this resolves. */
  async copyTo(file: string): Promise<void> {
    await backup(this.db, file, { rate: COPY_PAGES });
    chmodSync(file, 0o600);
    syncFile(file);
    syncFolder(dirname(file));
  }

  /** One write, inside a transaction. Throws a refusal before it has changed anything. */
  write(op: WriteOp): unknown {
    switch (op.op) {
      case 'append':
        return this.append(op.stream, op.expected, op.facts);
      case 'adopt':
        return op.facts.flatMap((fact, index) => (this.insert(fact) ? [index] : []));
      case 'beginEpoch':
        return this.sql(`INSERT INTO counters VALUES ('epoch', 1) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value`).get()![
          'value'
        ];
      case 'beginLife':
        return this.beginLife(op.after);
      case 'keepSnapshot':
        return this.keepSnapshot(op.name, op.text);
    }
  }

  private keepSnapshot(name: string, text: string | undefined): void {
    if (text === undefined) this.sql('DELETE FROM snapshots WHERE name = ?').run(name);
    else this.sql('INSERT INTO snapshots VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text').run(name, text);
  }

  private beginLife(after: number): void {
    this.sql(`INSERT INTO counters VALUES ('epoch', ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)`).run(after);
    // Where SQLite keeps the last row of a table with AUTOINCREMENT (sqlite.org/autoinc.html); none yet if it was never written to.
    const raised = this.sql(`UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'facts'`).run(after);
    if (raised.changes === 0) this.sql(`INSERT INTO sqlite_sequence (name, seq) VALUES ('facts', ?)`).run(after);
  }

  private append(stream: string, expected: number, facts: readonly FactRow[]): void {
    const astray = facts.find((fact, index) => fact.stream !== stream || fact.seq !== expected + 1 + index);
    if (astray) {
      throw defect('store.bad-append', `Fact ${astray.seq} of ${astray.stream} does not continue ${stream} after ${expected}.`, {
        stream,
        expected,
      });
    }
    if (facts.length === 0) return;
    this.refuseFormer(stream);
    const head = Number(this.sql('SELECT head FROM streams WHERE name = ?').get(stream)?.['head'] ?? -1);
    if (head === expected) {
      for (const fact of facts) this.insert(fact);
    } else if (head < expected || !facts.every((fact) => this.has(fact))) {
      throw refusal('store.conflict', `${stream} stands at ${head}, not at ${expected}: decide again on what it holds now.`, {
        stream,
        expected,
        actual: head,
      });
    }
  }

  /** Whoever has begun a later epoch has taken over; the one before it, frozen perhaps and thawed, writes no more (merge rule 4). */
  private refuseFormer(stream: string): void {
    const epoch = Number(/\.(\d+)$/.exec(stream)?.[1] ?? NaN);
    const current = Number(this.sql(`SELECT value FROM counters WHERE name = 'epoch'`).get()?.['value'] ?? 0);
    if (epoch < current) throw fenced(stream, current, this.file);
  }

  private insert(fact: FactRow): boolean {
    const stream = this.sql(
      `INSERT INTO streams (name, category, head) VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET head = max(head, excluded.head) RETURNING id`,
    ).get(fact.stream, fact.category, fact.seq)!['id']!;
    const inserted = this.sql('INSERT INTO facts (category, stream, seq, hash, json) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
    return inserted.run(fact.category, stream, fact.seq, fact.hash, fact.json).changes === 1;
  }

  private has(fact: FactRow): boolean {
    const found = this.sql('SELECT 1 FROM facts WHERE stream = (SELECT id FROM streams WHERE name = ?) AND seq = ? AND hash = ?');
    return found.get(fact.stream, fact.seq, fact.hash) !== undefined;
  }

  /** Facts of a stream behind the place (seq, row); rows tell a fork's two stories apart. */
  read(stream: string, fromSeq: number, afterRow: number): StoredRow[] {
    return page(
      this.sql(
        `SELECT row, seq, hash, json FROM facts WHERE stream = (SELECT id FROM streams WHERE name = ?1)
        AND (seq > ?2 OR (seq = ?2 AND row > ?3)) ORDER BY seq, row LIMIT ${PAGE_FACTS}`,
      ).iterate(stream, fromSeq, afterRow),
    );
  }

  /** Facts of a stream behind a row, in the order of learning. */
  learned(stream: string, afterRow: number): StoredRow[] {
    return page(
      this.sql(
        `SELECT row, seq, hash, json FROM facts INDEXED BY facts_by_stream
        WHERE stream = (SELECT id FROM streams WHERE name = ?) AND row > ? ORDER BY row LIMIT ${PAGE_FACTS}`,
      ).iterate(stream, afterRow),
    );
  }

  snapshot(name: string): string | undefined {
    const kept = this.sql('SELECT text FROM snapshots WHERE name = ?').get(name)?.['text'];
    return kept === undefined ? undefined : String(kept);
  }

  page(category: string, afterRow: number): StoredRow[] {
    return page(
      this.sql(`SELECT row, seq, hash, json FROM facts WHERE category = ? AND row > ? ORDER BY row LIMIT ${PAGE_FACTS}`).iterate(
        category,
        afterRow,
      ),
    );
  }

  locate(row: number, hash: string): number {
    return this.sql('SELECT 1 FROM facts WHERE row = ? AND substr(hash, 1, length(?2)) = ?2').get(row, hash) ? row : 0;
  }

  streams(category: string): string[] {
    return this.sql('SELECT name FROM streams WHERE category = ? ORDER BY name')
      .all(category)
      .map((found) => String(found['name']));
  }

  bookmark(name: string): string | undefined {
    const kept = this.bookmarks.get(name) ?? this.sql('SELECT position FROM bookmarks WHERE name = ?').get(name)?.['position'];
    return kept === undefined ? undefined : String(kept);
  }

  setBookmark(name: string, position: string): void {
    this.bookmarks.set(name, position);
  }

  hasBookmarksToWrite(): boolean {
    return this.bookmarks.size > 0;
  }

  /** Makes room where it can: moves the write-ahead log into the main file, and truncates it. */
  checkpoint(): void {
    this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.db.close();
  }

  private writeBookmarks(): void {
    for (const [name, position] of this.bookmarks) {
      this.sql('INSERT INTO bookmarks VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position').run(name, position);
    }
  }

  private sql(text: string): StatementSync {
    const statement = this.statements.get(text) ?? this.db.prepare(text);
    this.statements.set(text, statement);
    return statement;
  }

  private pragma(name: string): number {
    return Number(this.db.prepare(`PRAGMA ${name}`).get()![name]);
  }
}

const page = (rows: Iterable<Record<string, unknown>>): StoredRow[] => {
  const found: StoredRow[] = [];
  let chars = 0;
  for (const { row, seq, hash, json } of rows) {
    const text = json as string;
    found.push({ row: row as number, seq: seq as number, hash: hash as string, json: text });
    chars += text.length;
    if (chars >= PAGE_CHARS) break;
  }
  return found;
};

/** SQLite says of a read-only folder only that it "cannot open"; the operating system says why. */
const makeFolder = (file: string): void => {
  let there = file;
  while (!existsSync(there)) there = dirname(there);
  accessSync(there, constants.W_OK);
  mkdirSync(dirname(file), { recursive: true });
};

/** A new file is durable only when the folder that names it is. */
const syncFolder = (folder: string): void => syncFile(folder);

const syncFile = (file: string): void => {
  const handle = openSync(file, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};
