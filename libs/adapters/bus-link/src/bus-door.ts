import { setTimeout as wait } from 'node:timers/promises';
import { secureServer, type Credentials, type Identity, type SecureLink } from '@isthmus/peers-http';
import type { Bus, Topic } from '@isthmus/ports';
import { BUS_LIMITS, fromMember } from './bus-link-protocol.js';
import { MemberSession } from './member-session.js';

/** A process that wants to speak on the bus. */
export interface BusMember {
  /** By certificate. */
  readonly identity: Identity;
  /** What it calls itself: the node's id. */
  readonly name: string;
}

/** The topics that a member may use, and no others. */
export interface BusRights {
  readonly publish: ReadonlySet<Topic>;
  readonly request: ReadonlySet<Topic>;
  readonly subscribe: ReadonlySet<Topic>;
}

export interface BusDoorOptions {
  /** The bus that members take part in. It is not closed with the door. */
  readonly bus: Bus;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Asked at each connection, so that they can rotate. */
  readonly credentials: () => Credentials;
  /** What the member may do, or, as a sentence, why it may not come in. */
  readonly admit: (member: BusMember) => BusRights | string;
  /** A member has said goodbye, or its link is gone and has not come back: within a second its process has ended, or hangs. */
  readonly left?: (name: string) => void;
  readonly log: { warn(fields: object, text: string): void };
}

export interface BusDoor {
  /** `wss://host:port` */
  readonly url: string;
  /** Ends what a member has here, in these words. It may come again, if `admit` lets it. */
  dismiss(name: string, reason: string): void;
  /** Quiet the second time. */
  close(): Promise<void>;
}

const HELLO_WITHIN_MS = 3_000;
/** Longer than it takes to dial again after a link was cut for no good reason. */
const LEFT_AFTER_MS = 1_000;
/** How long subscriptions wait for a member whose link broke; what was published meanwhile reaches it then. */
const KEPT_MS = 10_000;

/**
 * Lets processes of the same site take part in its bus, over mutually authenticated TLS: on this machine or another. Each
 * member is held to its rights, and one that breaks takes nobody with it.
 * @throws Fault `link.port-taken` | `link.cannot-listen`
 */
export const openBusDoor = async (options: BusDoorOptions): Promise<BusDoor> => {
  const { bus, host, credentials, admit, left = () => undefined, log } = options;
  const sessions = new Map<string, MemberSession>();
  let closing: Promise<void> | undefined;

  const end = (session: MemberSession): void => {
    if (sessions.get(session.id) === session) sessions.delete(session.id);
    void session.end();
  };
  /** Its link is gone; it may be back in a moment. */
  const lost = (session: MemberSession): void => {
    if (closing) return;
    const times = ++session.losses;
    const isGone = () => session.link === undefined && !session.ended && session.losses === times;
    const gone = (ms: number, then: () => void) => setTimeout(() => isGone() && then(), ms).unref();
    gone(LEFT_AFTER_MS, () => left(session.name));
    gone(KEPT_MS, () => end(session));
  };

  const begin = (link: SecureLink, name: string, id: string): MemberSession | undefined => {
    const rights = admit({ identity: link.identity, name });
    if (typeof rights === 'string') {
      log.warn({ name, identity: link.identity, reason: rights }, 'a member was not let onto the bus');
      link.close(rights);
      return undefined;
    }
    const known = sessions.get(id);
    if (known?.name === name) {
      known.resume(link);
      return known;
    }
    // A process that was started anew in no time: what the one before it did ended with it.
    for (const other of [...sessions.values()].filter((each) => each.name === name)) {
      end(other);
      left(name);
    }
    const session = new MemberSession(bus, id, name, rights, link);
    sessions.set(id, session);
    return session;
  };

  const serve = (link: SecureLink): void => {
    let session: MemberSession | undefined;
    const silent = new AbortController();
    wait(HELLO_WITHIN_MS, undefined, { signal: silent.signal, ref: false }).then(
      () => link.close('no hello'),
      () => undefined,
    );
    link.onMessage((said) => {
      const parsed = fromMember.safeParse(said);
      if (!parsed.success) return link.close('a message was not understood');
      const message = parsed.data;
      if (message.type === 'hello') {
        silent.abort();
        if (session) return link.close('hello comes once');
        session = begin(link, message.name, message.session);
        return;
      }
      if (!session) return link.close('hello comes first');
      if (message.type !== 'bye') return session.hear(message);
      end(session);
      left(session.name);
    });
    link.onClose(() => {
      silent.abort();
      if (session?.link !== link) return;
      session.link = undefined;
      lost(session);
    });
  };

  const server = await secureServer({
    host,
    port: options.port,
    credentials,
    accept: ({ kind }) => (kind === 'management' ? 'management is no part of a site' : undefined),
    onLink: serve,
    onTurnedAway: ({ from, reason }) => log.warn({ from, reason }, 'somebody was turned away from the bus'),
    limits: BUS_LIMITS,
  });
  const dismiss = (name: string, reason: string): void => {
    for (const session of [...sessions.values()].filter((each) => each.name === name)) {
      const { link } = session;
      link?.close(reason);
      end(session);
      left(name);
    }
  };
  const close = async (): Promise<void> => {
    await server.close();
    await Promise.all([...sessions.values()].map((session) => session.end()));
    sessions.clear();
  };
  return { url: `wss://${host}:${server.port}`, dismiss, close: () => (closing ??= close()) };
};
