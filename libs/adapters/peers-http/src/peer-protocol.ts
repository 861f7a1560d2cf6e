import { z } from 'zod';
import type { Fact, SiteId } from '@isthmus/kernel';

/** The one version of the link between brains that exists so far. */
export const PEER_PROTOCOL = 1;
/** Most facts, and about the most bytes of them, in one batch. */
export const BATCH_FACTS = 200;
export const BATCH_BYTES = 256 * 1024;
/** Batches that may be on the way at once: fills 100 ms of round trip at 20 MB/s, and is all that a slow receiver has to hold. */
export const WINDOW = 8;
/** A batch of one big fact (1 MiB at most, by the store) fits, and the word on it. */
export const PEER_MESSAGE_BYTES = 2 * 1024 * 1024;
/** So much of a message is left to what is not facts: a word on each stream of a batch. */
export const WORD_BYTES = 128 * 1024;

const site = z.string().max(32) as unknown as z.ZodType<SiteId, string>;
const position = z.string().min(1).max(256);

/** What whoever dialled says: it asks, acknowledges by asking on, and tells what is not history. */
export const fromDialler = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), version: z.int(), site, to: site }),
  z.object({ type: z.literal('follow'), after: position.optional(), batches: z.int().min(1).max(WINDOW) }),
  z.object({ type: z.literal('more') }),
  z.object({ type: z.literal('message'), body: z.unknown() }),
]);
export type FromDialler = z.infer<typeof fromDialler>;

/** What whoever was dialled says. Facts are looked at one by one (`isFact`), so that one bad fact does not stop the good ones. */
export const fromDialled = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), version: z.int() }),
  z.object({ type: z.literal('facts'), facts: z.array(z.unknown()).min(1).max(BATCH_FACTS), position, word: z.unknown().optional() }),
]);
export type FromDialled =
  { type: 'welcome'; version: number } | { type: 'facts'; facts: readonly Fact[]; position: string; word?: unknown };
