import { randomUUID } from 'node:crypto';
import { Defect, Fault } from '@isthmus/kernel';
import type { Bus, Message, SubscribeOptions, Subscription, Topic } from '@isthmus/ports';
import { Absence, DETOURS, type MainBus } from './absence.js';
import { Intake, STAMP } from './intake.js';
import { Attempt, isOfTheWay, stayOn, type Way } from './several-ways.js';

export interface DetouredBusOptions {
  /** Carries everything while it works. */
  readonly main: MainBus;
  /** What people call it: `Kafka`. */
  readonly mainName: string;
  /** The ways past it, each of which leads to the same services. They are closed with this bus. */
  readonly ways: readonly Way[];
  readonly log: { warn(fields: object, text: string): void; info(fields: object, text: string): void };
  /** How long the main bus may take to accept a message. Default 1,000 ms. */
  readonly boundMs?: number;
  /** How long it must have been well again before it is trusted alone. Default 3,000 ms. */
  readonly settleMs?: number;
}

type Handle = (message: Message) => Promise<Message | void>;

/** What was sent, and how it goes by the ways as well: once, however often that is asked. */
interface Sent {
  readonly atMs: number;
  /** The main bus has to take it in time; left out, nothing is known before the answer. */
  readonly isBounded: boolean;
  readonly isOver: () => boolean;
  readonly directly: () => void;
}

/** A media node that says nothing for three seconds gets nobody new, and it speaks each second. */
const BOUND_MS = 1_000;
const SETTLE_MS = 3_000;
/** What the main bus has taken may not have reached anybody when it went; so much of it goes by the ways as well. */
const RECENT_MS = 3_000;
const RECENT_MAX = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * A bus with ways past it (ADR 0080). Everything goes by the main bus; when that does not take a message in time, at this service or
 * at any other of the site, everything goes by the ways as well, until it has been well again for a while. A message that comes by
 * several is handled once. The promises are those of every bus (`busContract`), whether the main bus is there or not.
 */
export const detouredBus = (options: DetouredBusOptions): Bus => {
  const { main, mainName, ways, log, boundMs = BOUND_MS, settleMs = SETTLE_MS } = options;
  const sender = randomUUID();
  const intakes = new Map<string, Intake>();
  const recent: Sent[] = [];
  /** Until the main bus has taken them. */
  const pending = new Set<Sent>();
  const attempts = new Set<{ fail(error: Error): void }>();
  let place = 0;
  let closing: Promise<void> | undefined;

  const linked = () => ways.filter((way) => way.linked());
  const absence: Absence = new Absence({
    ...{ main, mainName, settleMs, log, name: sender },
    // Whoever cannot be told now is told again in a second.
    tell: (word) => linked().forEach((way) => void way.publish(word).catch(() => undefined)),
    hasWay: () => linked().length > 0,
    goAround: () => {
      recent.forEach((sent) => sent.directly());
      // What it has not taken by now says nothing of how it is when it is back.
      if (absence.isAway) pending.clear();
    },
  });
  const closed = () => new Fault('bus.closed', 'The bus of this process is closed: it is shutting down.');
  const refuseIfClosed = () => {
    if (closing) throw closed();
  };
  /** Whoever sent it may change it afterwards; by the ways it may go later. */
  const stamped = ({ topic, key, value, headers }: Message): { readonly now: Message; readonly later: () => Message } => {
    const head = { topic, key, headers: { ...headers, [STAMP]: `${sender}:${++place}` } };
    const json = jsonOf(value, topic);
    return { now: { ...head, value }, later: () => ({ ...head, value: json === undefined ? undefined : (JSON.parse(json) as unknown) }) };
  };

  const note = (sent: Sent): void => {
    const isDone = ({ atMs, isOver }: Sent) => isOver() && sent.atMs - atMs > RECENT_MS;
    while (recent.length >= RECENT_MAX || (recent[0] !== undefined && isDone(recent[0]))) recent.shift();
    recent.push(sent);
  };

  /** By the main bus, by the ways, or by both, as things are; and by the ways later, if it turns out that the main bus is away. */
  const send = <T>(
    message: Message,
    by: (bus: Bus, message: Message, leftMs: number) => Promise<T>,
    withinMs: number,
    isBounded: boolean,
  ): Promise<T> => {
    const { now, later } = stamped(message);
    const atMs = performance.now();
    const attempt = new Attempt<T>();
    let gone = false;
    const directly = () => {
      const leftMs = withinMs - (performance.now() - atMs);
      // An answer need not be asked for again; who has got what was published is not known.
      if (gone || leftMs <= 0 || (attempt.settled && !isBounded)) return;
      const there = linked();
      gone = there.length > 0;
      for (const way of there) void attempt.by(by(way, later(), leftMs));
    };
    const sent: Sent = { atMs, isBounded, isOver: () => attempt.settled, directly };
    note(sent);
    attempts.add(attempt);
    void attempt.done.catch(() => undefined).finally(() => attempts.delete(attempt));
    if (absence.isDetour) directly();
    if (gone && !absence.isUsable) return attempt.done;
    pending.add(sent);
    const taken = by(main, now, withinMs);
    // First, so that it is on its way elsewhere before it is given up.
    taken.catch((error: unknown) => isOfTheWay(error) && absence.suspect(error));
    void attempt.by(taken).finally(() => pending.delete(sent));
    return attempt.done;
  };

  /** Whether the main bus takes what it is given. */
  const look = (): void => {
    if (pending.size === 0 || !absence.isUsable) return;
    const why = main.failing?.();
    if (why !== undefined) return absence.begin(why);
    const oldest = [...pending].find(({ isBounded }) => isBounded);
    const waitedMs = oldest === undefined ? 0 : performance.now() - oldest.atMs;
    if (waitedMs > boundMs) absence.begin(`${mainName} has not taken a message for ${Math.round(waitedMs)} ms.`);
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  looking.unref();

  const refused = (topic: Topic) => (error: unknown) => {
    if (!closing) log.warn({ error, topic }, 'what goes past the main bus on this topic is not for this service');
  };
  const words = ways.map((way) => stayOn(way, DETOURS, sender, async ({ value }) => absence.heard(value), refused(DETOURS)));

  const subscribe = async (topic: Topic, { group }: SubscribeOptions, handle: Handle): Promise<Subscription> => {
    refuseIfClosed();
    const name = `${topic} ${group}`;
    const intake = intakes.get(name) ?? new Intake();
    intakes.set(name, intake);
    const take: Handle = (message) => intake.take(message, handle);
    const direct = ways.map((way) => ({ linked: way.linked(), ...stayOn(way, topic, group, take, refused(topic)) }));
    const joined = direct.filter((each) => each.linked).map((each) => each.joined);
    const leave = () => direct.map((each) => each.close());
    const [byMain] = await Promise.all([main.subscribe(topic, { group }, take), ...joined]).catch(async (error: unknown) => {
      await Promise.all(leave());
      throw error;
    });
    let leaving: Promise<void> | undefined;
    const close = async () => void (await Promise.all([byMain.close(), ...leave()]));
    return { close: () => (leaving ??= close()) };
  };

  const close = async (): Promise<void> => {
    clearInterval(looking);
    absence.close();
    for (const attempt of attempts) attempt.fail(closed());
    await Promise.all(words.map((word) => word.close()));
    await Promise.all([main, ...ways].map((bus) => bus.close()));
  };

  return {
    publish: async (message) => {
      refuseIfClosed();
      await send(message, (bus, made) => bus.publish(made), PUBLISH_WITHIN_MS, true);
    },
    request: async (message, deadlineMs) => {
      refuseIfClosed();
      const { topic } = message;
      try {
        return await send(message, (bus, question, leftMs) => bus.request(question, leftMs), deadlineMs, false);
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'bus.no-answer') throw error;
        // Whoever was asked last had less time.
        throw new Fault('bus.no-answer', `Nobody answered ${topic} within ${deadlineMs} ms.`, { topic, deadlineMs });
      }
    },
    subscribe,
    trouble: async () => {
      const why = absence.isAway ? undefined : await absence.check();
      if (absence.isAway && linked().length > 0) return undefined;
      return why ?? main.trouble();
    },
    degraded: () => absence.degraded,
    close: () => (closing ??= close()),
  };
};

/** As long as each way has patience with what is published. */
const PUBLISH_WITHIN_MS = 10_000;

const jsonOf = (value: unknown, topic: Topic): string | undefined => {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new Defect('bus.not-json', `A message on ${topic} holds what JSON cannot carry. Send plain data.`, { topic }, { cause });
  }
};
