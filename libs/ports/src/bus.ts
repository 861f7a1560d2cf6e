/** `isthmus.<area>.<plural>`, as `isthmus.conference.commands`. */
export type Topic = string;

/** What services of one site say to each other. The value is JSON; whoever receives it validates it. */
export interface Message {
  readonly topic: Topic;
  /** What must stay in order: the conference id, or the node id. */
  readonly key: string;
  readonly value: unknown;
  /** `traceparent` and the like. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Subscription {
  close(): Promise<void>;
}

export interface SubscribeOptions {
  /** Members of one group share the messages; every group gets all of them. */
  readonly group: string;
}

/**
 * How the services of one site talk. In order per key; at least once; what one subscriber throws hurts nobody else.
 * Handlers get a copy, never the sender's object.
 */
export interface Bus {
  publish(message: Message): Promise<void>;
  /**
   * Asks and waits for the one answer of whoever subscribed to the topic with a handler that answers.
   * @throws Fault `bus.no-answer` after `deadlineMs`; a Refusal or Fault that the handler threw arrives as one, code and all.
   */
  request(message: Message, deadlineMs: number): Promise<Message>;
  subscribe(topic: Topic, options: SubscribeOptions, handle: (message: Message) => Promise<Message | void>): Promise<Subscription>;
  /** What keeps messages from going or coming now, as a sentence; undefined when nothing does. A bus within one process has no trouble. */
  trouble?(): Promise<string | undefined>;
  /** What is away although messages go and come without it, as a sentence; undefined when nothing is (ADR 0080). */
  degraded?(): string | undefined;
  close(): Promise<void>;
}
