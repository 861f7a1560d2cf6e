import { setTimeout as wait } from 'node:timers/promises';
import type { SiteId } from '@isthmus/kernel';
import { dial, secureServer, type Credentials, type Dialled, type Identity, type SecureLink } from '@isthmus/peers-http';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import { mediaLinkMessage, type MediaLinkMessage } from '@isthmus/protocol';

export type Neighbour = NodeDesire['pipes'][number]['to'];

export interface NodeLinksOptions {
  readonly site: SiteId;
  readonly node: NodeId;
  readonly listen: { readonly host: string; readonly port: number };
  /** Asked at each connection, so that they can rotate. */
  readonly credentials: () => Credentials;
  readonly translate: (host: string) => string;
  readonly message: (from: NodeId, message: Exclude<MediaLinkMessage, { type: 'hello' }>) => void;
  /** Linked with that node, for the first time or again. `onsets`: it says when a voice begins (ADR 0093). */
  readonly up: (node: NodeId, says: { readonly onsets: boolean }) => void;
  /** Not linked with it any longer. */
  readonly down: (node: NodeId) => void;
  readonly log: { warn(fields: object, text: string): void };
}

/** The links between this node and the others it shares conferences with. */
export interface NodeLinks {
  /** `wss://host:port`, for others. */
  readonly url: string;
  /** Keeps links with exactly these. */
  want(all: readonly Neighbour[]): void;
  /** Sends in order while the link is up, else does nothing: whoever sends state sends it again on `up`. */
  send(to: Neighbour, message: MediaLinkMessage): void;
  close(): Promise<void>;
}

/** Somebody who connects and then does not say who it is. ms */
const HELLO_WITHIN_MS = 3_000;

/**
 * Links nodes by mutually authenticated TLS: media keys pass here and nowhere else. Of two nodes the one with the lesser id
 * dials. Who is at the other end is what its certificate says; `hello` only tells which of its nodes speaks.
 */
export const linkNodes = async (options: NodeLinksOptions): Promise<NodeLinks> => {
  const { site, node, listen, credentials, translate, message, up, down, log } = options;
  const links = new Map<NodeId, SecureLink>();
  const dialled = new Map<NodeId, { readonly url: string; readonly dialled: Dialled }>();

  const linked = (other: NodeId, link: SecureLink, onsets: boolean): void => {
    links.get(other)?.close('a newer link took its place');
    links.set(other, link);
    link.onClose(() => {
      if (links.get(other) !== link) return;
      links.delete(other);
      down(other);
    });
    up(other, { onsets });
  };

  /** Takes the first message as the introduction, the rest as what it says. */
  const listenTo = (link: SecureLink, expected: NodeId | undefined): void => {
    let other: NodeId | undefined;
    link.send({ type: 'hello', node, site, onsets: true } satisfies MediaLinkMessage);
    const silent = new AbortController();
    void wait(HELLO_WITHIN_MS, undefined, { signal: silent.signal, ref: false }).then(
      () => link.close('no hello'),
      () => undefined,
    );
    link.onClose(() => silent.abort());
    link.onMessage((said) => {
      const parsed = mediaLinkMessage.safeParse(said);
      if (!parsed.success) return link.close('a message was not understood');
      if (parsed.data.type !== 'hello') return other === undefined ? link.close('hello comes first') : message(other, parsed.data);
      const hello = parsed.data;
      if (!speaksFor(link.identity, hello) || (expected !== undefined && hello.node !== expected)) {
        log.warn({ claimed: hello.node, identity: link.identity }, 'a link was refused: its certificate is of somebody else');
        return link.close('the certificate does not name this node');
      }
      silent.abort();
      other = hello.node;
      linked(other, link, hello.onsets ?? false);
    });
  };

  const server = await secureServer({
    ...listen,
    credentials,
    accept: ({ kind }) => (kind === 'management' ? 'nodes link with nodes' : undefined),
    onLink: (link) => listenTo(link, undefined),
    onTurnedAway: ({ from, reason }) => log.warn({ from, reason }, 'a link was turned away'),
  });

  const dialTo = (to: Neighbour): void => {
    const known = dialled.get(to.node);
    if (known?.url === to.url || to.url === '') return;
    known?.dialled.close();
    let said: string | undefined;
    const calling = dial({
      url: to.url,
      credentials,
      expect: (identity) => speaksFor(identity, to),
      translate,
      onLink: (link) => {
        said = undefined;
        listenTo(link, to.node);
      },
      onDown: (reason) => {
        // It is dialled again and again; what is so already is no news.
        if (reason !== said) log.warn({ to: to.node, reason }, 'a link to another node is down');
        said = reason;
      },
    });
    dialled.set(to.node, { url: to.url, dialled: calling });
  };

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    for (const each of dialled.values()) each.dialled.close();
    dialled.clear();
    await server.close();
  };
  return {
    url: `wss://${listen.host}:${server.port}`,
    want: (all) => {
      if (closing) return;
      const wanted = new Set(all.map((to) => to.node));
      for (const [other, each] of [...dialled]) {
        if (wanted.has(other)) continue;
        dialled.delete(other);
        each.dialled.close();
      }
      for (const to of all) if (node < to.node) dialTo(to);
    },
    send: (to, said) => void links.get(to.node)?.send(said),
    close: () => (closing ??= close()),
  };
};

/** A node's certificate speaks for that node, its site's for all of the site's nodes (ADR 0005). */
const speaksFor = (identity: Identity, { site, node }: { readonly site: SiteId; readonly node: NodeId }): boolean => {
  switch (identity.kind) {
    case 'management':
      return false;
    case 'site':
      return identity.site === site;
    case 'node':
      return identity.site === site && identity.node === node;
  }
};
