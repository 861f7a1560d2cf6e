import type { Brand } from './brand.js';

/** Where people are: New York, London. The white paper's location. Lower-case letters, digits and `_`; 1 to 32 of them. */
export type SiteId = Brand<string, 'SiteId'>;

/**
 * Who records: one brain of one site during one tenure, as `nyc.7`. A takeover, a restart and a restored backup each
 * begin a new tenure (an epoch), so that nobody ever writes under a name that somebody else wrote under before.
 */
export type WriterId = Brand<string, 'WriterId'>;

/**
 * One writer's line of facts about one thing: `conference-7f3a@nyc.4`. Its category is the part before the first `-`,
 * its writer the part after the `@`. Nobody but that writer ever appends to it.
 */
export type StreamName = Brand<string, 'StreamName'>;

/** Names a fact for ever: the SHA-256, in hex, of everything else in it. */
export type FactHash = Brand<string, 'FactHash'>;

/** A place in a stream that somebody had seen. The hash tells a forked stream's two stories apart. */
export interface Head {
  readonly stream: StreamName;
  readonly seq: number;
  readonly hash: FactHash;
}

/**
 * Something that happened, as its writer recorded it. Sites keep each other's facts byte for byte; nobody changes one,
 * and nothing but facts changes state. (ADR 0003; the shape is fixed for ever, new meaning comes as a new `type` or `v`.)
 */
export interface Fact<Body = unknown> {
  readonly hash: FactHash;
  readonly stream: StreamName;
  /** 0, 1, 2, … within the stream, without a gap. */
  readonly seq: number;
  /** The writer's own clock, in ms since 1970, monotone within the writer. It may be wrong by years; no peer ever moves it. */
  readonly at: number;
  /** Hash of the stream's fact before this one; null for the first. */
  readonly prev: FactHash | null;
  /** The heads of other streams that the writer had folded: one per stream, only those that changed since its last fact here. */
  readonly after: readonly Head[];
  /** Who acted: a leg, a person or `system`. */
  readonly by: string;
  readonly type: string;
  /** Version of the body's shape; old versions are upcast at the store's door. */
  readonly v: number;
  readonly body: Body;
}

export const writerOf = (stream: StreamName): WriterId => stream.slice(stream.lastIndexOf('@') + 1) as WriterId;
export const siteOf = (writer: WriterId): SiteId => writer.slice(0, writer.lastIndexOf('.')) as SiteId;
export const siteOfStream = (stream: StreamName): SiteId => siteOf(writerOf(stream));
export const epochOf = (writer: WriterId): number => Number(writer.slice(writer.lastIndexOf('.') + 1));
export const categoryOf = (stream: StreamName): string => stream.slice(0, stream.indexOf('-'));
/** What the stream is about: `7f3a` in `conference-7f3a@nyc.4`. */
export const subjectOf = (stream: StreamName): string => stream.slice(stream.indexOf('-') + 1, stream.lastIndexOf('@'));
export const writerIdOf = (site: SiteId, epoch: number): WriterId => `${site}.${epoch}` as WriterId;
export const streamNameOf = (category: string, subject: string, writer: WriterId): StreamName =>
  `${category}-${subject}@${writer}` as StreamName;
