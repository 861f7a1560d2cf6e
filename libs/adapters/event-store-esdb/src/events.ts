import { jsonEvent, type JSONEventType, type ResolvedEvent } from '@eventstore/db-client';
import { isFact, Refusal, type Fact } from '@isthmus/kernel';
import type { Position, Stored } from '@isthmus/ports';

/** A fact is a sentence, not a file: one of our own with more than this (as JSON, in bytes) is a mistake or an attack. */
const FACT_BYTES = 1024 * 1024;

/** The fact is the event's data, whole. Its id follows from its hash, so that the server, too, knows a repetition for what it is. */
export const eventOf = (fact: Fact) =>
  jsonEvent<JSONEventType<string, never>>({ id: idOf(fact.hash), type: fact.type, data: fact as never });

/** Undefined: something that is no fact; whoever wrote it there, it is not ours to interpret. */
export const factOf = (resolved: ResolvedEvent): Fact | undefined => {
  const data = resolved.event?.data;
  return isFact(data) ? data : undefined;
};

const FENCE = 'isthmus:fenced';
/** Ends a stream for whoever writes it: it is no fact, and no later fact may follow it but by adoption. */
export const fenceEvent = () => jsonEvent({ type: FENCE, data: {} });
export const isFence = ({ event }: ResolvedEvent): boolean => event?.type === FENCE && !isFact(event.data);

/** The first 128 bits of the hash as a UUID of version 8 (RFC 9562 §5.8: bits of one's own choosing). */
const idOf = (hash: string): string => {
  const hex = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

export const refuseTooLarge = (fact: Fact): void => {
  const bytes = Buffer.byteLength(JSON.stringify(fact));
  if (bytes <= FACT_BYTES) return;
  const { stream, seq } = fact;
  throw new Refusal('store.too-large', `Fact ${seq} of ${stream} has ${bytes} bytes; ${FACT_BYTES} is the most.`, { stream, seq, bytes });
};

/** A place in the server's log of everything. */
export interface LogPlace {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** A position proves itself: it carries the beginning of its fact's hash, so that one from another server is noticed. */
export const storedOf = (fact: Fact, { commit, prepare }: LogPlace): Stored => ({
  position: `${commit}.${prepare}.${fact.hash.slice(0, 16)}`,
  fact,
});

const POSITION = /^(\d{1,20})\.(\d{1,20})\.(.{1,16})$/s;
export const placeOf = (position: Position): (LogPlace & { readonly hash: string }) | undefined => {
  const [, commit, prepare, hash] = POSITION.exec(position) ?? [];
  return commit && prepare && hash ? { commit: BigInt(commit), prepare: BigInt(prepare), hash } : undefined;
};
