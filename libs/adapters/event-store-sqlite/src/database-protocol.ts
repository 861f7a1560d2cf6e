/** What the store and its database thread say to each other. Facts travel as the JSON text that is kept, so nobody rewrites them. */

export interface FactRow {
  readonly stream: string;
  readonly category: string;
  readonly seq: number;
  readonly hash: string;
  readonly json: string;
}

/** A fact as read: `row` is its place in this database's one order of learning. */
export interface StoredRow {
  readonly row: number;
  readonly seq: number;
  readonly hash: string;
  readonly json: string;
}

/** Ops that must be on disk before they are answered. */
export type WriteOp =
  | { readonly op: 'append'; readonly stream: string; readonly expected: number; readonly facts: readonly FactRow[] }
  | { readonly op: 'adopt'; readonly facts: readonly FactRow[] }
  | { readonly op: 'beginEpoch' }
  | { readonly op: 'beginLife'; readonly after: number }
  | { readonly op: 'keepSnapshot'; readonly name: string; readonly text: string | undefined };

export type ReadOp =
  | { readonly op: 'read'; readonly stream: string; readonly fromSeq: number; readonly afterRow: number }
  | { readonly op: 'learned'; readonly stream: string; readonly afterRow: number }
  | { readonly op: 'snapshot'; readonly name: string }
  | { readonly op: 'page'; readonly category: string; readonly afterRow: number }
  | { readonly op: 'locate'; readonly row: number; readonly hash: string }
  | { readonly op: 'streams'; readonly category: string }
  | { readonly op: 'bookmark'; readonly name: string }
  | { readonly op: 'setBookmark'; readonly name: string; readonly position: string }
  | { readonly op: 'close' };

/** Takes as long as it takes, and nobody waits for it. */
export type CopyOp = { readonly op: 'copyTo'; readonly file: string };

export type Op = WriteOp | ReadOp | CopyOp;

export interface Answers {
  append: void;
  /** Indices, in `facts`, of those that were new. */
  adopt: readonly number[];
  beginEpoch: number;
  beginLife: void;
  copyTo: void;
  read: readonly StoredRow[];
  page: readonly StoredRow[];
  learned: readonly StoredRow[];
  snapshot: string | undefined;
  keepSnapshot: void;
  /** The row if it is in this database with this hash, else 0: the beginning. */
  locate: number;
  streams: readonly string[];
  bookmark: string | undefined;
  setBookmark: void;
  close: void;
}

/** An error as it crosses between the threads; becomes a Refusal, Fault or Defect of the kernel on the other side. */
export interface Failure {
  readonly kind: 'refusal' | 'fault' | 'defect';
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Request {
  readonly id: number;
  readonly op: Op;
}

export type Reply =
  | { readonly type: 'opened' }
  | { readonly type: 'not-opened'; readonly failure: Failure }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure };
