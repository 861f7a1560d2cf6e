import type { SiteId } from '@isthmus/kernel';
import type { Clock, LinkState, PeerHandlers, Peers } from '@isthmus/ports';
import type { Credentials } from './certificates.js';
import { IncomingLine } from './incoming-line.js';
import { OutgoingLine, type Trouble } from './outgoing-line.js';
import { PEER_MESSAGE_BYTES } from './peer-protocol.js';
import type { LinkLimits, SecureLink } from './secure-link.js';
import { secureServer, type SecureServer } from './secure-server.js';

export interface HttpPeersOptions {
  /** Ours, as our certificate names us. */
  readonly site: SiteId;
  readonly listen: { readonly host: string; readonly port: number };
  /** Asked at each connection, so that they can rotate. */
  readonly credentials: () => Credentials;
  readonly clock: Clock;
  /** Where to find a peer's host; the demo's links go through a relay. */
  readonly translate?: (host: string) => string;
  /** What somebody should look into: who was turned away, what was refused. Default: one line on stderr. */
  readonly report?: (trouble: Trouble) => void;
  readonly limits?: Omit<LinkLimits, 'messageBytes'>;
}

/** With the port that was taken, where `listen.port` was 0. */
export type HttpPeers = Peers & { readonly port: number };

interface Peer {
  readonly url: string;
  readonly line: OutgoingLine;
  state: LinkState;
  /** The link that the peer dialled to us, once it has said hello. */
  incoming: IncomingLine | undefined;
  /** The same, or the one before it while there is none. */
  lastIncoming: IncomingLine | undefined;
}

/** Each link passes through this when it comes up: our connection is there, the peer's is on its way. */
const NOT_HEARD_YET = 'it does not reach us yet';
/** How long whatever is being received may take to end when the links close. */
const FAREWELL_MS = 1_000;

const onStderr = ({ peer, message }: Trouble) => console.error(`peers: ${peer ? `${peer}: ` : ''}${message}`);

/**
 * The links between sites (ADR 0005). Each site dials every peer and, on the connection it has dialled, follows the peer's
 * facts; so between two sites there are two connections, and the link is up while both are: then each hears the other.
 */
export const httpPeers = (options: HttpPeersOptions): HttpPeers => {
  const { site, listen, credentials, clock, translate, report = onStderr } = options;
  const limits = { ...options.limits, messageBytes: PEER_MESSAGE_BYTES };
  const peers = new Map<SiteId, Peer>();
  let wanted: readonly { readonly site: SiteId; readonly url: string }[] = [];
  let handlers: PeerHandlers | undefined;
  let server: SecureServer | undefined;
  let closing: Promise<void> | undefined;

  /** Compares what is so with what was last said, and says what is new. */
  const refresh = (name: SiteId): void => {
    const peer = peers.get(name);
    if (!peer || closing) return;
    const up = peer.line.up && peer.incoming !== undefined;
    const reason = up ? undefined : (peer.line.reason ?? NOT_HEARD_YET);
    const before = peer.state;
    if (up === before.up && reason === before.reason) return;
    const turned = up === before.up ? {} : { sinceMs: clock.monotonic(), heardAtMs: up ? undefined : lastHeard(peer) };
    peer.state = { ...before, up, reason, ...turned };
    if (reason !== undefined && reason !== NOT_HEARD_YET) report({ peer: name, message: `link down: ${reason}` });
    handlers?.changed(current(peer));
  };
  /** A link hears no longer than the one of its two lines that fell silent first. */
  const lastHeard = ({ line, lastIncoming }: Peer): number => {
    const now = performance.now();
    return clock.monotonic() - (now - Math.min(line.heardAtMs ?? now, lastIncoming?.heardAtMs ?? now));
  };
  const current = ({ state, line }: Peer): LinkState => ({ ...state, rttMs: line.rttMs ?? state.rttMs });

  const linkTo = (name: SiteId, url: string, using: PeerHandlers): void => {
    const line = new OutgoingLine({
      site,
      peer: name,
      url,
      credentials,
      translate,
      limits,
      handlers: using,
      report,
      changed: () => refresh(name),
    });
    const state: LinkState = { site: name, up: false, rttMs: undefined, reason: line.reason, sinceMs: clock.monotonic() };
    peers.set(name, { url, line, state, incoming: undefined, lastIncoming: undefined });
    line.start();
  };

  const unlink = (name: SiteId): void => {
    const peer = peers.get(name);
    peers.delete(name);
    peer?.line.close();
    peer?.incoming?.close('no longer a peer');
  };

  const correct = (): void => {
    if (!handlers || closing) return;
    const urls = new Map(wanted.filter((peer) => peer.site !== site).map((peer) => [peer.site, peer.url]));
    for (const [name, { url }] of [...peers]) if (urls.get(name) !== url) unlink(name);
    for (const [name, url] of urls) if (!peers.has(name)) linkTo(name, url, handlers);
  };

  const answer = (link: SecureLink, using: PeerHandlers): void => {
    const name = (link.identity as { site: SiteId }).site;
    const line = new IncomingLine({ site, peer: name, link, handlers: using, report });
    line.onHello(() => {
      const peer = peers.get(name);
      if (!peer) return line.close('no longer a peer');
      peer.incoming?.close('replaced by a newer connection');
      peer.incoming = line;
      peer.lastIncoming = line;
      refresh(name);
    });
    link.onClose(() => {
      const peer = peers.get(name);
      if (peer?.incoming !== line) return;
      peer.incoming = undefined;
      refresh(name);
    });
  };

  const start = async (using: PeerHandlers): Promise<void> => {
    server = await secureServer({
      ...listen,
      credentials,
      limits,
      accept: (identity) => {
        if (identity.kind !== 'site') return 'only sites are linked here';
        if (identity.site === site) return `somebody else calls itself ${site}`;
        return peers.has(identity.site) ? undefined : `${identity.site} is no peer of ${site}`;
      },
      onLink: (link) => answer(link, using),
      onTurnedAway: ({ from, reason }) => report({ message: `${from} turned away: ${reason}` }),
    });
    handlers = using;
    correct();
  };

  const close = async (): Promise<void> => {
    const lines = [...peers.values()].map(({ line }) => line);
    for (const name of [...peers.keys()]) unlink(name);
    await server?.close();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FAREWELL_MS);
    });
    await Promise.race([Promise.all(lines.map((line) => line.ended())), patience]);
    clearTimeout(timer);
  };

  return {
    get port() {
      return server?.port ?? listen.port;
    },
    start,
    setPeers: (list) => {
      wanted = list;
      correct();
    },
    send: (name, body) => {
      const peer = peers.get(name);
      if (peer?.state.up) peer.line.send(body);
    },
    states: () => [...peers.values()].map(current),
    close: () => (closing ??= close()),
  };
};
