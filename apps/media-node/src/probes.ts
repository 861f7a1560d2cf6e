import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { Fault, type SiteId } from '@isthmus/kernel';
import type { NodeDesire, NodeId } from '@isthmus/placement';
import type { MediaLinkMessage, NodeReport } from '@isthmus/protocol';
import { Ear } from './ear.js';

type Neighbour = NodeDesire['pipes'][number]['to'];
export type ProbesMessage = Extract<MediaLinkMessage, { type: 'probes' }>;
type Hearing = NonNullable<NodeReport['hears']>[number];

export interface ProbesOptions {
  readonly site: SiteId;
  /** Where media of other sites come in: probes take the same way through whatever is between the sites. */
  readonly plain: { readonly ip: string; readonly portMin: number; readonly portMax: number };
  /** The nodes to be linked with: all that were asked for, and those that are probed on. */
  readonly link: (all: readonly Neighbour[]) => void;
  /** Over the media link; lost while it is down. */
  readonly send: (to: Neighbour, message: ProbesMessage) => void;
  /** Another site's hosts may be reached under another address. */
  readonly translate: (host: string) => string;
  /** Some other node is heard that was not, or the other way round. */
  readonly changed: () => void;
}

/** How often a probe is sent to each neighbour, and how often is looked at what came. ms */
export const PROBE_EVERY_MS = 250;
/** Every so many looks, each end says what it has sent. */
const SAY_EVERY_LOOKS = 2;
/** A neighbour that says nothing for so long is not waited for any more: it may be gone for good. */
const FORGET_AFTER_LOOKS = 30_000 / PROBE_EVERY_MS;

/**
 * A probe: four bytes that are neither RTP nor RTCP (their first two bits are not 10, RFC 3550 §5.1), the token that its
 * receiver gave out over the media link, and its number.
 */
const MAGIC = Buffer.from([0x00, 0x49, 0x53, 0x50]);
const TOKEN_BYTES = 16;
const PROBE_BYTES = MAGIC.length + TOKEN_BYTES + 4;

interface Probed {
  readonly to: Neighbour;
  readonly ear: Ear;
  /** What a probe to us must bear; another one after each new beginning of the link. */
  token: Buffer;
  /** Where it wants its probes, and what they must bear; undefined until it has said so. */
  target: { readonly ip: string; readonly port: number; readonly token: Buffer } | undefined;
  sent: number;
  /** Whether it hears us, as it last said. */
  heard: boolean;
  silentLooks: number;
  /** Whether we hear it, as was last told to others. */
  reported: boolean;
  /** Received over all pipes, as far as is known. */
  bytes: number;
}

/**
 * Finds out whether media packets come from the nodes of other sites that this one is linked with: UDP between two sites may
 * be broken, in one direction even, while their links, which are TCP, go on (merge rule 7, ADR 0056). A neighbour that does not
 * hear, or is not heard, is probed on when there is nothing to carry any more, so that it is noticed when packets come again.
 */
export class Probes {
  private readonly probed = new Map<NodeId, Probed>();
  private wanted: readonly Neighbour[] = [];
  private looks = 0;
  private closed = false;
  private readonly ticking: NodeJS.Timeout;

  private constructor(
    private readonly options: ProbesOptions,
    private readonly socket: Socket,
  ) {
    socket.on('message', (packet) => this.arrived(packet));
    // UDP promises nothing: what cannot be sent is a lost probe.
    socket.on('error', () => undefined);
    this.ticking = setInterval(() => this.look(), PROBE_EVERY_MS);
  }

  /** @throws Fault `media.port-taken` when no port for pipes is free */
  static async open(options: ProbesOptions): Promise<Probes> {
    return new Probes(options, await socketWithin(options.plain));
  }

  /** The nodes that this one has pipes with, or soon will have. */
  want(all: readonly Neighbour[]): void {
    this.wanted = all;
    for (const to of all) {
      if (to.site === this.options.site) continue;
      const known = this.probed.get(to.node);
      if (known?.to.url !== to.url) this.probed.set(to.node, known ? { ...known, to } : fresh(to));
    }
    this.forget();
    this.link();
  }

  /** The media link is up, for the first time or again: both ends count from the beginning. */
  linkUp(node: NodeId): void {
    const probed = this.probed.get(node);
    if (!probed || this.closed) return;
    Object.assign(probed, { token: randomBytes(TOKEN_BYTES), target: undefined, sent: 0 });
    probed.ear.begin();
    this.say(probed);
  }

  message(from: NodeId, { ip, port, token, sent, hears }: ProbesMessage): void {
    const probed = this.probed.get(from);
    if (!probed) return;
    probed.silentLooks = 0;
    probed.heard = hears;
    const theirs = Buffer.from(token, 'hex');
    if (!probed.target?.token.equals(theirs)) probed.sent = 0;
    probed.target = { ip, port, token: theirs };
    if (sent !== undefined && probed.token.equals(Buffer.from(sent.token, 'hex'))) probed.ear.told(sent.count);
  }

  /** What all pipes have received up to now: media packets that came are as good as probes. */
  pipes(all: NodeReport['pipes']): void {
    for (const [node, probed] of this.probed) {
      const received = all.filter(({ toNode }) => toNode === node).map((pipe) => pipe.received);
      const bytes = received.reduce((sum, { videoBytes, audioBytes, rtcpBytes }) => sum + videoBytes + audioBytes + rtcpBytes, 0);
      if (bytes > probed.bytes) probed.ear.media();
      probed.bytes = bytes;
    }
  }

  /** For the brain. */
  report(): readonly Hearing[] {
    return [...this.probed.values()].map(({ to: { site, node }, ear }) => ({ site, node, media: ear.hears }));
  }

  /** Quiet the second time. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.ticking);
    this.socket.close();
  }

  private look(): void {
    this.looks += 1;
    let changed = false;
    for (const probed of this.probed.values()) {
      this.probe(probed);
      probed.ear.look();
      probed.silentLooks += 1;
      const isNews = probed.reported !== probed.ear.hears;
      probed.reported = probed.ear.hears;
      changed ||= isNews;
      if (isNews || this.looks % SAY_EVERY_LOOKS === 0) this.say(probed);
    }
    if (this.forget()) this.link();
    if (changed) this.options.changed();
  }

  private link(): void {
    const wanted = new Set(this.wanted.map(({ node }) => node));
    const kept = [...this.probed.values()].map(({ to }) => to).filter(({ node }) => !wanted.has(node));
    this.options.link([...this.wanted, ...kept]);
  }

  private probe(probed: Probed): void {
    const { target } = probed;
    if (!target) return;
    const packet = Buffer.concat([MAGIC, target.token, Buffer.alloc(4)]);
    packet.writeUInt32BE(probed.sent + 1, PROBE_BYTES - 4);
    probed.sent += 1;
    this.socket.send(packet, target.port, this.options.translate(target.ip));
  }

  private arrived(packet: Buffer): void {
    if (packet.length !== PROBE_BYTES || !packet.subarray(0, MAGIC.length).equals(MAGIC)) return;
    const token = packet.subarray(MAGIC.length, MAGIC.length + TOKEN_BYTES);
    for (const probed of this.probed.values())
      if (probed.token.equals(token)) return probed.ear.probe(packet.readUInt32BE(PROBE_BYTES - 4));
  }

  private say({ to, ear, token, target, sent }: Probed): void {
    const { address: ip, port } = this.socket.address();
    this.options.send(to, {
      type: 'probes',
      ...{ ip, port, token: token.toString('hex'), hears: ear.hears },
      ...(target === undefined ? {} : { sent: { token: target.token.toString('hex'), count: sent } }),
    });
  }

  /** Those that are not wanted any more, once both ends hear each other or it has been silent for long. */
  private forget(): boolean {
    const before = this.probed.size;
    const wanted = new Set(this.wanted.map(({ node }) => node));
    for (const [node, { ear, heard, silentLooks }] of this.probed) {
      if (wanted.has(node)) continue;
      if ((ear.hears && heard) || silentLooks > FORGET_AFTER_LOOKS) this.probed.delete(node);
    }
    return this.probed.size < before;
  }
}

const fresh = (to: Neighbour): Probed => ({
  to,
  ear: new Ear(),
  token: randomBytes(TOKEN_BYTES),
  target: undefined,
  sent: 0,
  heard: true,
  silentLooks: 0,
  reported: true,
  bytes: 0,
});

/** Mediasoup takes ports of the same range, any that is free; from above, the two seldom meet. */
const socketWithin = async ({ ip, portMin, portMax }: ProbesOptions['plain']): Promise<Socket> => {
  for (let port = portMax; port >= portMin; port -= 1) {
    const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
    try {
      socket.bind(port, ip);
      await once(socket, 'listening');
      return socket;
    } catch (error) {
      socket.close();
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Fault(
    'media.port-taken',
    `No port for probes is free at ${ip} between ${portMin} and ${portMax} (UDP). Give this node more ports.`,
  );
};
