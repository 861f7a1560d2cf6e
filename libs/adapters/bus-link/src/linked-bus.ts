import { randomUUID } from 'node:crypto';
import { Defect, Fault } from '@isthmus/kernel';
import { dial, type Credentials, type Identity, type SecureLink } from '@isthmus/peers-http';
import type { Message, SubscribeOptions, Subscription, Topic } from '@isthmus/ports';
import { arrived, BUS_LIMITS, crossing, toMember, type FromMember, type ToMember } from './bus-link-protocol.js';
import type { Way } from './several-ways.js';

export interface LinkedBusOptions {
  /** Where the site's bus is: `wss://127.0.0.11:7105`. */
  readonly url: string;
  /** What this member calls itself. */
  readonly name: string;
  /** Asked at each attempt, so that they can rotate. */
  readonly credentials: () => Credentials;
  /** Whether that is the site whose bus we want. */
  readonly expect: (identity: Identity) => boolean;
  readonly log: { warn(fields: object, text: string): void; info(fields: object, text: string): void };
}

type Handle = (message: Message) => Promise<Message | void>;
type Done = Extract<FromMember, { type: 'done' }>;
type Waiting = 'publish' | 'request' | 'subscribe' | 'unsubscribe';

interface Call {
  readonly frame: Extract<FromMember, { type: Waiting }>;
  /** A question may not be asked twice: whether it was answered is not known. */
  sent: boolean;
  readonly settle: (answer: Extract<ToMember, { type: 'ok' | 'answer' }>) => void;
  readonly fail: (error: Error) => void;
}

/** How long a message waits for a link that is down. */
const PUBLISH_WITHIN_MS = 10_000;
const SUBSCRIBE_WITHIN_MS = 30_000;
const LEAVE_WITHIN_MS = 1_000;
const WAITING_MAX = 10_000;
const DONE_KEPT = 1_000;

/** A site's bus for a process beside the one that holds it. The same promises (`busContract`), also while the link is down and up again. */
export const linkedBus = (options: LinkedBusOptions): Way => {
  const { name, log } = options;
  const session = randomUUID();
  const calls = new Map<number, Call>();
  const subscriptions = new Map<number, { readonly topic: Topic; readonly group: string; readonly handle: Handle }>();
  /** What became of deliveries, in case the answer was lost on its way. `undefined` while the handler is at work. */
  const done = new Map<number, Done | undefined>();
  let link: SecureLink | undefined;
  let lastId = 0;
  let closing: Promise<void> | undefined;

  const say = (message: FromMember): boolean => link?.send(message) ?? false;

  const call = (frame: Call['frame'], withinMs: number, late: () => Fault): Promise<Extract<ToMember, { type: 'ok' | 'answer' }>> =>
    new Promise((resolve, reject) => {
      if (calls.size >= WAITING_MAX)
        return reject(
          new Fault('bus.full', `The way to the bus of the site takes no more: ${WAITING_MAX} messages wait. Try again later.`),
        );
      const settled = (act: () => void) => {
        clearTimeout(timer);
        if (calls.delete(frame.id)) act();
      };
      const made: Call = {
        frame,
        sent: false,
        settle: (answer) => settled(() => resolve(answer)),
        fail: (error) => settled(() => reject(error)),
      };
      const timer = setTimeout(() => made.fail(late()), withinMs);
      calls.set(frame.id, made);
      made.sent = say(frame);
    });

  /** The link is up: first what we listen to, then what waits, in the order in which it was said. */
  const welcomed = (resumed: boolean): void => {
    if (!resumed) {
      done.clear();
      for (const [id, { topic, group }] of subscriptions) if (!calls.has(id)) say({ type: 'subscribe', id, topic, group });
    }
    for (const made of calls.values()) {
      if (made.sent && made.frame.type === 'request') continue;
      made.sent = say(made.frame);
    }
  };

  const deliver = async ({ delivery, subscription, message }: Extract<ToMember, { type: 'deliver' }>): Promise<void> => {
    if (done.has(delivery)) {
      const before = done.get(delivery);
      if (before) say(before);
      return;
    }
    done.set(delivery, undefined);
    let result: Done = { type: 'done', delivery, answer: null, error: null };
    try {
      const answer = await subscriptions.get(subscription)?.handle(plain(message));
      if (answer) result = { ...result, answer: packed(answer) };
    } catch (error) {
      const crossed = crossing(error);
      if (crossed.kind === 'broken') log.warn({ error, topic: message.topic }, 'a handler failed');
      result = { ...result, error: crossed };
    }
    done.set(delivery, result);
    if (done.size > DONE_KEPT) for (const [old, kept] of done) if (kept && done.size > DONE_KEPT) done.delete(old);
    say(result);
  };

  const hear = (said: unknown): void => {
    const parsed = toMember.safeParse(said);
    if (!parsed.success) return link?.close('a message was not understood');
    const message = parsed.data;
    switch (message.type) {
      case 'welcome':
        return welcomed(message.resumed);
      case 'ok':
      case 'answer':
        return calls.get(message.re)?.settle(message);
      case 'failed':
        return calls.get(message.re)?.fail(arrived(message.error));
      case 'deliver':
        return void deliver(message);
    }
  };

  let down = false;
  const dialled = dial({
    url: options.url,
    credentials: options.credentials,
    expect: options.expect,
    limits: BUS_LIMITS,
    onLink: (fresh) => {
      if (down) log.info({}, 'the bus of the site is linked again');
      down = false;
      link = undefined;
      fresh.onMessage((said) => {
        link ??= fresh;
        hear(said);
      });
      fresh.onClose(() => {
        if (link === fresh) link = undefined;
      });
      fresh.send({ type: 'hello', v: 1, name, session } satisfies FromMember);
    },
    onDown: (reason) => {
      if (!down && !closing) log.warn({ reason }, 'the bus of the site is out of reach; trying again');
      down = true;
    },
  });

  const refuseIfClosed = () => {
    if (closing) throw new Fault('bus.closed', 'The bus of this process is closed: it is shutting down.');
  };
  const unavailable = () => new Fault('bus.unavailable', 'The bus of the site is out of reach. Is the process that holds it running?');

  const close = async (): Promise<void> => {
    for (const { fail } of [...calls.values()])
      fail(new Fault('bus.closed', 'The bus closed before an answer came: the process is shutting down.'));
    subscriptions.clear();
    say({ type: 'bye' });
    dialled.close();
  };

  return {
    publish: async (message) => {
      refuseIfClosed();
      await call({ type: 'publish', id: ++lastId, message: packed(message) }, PUBLISH_WITHIN_MS, unavailable);
    },
    request: async (message, deadlineMs) => {
      refuseIfClosed();
      const { topic } = message;
      const late = () => new Fault('bus.no-answer', `Nobody answered ${topic} within ${deadlineMs} ms.`, { topic, deadlineMs });
      const answer = await call({ type: 'request', id: ++lastId, message: packed(message), deadlineMs }, deadlineMs, late);
      if (answer.type !== 'answer') throw new Defect('bus.bad-answer', 'A question was answered as if it had been none.');
      return plain(answer.message);
    },
    subscribe: async (topic: Topic, { group }: SubscribeOptions, handle: Handle): Promise<Subscription> => {
      refuseIfClosed();
      const id = ++lastId;
      subscriptions.set(id, { topic, group, handle });
      await call({ type: 'subscribe', id, topic, group }, SUBSCRIBE_WITHIN_MS, unavailable).catch((error: unknown) => {
        subscriptions.delete(id);
        throw error;
      });
      let leaving: Promise<void> | undefined;
      const leave = async () => {
        subscriptions.delete(id);
        if (closing) return;
        // Whoever cannot be told has lost our subscriptions with us.
        await call({ type: 'unsubscribe', id: ++lastId, subscription: id }, LEAVE_WITHIN_MS, unavailable).catch(() => undefined);
      };
      return { close: () => (leaving ??= leave()) };
    },
    linked: () => link !== undefined,
    close: () => (closing ??= close()),
  };
};

type Wire = Extract<FromMember, { type: 'publish' }>['message'];
const plain = ({ topic, key, value, headers }: Wire): Message => ({ topic, key, value, ...(headers ? { headers } : {}) });

/** A copy as JSON carries it. */
const packed = ({ topic, key, value, headers }: Message): Wire => {
  try {
    const json = JSON.stringify(value);
    return { topic, key, value: json === undefined ? undefined : JSON.parse(json), ...(headers ? { headers: { ...headers } } : {}) };
  } catch (cause) {
    throw new Defect('bus.not-json', `A message on ${topic} holds what JSON cannot carry. Send plain data.`, { topic }, { cause });
  }
};
