import { z } from 'zod';
import { Fault, Refusal } from '@isthmus/kernel';

/** What a member of a site's bus and the process that holds the bus say to each other, over a link that proves who they are. */
const message = z.object({
  topic: z.string().min(1).max(128),
  key: z.string().max(256),
  value: z.unknown(),
  headers: z.record(z.string(), z.string()).optional(),
});

/** What a handler threw: refusals and faults cross as they are, and of everything else only that it happened. */
export const crossedError = z.object({
  kind: z.enum(['refusal', 'fault', 'broken']),
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).default({}),
  retryable: z.boolean().default(true),
});
export type CrossedError = z.infer<typeof crossedError>;

const id = z.int().min(1);

export const fromMember = z.discriminatedUnion('type', [
  /** First. `session` is made up by the member and stays the same as long as its process lives. */
  z.object({ type: z.literal('hello'), v: z.literal(1), name: z.string().min(1).max(128), session: z.string().min(16).max(64) }),
  z.object({ type: z.literal('publish'), id, message }),
  z.object({ type: z.literal('request'), id, message, deadlineMs: z.number().min(0).max(600_000) }),
  z.object({ type: z.literal('subscribe'), id, topic: z.string().min(1).max(128), group: z.string().min(1).max(128) }),
  z.object({ type: z.literal('unsubscribe'), id, subscription: id }),
  /** What became of a `deliver`. */
  z.object({ type: z.literal('done'), delivery: id, answer: message.nullable(), error: crossedError.nullable() }),
  /** It goes for good. */
  z.object({ type: z.literal('bye') }),
]);
export type FromMember = z.infer<typeof fromMember>;

export const toMember = z.discriminatedUnion('type', [
  /** `resumed`: the subscriptions of this session are still there. */
  z.object({ type: z.literal('welcome'), resumed: z.boolean() }),
  z.object({ type: z.literal('ok'), re: id }),
  z.object({ type: z.literal('answer'), re: id, message }),
  z.object({ type: z.literal('failed'), re: id, error: crossedError }),
  z.object({ type: z.literal('deliver'), delivery: id, subscription: id, message }),
]);
export type ToMember = z.infer<typeof toMember>;

/** A fault that trying again does not mend. */
class LastingFault extends Fault {
  override readonly retryable = false;
}

export const crossing = (error: unknown): CrossedError => {
  if (error instanceof Refusal || error instanceof Fault) {
    const { code, message: words, details } = error as Fault;
    const plain = JSON.parse(JSON.stringify(details ?? {})) as Record<string, unknown>;
    const kind = error instanceof Refusal ? 'refusal' : 'fault';
    return { kind, code, message: words, details: plain, retryable: kind === 'fault' && (error as Fault).retryable };
  }
  return { kind: 'broken', code: '', message: '', details: {}, retryable: true };
};

export const arrived = ({ kind, code, message: words, details, retryable }: CrossedError): Error => {
  if (kind === 'refusal') return new Refusal(code, words, details);
  if (kind === 'fault') return retryable ? new Fault(code, words, details) : new LastingFault(code, words, details);
  return new Error('a handler in another process failed; its log says why');
};

/** Longer than a client's 64 KiB: a desire for a large meeting names everyone to everyone. */
export const BUS_LIMITS = { messageBytes: 16 * 1024 * 1024, bufferedBytes: 64 * 1024 * 1024, pingMs: 500, deadMs: 3_000 } as const;
