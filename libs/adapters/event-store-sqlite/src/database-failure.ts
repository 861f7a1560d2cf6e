import type { Failure } from './database-protocol.ts';

/** Carries a {@link Failure} up to the thread's edge. */
export class DatabaseFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

const fault = (code: string, message: string, file: string, retryable: boolean, cause?: unknown): DatabaseFailure =>
  new DatabaseFailure({ kind: 'fault', code, message, retryable, details: { file } }, { cause });

export const refusal = (code: string, message: string, details: Record<string, unknown>): DatabaseFailure =>
  new DatabaseFailure({ kind: 'refusal', code, message, retryable: false, details });

export const defect = (code: string, message: string, details: Record<string, unknown>): DatabaseFailure =>
  new DatabaseFailure({ kind: 'defect', code, message, retryable: false, details });

const AFTER_CORRUPTION = 'It was left as it is. Restore a backup in its place, or move it away together with its -wal file to start empty.';

export const corrupt = (file: string, what: string, cause?: unknown): DatabaseFailure =>
  fault('store.corrupt', `The event store ${file} is damaged (${what.replace(/\s+/g, ' ')}). ${AFTER_CORRUPTION}`, file, false, cause);

export const newer = (file: string, schema: number, known: number): DatabaseFailure =>
  fault(
    'store.newer',
    `The event store ${file} has schema ${schema}; this version knows ${known} at most. Start the newer version again.`,
    file,
    false,
  );

export const foreign = (file: string): DatabaseFailure =>
  fault(
    'store.foreign',
    `${file} is a database, but not an event store of Isthmus. It was left as it is; choose another file.`,
    file,
    false,
  );

export const fenced = (stream: string, epoch: number, file: string): DatabaseFailure =>
  fault(
    'store.fenced',
    `${stream} is of a tenure that is over: epoch ${epoch} has begun. Whoever still writes it was taken over from, and has to start anew.`,
    file,
    false,
  );

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const RESULT = { PERM: 3, BUSY: 5, LOCKED: 6, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const;

/** Says in our words what SQLite or the operating system ran into. */
export const failureOf = (error: unknown, file: string): Failure => {
  if (error instanceof DatabaseFailure) return error.failure;
  const { errcode, errstr, code, message } = error as { errcode?: number; errstr?: string; code?: string; message?: string };
  const what = errstr ?? message ?? String(error);
  switch (errcode === undefined ? undefined : errcode & 0xff) {
    case RESULT.FULL:
      return fault(
        'store.full',
        `No space is left for the event store ${file}. Free some; nothing that was acknowledged is lost.`,
        file,
        true,
      ).failure;
    case RESULT.READONLY:
    case RESULT.PERM:
      return readOnly(file);
    case RESULT.BUSY:
    case RESULT.LOCKED:
      return fault(
        'store.locked',
        `Another process has the event store ${file} open. Stop it, or give this one a file of its own.`,
        file,
        false,
      ).failure;
    case RESULT.CORRUPT:
    case RESULT.NOTADB:
      return corrupt(file, what).failure;
    case RESULT.CANTOPEN:
      return fault(
        'store.unavailable',
        `The event store ${file} cannot be opened. Is it a file, in a folder that this user may write to?`,
        file,
        true,
      ).failure;
    default:
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return readOnly(file);
  if (code === 'ENOSPC') return fault('store.full', `No space is left to create the event store ${file}. Free some.`, file, true).failure;
  return fault('store.unavailable', `The event store ${file} failed: ${what}.`, file, true).failure;
};

const readOnly = (file: string): Failure =>
  fault('store.read-only', `The event store ${file} cannot be written to. Make its folder writable, or choose another.`, file, false)
    .failure;
