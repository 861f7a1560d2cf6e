import { Defect, Fault, IsthmusError, Refusal } from '@isthmus/kernel';
import type { Bus, Message, SubscribeOptions, Subscription, Topic } from '@isthmus/ports';
import { Group, type Delivery } from './group.js';

export interface EmbeddedBusOptions {
  /** Most messages that wait for one group of one topic; more are refused to the publisher. Default 10,000. */
  readonly queueLimit?: number;
  /** What a handler threw for which no requester waits. Default: one line on stderr. */
  readonly report?: (failure: { readonly topic: Topic; readonly group: string; readonly error: unknown }) => void;
}

interface Question {
  /** Groups that have the question and have not finished with it. */
  open: number;
  failure: IsthmusError | undefined;
  answer(message: Message): void;
  fail(error: IsthmusError): void;
}

/** A fault that trying again does not mend. */
class LastingFault extends Fault {
  override readonly retryable = false;
}

/** A copy as it would come off a wire, so that services behave alike when a broker carries their messages. */
const packed = ({ topic, key, value, headers }: Message): (() => Message) => {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new Defect('bus.not-json', `A message on ${topic} holds what JSON cannot carry. Send plain data.`, { topic }, { cause });
  }
  return () => ({ topic, key, value: json === undefined ? undefined : JSON.parse(json), ...(headers ? { headers: { ...headers } } : {}) });
};

/** What a requester may know of what a handler threw: refusals and faults as they are, and of everything else only that it happened. */
const crossed = (error: unknown, topic: Topic): IsthmusError => {
  if (error instanceof Refusal || error instanceof Fault) {
    const details = JSON.parse(JSON.stringify(error.details)) as Record<string, unknown>;
    if (error instanceof Refusal) return new Refusal(error.code, error.message, details);
    const { code, message, retryable } = error as Fault;
    return retryable ? new Fault(code, message, details) : new LastingFault(code, message, details);
  }
  return new Fault('bus.handler-failed', `The service that answers ${topic} failed. Its log says why.`, { topic });
};

const onStderr: NonNullable<EmbeddedBusOptions['report']> = ({ topic, group, error }) =>
  console.error(`bus: ${group} failed on ${topic}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);

/** The bus of a site that is one process: no broker, no network, the same promises (`busContract`). */
export const embeddedBus = (options: EmbeddedBusOptions = {}): Bus => {
  const { queueLimit = 10_000, report = onStderr } = options;
  const topics = new Map<Topic, Map<string, Group>>();
  const questions = new Set<Question>();
  let closing: Promise<void> | undefined;

  const refuseIfClosed = () => {
    if (closing) throw new Fault('bus.closed', 'The bus of this process is closed: it is shutting down.');
  };
  const groupsOf = (topic: Topic): readonly Group[] => [...(topics.get(topic)?.values() ?? [])];

  /** Offers a message to every group that has room; says afterwards which had none, so that one full group starves no other. */
  const offer = (topic: Topic, delivery: (group: Group) => Delivery): void => {
    const full = groupsOf(topic).filter((group) => !group.offer(delivery(group)));
    if (full.length === 0) return;
    const names = full.map(({ name }) => name);
    throw new Fault('bus.full', `${names.join(', ')} cannot keep up with ${topic}: ${queueLimit} messages wait. Try again later.`, {
      topic,
      groups: names,
    });
  };

  const publish = async (message: Message): Promise<void> => {
    refuseIfClosed();
    const copy = packed(message);
    const { topic, key } = message;
    offer(topic, ({ name }) => ({ key, copy, answered: () => undefined, failed: (error) => report({ topic, group: name, error }) }));
  };

  const request = async (message: Message, deadlineMs: number): Promise<Message> => {
    refuseIfClosed();
    const copy = packed(message);
    const { topic, key } = message;
    return new Promise<Message>((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        if (questions.delete(question)) act();
      };
      const question: Question = {
        open: 0,
        failure: undefined,
        answer: (answer) => settle(() => resolve(answer)),
        fail: (error) => settle(() => reject(error)),
      };
      const noAnswer = () => new Fault('bus.no-answer', `Nobody answered ${topic} within ${deadlineMs} ms.`, { topic, deadlineMs });
      const timer = setTimeout(() => question.fail(question.failure ?? noAnswer()), deadlineMs);
      questions.add(question);

      // A failure counts only when no other group is left that may still answer.
      const finished = () => {
        if (--question.open === 0 && question.failure) question.fail(question.failure);
      };
      try {
        offer(topic, ({ name }) => {
          question.open++;
          return {
            key,
            copy,
            answered: (answer) => {
              if (answer) question.answer(answer);
              finished();
            },
            failed: (error) => {
              question.failure ??= crossed(error, topic);
              if (!(error instanceof Refusal || error instanceof Fault)) report({ topic, group: name, error });
              finished();
            },
          };
        });
      } catch (full) {
        question.fail(full as Fault);
      }
    });
  };

  const subscribe = async (
    topic: Topic,
    { group: name }: SubscribeOptions,
    handle: (message: Message) => Promise<Message | void>,
  ): Promise<Subscription> => {
    refuseIfClosed();
    const groups = topics.get(topic) ?? new Map<string, Group>();
    topics.set(topic, groups);
    const group = groups.get(name) ?? new Group(name, queueLimit);
    groups.set(name, group);
    const leave = group.join(async (message) => {
      const answer = await handle(message);
      return answer ? packed(answer)() : undefined;
    });
    return {
      close: async () => {
        await leave();
        if (group.isEmpty() && groups.get(name) === group) groups.delete(name);
        if (groups.size === 0 && topics.get(topic) === groups) topics.delete(topic);
      },
    };
  };

  const close = async (): Promise<void> => {
    for (const question of [...questions])
      question.fail(new Fault('bus.closed', 'The bus closed before an answer came: the process is shutting down.'));
    const groups = [...topics.values()].flatMap((byName) => [...byName.values()]);
    topics.clear();
    await Promise.all(groups.map((group) => group.close()));
  };

  return { publish, request, subscribe, close: () => (closing ??= close()) };
};
