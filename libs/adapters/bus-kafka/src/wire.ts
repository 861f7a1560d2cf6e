import type { IHeaders, KafkaMessage } from 'kafkajs';
import { Defect, Fault, IsthmusError, Refusal } from '@isthmus/kernel';
import type { Message, Topic } from '@isthmus/ports';
import { z } from 'zod';
import { LastingFault } from './access.js';

/** Headers that are between buses; whoever handles a message does not see them. */
const OWN = 'isthmus-';
const HEADER = {
  question: `${OWN}question`,
  replyPartition: `${OWN}reply-partition`,
  until: `${OWN}until`,
  failure: `${OWN}failure`,
} as const;

/** A message as a record, without its partition. */
export interface Record_ {
  readonly topic: Topic;
  readonly key: string;
  /** Null: the value is undefined, as a message without one is. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Who asked, and until when the answer is of use to them (ms since 1970, by their clock). */
export interface Question {
  readonly id: string;
  readonly partition: number;
  readonly until: number;
}

/** @throws Defect `bus.not-json` */
export const recordOf = ({ topic, key, value, headers }: Message): Record_ => {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new Defect('bus.not-json', `A message on ${topic} holds what JSON cannot carry. Send plain data.`, { topic }, { cause });
  }
  return { topic, key, value: json === undefined ? null : Buffer.from(json), headers: { ...headers } };
};

export const asking = (record: Record_, { id, partition, until }: Question): Record_ => ({
  ...record,
  headers: { ...record.headers, [HEADER.question]: id, [HEADER.replyPartition]: String(partition), [HEADER.until]: String(until) },
});

export const questionOf = ({ headers }: Pick<KafkaMessage, 'headers'>): Question | undefined => {
  const [id, partition, until] = [HEADER.question, HEADER.replyPartition, HEADER.until].map((name) => textOf(headers, name));
  return id !== undefined && /^\d{1,5}$/.test(partition ?? '') && /^\d{1,16}$/.test(until ?? '')
    ? { id, partition: Number(partition), until: Number(until) }
    : undefined;
};

/** @throws SyntaxError if the value is no JSON */
export const messageOf = (topic: Topic, { key, value, headers }: Pick<KafkaMessage, 'key' | 'value' | 'headers'>): Message => {
  const others = Object.keys(headers ?? {}).filter((name) => !name.startsWith(OWN));
  return {
    topic,
    key: key?.toString() ?? '',
    value: value === null ? undefined : (JSON.parse(value.toString()) as unknown),
    ...(others.length > 0 ? { headers: Object.fromEntries(others.map((name) => [name, textOf(headers, name) ?? ''])) } : {}),
  };
};

export const answerTo = ({ id }: Question, topic: Topic, answer: Message): Record_ => {
  const record = recordOf(answer);
  return { ...record, topic, headers: { ...record.headers, [HEADER.question]: id } };
};

/** @param sure whether this group is known to answer; what a mere listener throws must not speak for the one who does */
export const failureTo = ({ id }: Question, topic: Topic, asked: Topic, error: unknown, sure: boolean): Record_ => ({
  topic,
  key: id,
  value: null,
  headers: { [HEADER.question]: id, [HEADER.failure]: JSON.stringify({ ...crossing(error, asked), sure }) },
});

export type Reply =
  | { readonly type: 'answer'; readonly question: string; readonly message: Message }
  | { readonly type: 'failure'; readonly question: string; readonly error: IsthmusError; readonly sure: boolean };

/** Undefined: nothing that we could make sense of. */
export const replyOf = (record: KafkaMessage, topic: Topic): Reply | undefined => {
  const question = textOf(record.headers, HEADER.question);
  if (question === undefined) return undefined;
  const failed = textOf(record.headers, HEADER.failure);
  try {
    if (failed === undefined) return { type: 'answer', question, message: messageOf(topic, record) };
    const { sure, ...failure } = crossed.parse(JSON.parse(failed));
    return { type: 'failure', question, error: errorOf(failure), sure };
  } catch {
    return undefined;
  }
};

const crossed = z.object({
  kind: z.enum(['refusal', 'fault']),
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()),
  sure: z.boolean(),
});
type Crossed = Omit<z.infer<typeof crossed>, 'sure'>;

/** What a requester may know of what a handler threw: refusals and faults as they are, and of everything else only that it happened. */
const crossing = (error: unknown, topic: Topic): Crossed => {
  if (error instanceof Refusal || error instanceof Fault) {
    const ours: IsthmusError = error;
    const { kind, code, message, details } = ours;
    return {
      kind: kind === 'refusal' ? kind : 'fault',
      code,
      message,
      retryable: error instanceof Fault && error.retryable,
      details: { ...details },
    };
  }
  const message = `The service that answers ${topic} failed. Its log says why.`;
  return { kind: 'fault', code: 'bus.handler-failed', message, retryable: true, details: { topic } };
};

const errorOf = ({ kind, code, message, retryable, details }: Crossed): IsthmusError => {
  if (kind === 'refusal') return new Refusal(code, message, details);
  return retryable ? new Fault(code, message, details) : new LastingFault(code, message, details);
};

const textOf = (headers: IHeaders | undefined, name: string): string | undefined => {
  const value = headers?.[name];
  const one = Array.isArray(value) ? value[0] : value;
  return one?.toString();
};
