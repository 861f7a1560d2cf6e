import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Transport as DtlsCarrier } from 'werift';
import { z } from 'zod';
import { Fault } from '@isthmus/kernel';
import type { TransportOffer } from '@isthmus/protocol';
import { handshake, ourFingerprint } from './dtls.js';
import { CHECK_EVERY_MS, CONSENT_EVERY_MS, IceAgent, type IceCandidate } from './ice.js';
import { isDtls, isRtcp, isRtpOrRtcp, isStun, readRtpHeader, type RtpHeader } from './rtp.js';
import { Opener, Protector } from './srtp.js';

/** One WebRTC transport of a bot: one UDP socket, ICE, DTLS, SRTP. mediasoup wants one to send and one to receive. */
const offer = z.object({
  iceParameters: z.object({ usernameFragment: z.string(), password: z.string() }),
  iceCandidates: z.array(
    z.object({ address: z.string().optional(), ip: z.string().optional(), port: z.int(), priority: z.number(), protocol: z.string() }),
  ),
  dtlsParameters: z.object({ fingerprints: z.array(z.object({ algorithm: z.string(), value: z.string() })) }),
});

/** Until ICE and DTLS must be up. */
const CONNECT_MS = 15_000;
/** A key frame is a burst; Linux' default buffer holds some 200 packets. */
const SOCKET_BUFFER_BYTES = 1 << 20;

export interface TransportEvents {
  onRtp?(header: RtpHeader, packet: Buffer, open: () => Buffer | null): void;
  onRtcp?(compound: Buffer): void;
  /** The path is gone; whoever owns us negotiates again. */
  onLost?(why: string): void;
}

export class BotTransport {
  private readonly ice: IceAgent;
  private readonly fingerprints: z.infer<typeof offer>['dtlsParameters']['fingerprints'];
  private protector: Protector | null = null;
  private opener: Opener | null = null;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private onIce: () => void = () => {};
  private toDtls: (bytes: Buffer) => void = () => {};

  private constructor(
    private readonly socket: Socket,
    terms: z.infer<typeof offer>,
    private readonly events: TransportEvents,
  ) {
    const candidates: IceCandidate[] = terms.iceCandidates
      .filter(({ protocol }) => protocol === 'udp')
      .map(({ address, ip, port, priority }) => ({ address: address ?? ip ?? '', port, priority }));
    this.fingerprints = terms.dtlsParameters.fingerprints;
    this.ice = new IceAgent(terms.iceParameters, candidates, (bytes, to) => this.write(bytes, to));
    socket.on('message', (bytes) => this.receive(bytes));
    // Refused datagrams (the node restarts) come back as errors; consent decides about the path, not they.
    socket.on('error', () => {});
  }

  static async open(terms: TransportOffer, events: TransportEvents, localAddress?: string): Promise<BotTransport> {
    const parsed = offer.parse(terms);
    const udp = parsed.iceCandidates.filter(({ protocol }) => protocol === 'udp');
    if (udp.length === 0) throw new Fault('bot.no-udp', 'The media node offers no UDP candidate; bots speak no other transport.');
    const socket = createSocket(isIPv6(udp[0]!.address ?? udp[0]!.ip ?? '') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, localAddress, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    return new BotTransport(socket, parsed, events);
  }

  /** For the `connect` request. */
  async dtlsParameters(): Promise<Record<string, unknown>> {
    return { role: 'client', fingerprints: [await ourFingerprint()] };
  }

  /** Call after the server knows our fingerprint. */
  async connect(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Fault('bot.ice', `No answer from the media node's UDP port within ${CONNECT_MS} ms. Is it reachable from here?`)),
        CONNECT_MS,
      );
      this.onIce = () => {
        clearTimeout(deadline);
        resolve();
      };
      this.keepChecking(CHECK_EVERY_MS);
    });
    this.keepChecking(CONSENT_EVERY_MS);
    const keys = await handshake(this.dtlsCarrier(), this.fingerprints, CONNECT_MS);
    this.protector = new Protector(keys.send);
    this.opener = new Opener(keys.receive);
  }

  get connected(): boolean {
    return this.protector !== null && !this.closed;
  }

  /** Answers the packet as it went over the wire, null if it could not go. */
  sendRtp(header: Buffer, payload: Buffer): Buffer | null {
    if (!this.protector) return null;
    const packet = this.protector.protectRtp(header, payload);
    this.write(packet, this.ice.pair!);
    return packet;
  }

  /** Sends what {@link sendRtp} answered once more: SRTP without RTX repeats packets as they were. */
  resend(packet: Buffer): void {
    if (this.protector) this.write(packet, this.ice.pair!);
  }

  sendRtcp(compound: Buffer): void {
    if (this.protector) this.write(this.protector.protectRtcp(compound), this.ice.pair!);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.timer) clearInterval(this.timer);
    this.socket.close();
  }

  private keepChecking(everyMs: number): void {
    if (this.timer) clearInterval(this.timer);
    if (this.closed) return;
    this.ice.check();
    this.timer = setInterval(() => {
      if (this.ice.consentLost(Date.now())) {
        clearInterval(this.timer!);
        this.events.onLost?.('the media node no longer answers consent checks');
      } else this.ice.check();
    }, everyMs);
  }

  private write(bytes: Buffer, to: IceCandidate): void {
    if (!this.closed) this.socket.send(bytes, to.port, to.address);
  }

  private receive(bytes: Buffer): void {
    if (this.closed) return;
    if (isRtpOrRtcp(bytes)) this.receiveMedia(bytes);
    else if (isStun(bytes)) {
      if (this.ice.receive(bytes, Date.now())) this.onIce();
    } else if (isDtls(bytes)) this.toDtls(bytes);
  }

  private receiveMedia(packet: Buffer): void {
    const opener = this.opener;
    if (!opener) return;
    if (isRtcp(packet)) {
      const compound = opener.openRtcp(packet);
      if (compound) this.events.onRtcp?.(compound);
      return;
    }
    const header = readRtpHeader(packet);
    if (!header) return;
    const rollovers = opener.note(header);
    this.events.onRtp?.(header, packet, () => opener.openRtp(packet, header, rollovers));
  }

  /** Our socket, as werift's DTLS wants to see one. */
  private dtlsCarrier(): DtlsCarrier {
    const carrier: DtlsCarrier = {
      type: 'udp',
      address: this.socket.address(),
      closed: false,
      onData: () => {},
      send: async (bytes) => this.write(bytes, this.ice.pair!),
      close: async () => {},
    };
    this.toDtls = (bytes) => carrier.onData(bytes, [this.ice.pair!.address, this.ice.pair!.port]);
    return carrier;
  }
}
