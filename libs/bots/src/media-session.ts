import { z } from 'zod';
import type { LegId } from '@isthmus/conference';
import type { ClientToMedia, ConsumerOffer, MediaToClient } from '@isthmus/protocol';
import { AUDIO_LEVEL_EXTENSION_ID, AUDIO_PAYLOAD_TYPE, type MicrophoneSender } from './microphone.js';
import { VIDEO_PAYLOAD_TYPE, type CameraSender } from './camera.js';
import { recognise, type Utterance } from './hearing.js';
import { Line } from './line.js';
import { monotonicMs, onBeat } from './metronome.js';
import { Reception, type ReceiveMode } from './reception.js';
import { negativeAcknowledgement, pictureLoss, readRtcp, receiverReport, type ReceiverBlock } from './rtcp.js';
import { BotTransport } from './transport.js';

/** A bot's seat at one media node: attaches, publishes, receives, until it is closed or lost. */
const HOUSEKEEPING_MS = 100;
const REPORT_EVERY_MS = 1_000;
/** PLI at most so often per stream: one answer takes a round trip and a frame. */
const KEY_FRAME_ASK_MS = 500;
const BLOCKS_PER_REPORT = 31;
/** AEAD_AES_128_GCM (RFC 7714 §13.2). */
const SRTP_TAG_BYTES = 16;

/** What a bot can receive: no rtx, no transport-cc or REMB, so that the SFU does not estimate bandwidth for it. */
const RECEIVE_CAPABILITIES = {
  codecs: [
    {
      kind: 'audio',
      mimeType: 'audio/opus',
      preferredPayloadType: AUDIO_PAYLOAD_TYPE,
      clockRate: 48_000,
      channels: 2,
      parameters: {},
      rtcpFeedback: [],
    },
    {
      kind: 'video',
      mimeType: 'video/VP8',
      preferredPayloadType: VIDEO_PAYLOAD_TYPE,
      clockRate: 90_000,
      parameters: {},
      rtcpFeedback: [
        { type: 'nack', parameter: '' },
        { type: 'nack', parameter: 'pli' },
        { type: 'ccm', parameter: 'fir' },
      ],
    },
  ],
  headerExtensions: [
    {
      kind: 'audio',
      uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
      preferredId: AUDIO_LEVEL_EXTENSION_ID,
      preferredEncrypt: false,
      direction: 'sendrecv',
    },
  ],
};

const consumerParameters = z.object({ encodings: z.array(z.object({ ssrc: z.int() })).min(1) });

/** One stream that arrives, and whose it is said to be. */
export interface Incoming {
  readonly offer: ConsumerOffer;
  readonly reception: Reception;
  /** Last recognised voice (audio only), and where its current talk spurt began. */
  heard: {
    readonly utterance: Utterance;
    readonly atMs: number;
    readonly spurt: { readonly from: Utterance; readonly atMs: number };
  } | null;
}

/** RTP that arrived, of every stream: packets, and octets without SRTP's tag. */
export interface Received {
  packets: number;
  octets: number;
}

export interface SessionOptions {
  readonly url: string;
  readonly token: string;
  readonly leg: LegId;
  readonly camera: CameraSender;
  readonly microphone: MicrophoneSender;
  readonly receive: ReceiveMode;
  /** Of the join that this attach belongs to. */
  readonly traceparent?: string;
  /** Counted up, whatever sessions there were before. */
  readonly received: Received;
  readonly authority?: string;
  readonly localAddress?: string;
  readonly onSpeaking: (legs: readonly LegId[]) => void;
  readonly onLost: (why: string) => void;
}

/** A pause this long ends a talk spurt. */
const SPURT_GAP_MS = 300;

export class MediaSession {
  private line!: Line<MediaToClient, ClientToMedia>;
  private send!: BotTransport;
  private receive!: BotTransport;
  private readonly bySsrc = new Map<number, Incoming>();
  private readonly byConsumer = new Map<string, number>();
  private stopBeat: (() => void) | null = null;
  private housekeepingDueMs = 0;
  private reportDueMs = 0;
  private closed = false;

  private constructor(private readonly options: SessionOptions) {}

  static async attach(options: SessionOptions): Promise<MediaSession> {
    const session = new MediaSession(options);
    try {
      await session.begin();
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  get incoming(): Incoming[] {
    return [...this.bySsrc.values()];
  }

  /** Tells the node that a source rests or works again, so that it need not guess from silence. */
  async rest(source: 'microphone' | 'camera', rests: boolean): Promise<void> {
    await this.line.request({ type: rests ? 'pause' : 'resume', source });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.stopBeat?.();
    this.send?.close();
    this.receive?.close();
    this.line?.close();
  }

  private async begin(): Promise<void> {
    const { url, token, leg, camera, microphone, traceparent, authority, localAddress } = this.options;
    this.line = await Line.open<MediaToClient, ClientToMedia>(
      url,
      {
        onMessage: (message) => this.told(message),
        onClose: (code, reason) => this.lost(`the media node closed the connection (${code} ${reason})`),
      },
      authority,
    );
    const attached = await this.line.request(
      { type: 'attach', leg, token, rtpCapabilities: RECEIVE_CAPABILITIES, ...(traceparent && { traceparent }) },
      { onAnswer: (answer) => answer.type === 'attached' && this.expect(answer.consumers) },
    );
    if (attached.type !== 'attached') throw new TypeError(`"attach" was answered by "${attached.type}".`);
    const onLost = (why: string) => this.lost(why);
    const onRtcp = (compound: Buffer) => this.rtcp(compound);
    this.send = await BotTransport.open(attached.send, { onRtcp, onLost }, localAddress);
    this.receive = await BotTransport.open(
      attached.receive,
      {
        onRtcp,
        onLost,
        onRtp: (header, packet, open) => {
          this.options.received.packets++;
          this.options.received.octets += packet.length - SRTP_TAG_BYTES;
          const stream = this.bySsrc.get(header.ssrc);
          if (!stream) return;
          const nowMs = monotonicMs();
          stream.reception.packet(header, packet.length, open, nowMs);
          if (stream.offer.kind === 'audio' && this.options.receive === 'everything') this.hear(stream, open(), nowMs);
        },
      },
      localAddress,
    );
    await Promise.all([this.connect('send', this.send), this.connect('receive', this.receive)]);
    this.ready(attached.consumers);
    await this.line.request({ type: 'produce', source: 'microphone', kind: 'audio', rtpParameters: microphone.rtpParameters });
    await this.line.request({ type: 'produce', source: 'camera', kind: 'video', rtpParameters: camera.rtpParameters });
    this.stopBeat = onBeat((nowMs) => this.beat(nowMs));
  }

  private async connect(transport: 'send' | 'receive', ours: BotTransport): Promise<void> {
    await this.line.request({ type: 'connect', transport, dtlsParameters: await ours.dtlsParameters() });
    await ours.connect();
  }

  private told(message: MediaToClient): void {
    switch (message.type) {
      case 'consume':
        this.expect(message.consumers);
        return this.ready(message.consumers);
      case 'closed':
        for (const consumer of message.consumers) this.forget(consumer);
        return;
      case 'layers':
        return this.options.camera.layers(message, monotonicMs());
      case 'speaking':
        return this.options.onSpeaking(message.legs);
      case 'ended':
        return this.lost(`the media node let go of the seat: ${message.reason}`);
      case 'attached':
      case 'ok':
      case 'produced':
      case 'restarted':
      case 'refused':
        return; // Answers to requests that nobody waits for any more.
    }
  }

  private expect(offers: readonly ConsumerOffer[]): void {
    for (const offer of offers) {
      const ssrc = consumerParameters.parse(offer.rtpParameters).encodings[0]!.ssrc;
      const reception = new Reception(ssrc, offer.kind, offer.kind === 'audio' ? 48_000 : 90_000, this.options.receive, monotonicMs());
      this.byConsumer.set(offer.id, ssrc);
      this.bySsrc.set(ssrc, { offer, reception, heard: null });
    }
  }

  private ready(offers: readonly ConsumerOffer[]): void {
    if (offers.length === 0) return;
    this.line.request({ type: 'ready', consumers: offers.map(({ id }) => id) }).catch(() => {
      // The consumers are gone already, or the line is: either is told by other means.
    });
  }

  private forget(consumer: string): void {
    const ssrc = this.byConsumer.get(consumer);
    this.byConsumer.delete(consumer);
    if (ssrc !== undefined && this.bySsrc.get(ssrc)?.offer.id === consumer) this.bySsrc.delete(ssrc);
  }

  private hear(stream: Incoming, payload: Buffer | null, atMs: number): void {
    const utterance = payload && recognise(payload, stream.heard?.utterance);
    if (!utterance) return;
    const before = stream.heard;
    const spurt =
      before && before.utterance.persona === utterance.persona && atMs - before.atMs < SPURT_GAP_MS
        ? before.spurt
        : { from: utterance, atMs };
    stream.heard = { utterance, atMs, spurt };
  }

  private rtcp(compound: Buffer): void {
    const { camera } = this.options;
    for (const news of readRtcp(compound)) {
      if (news.type === 'key-frame-wanted') camera.keyFrame(news.ssrc);
      if (news.type === 'lost') camera.resend(news.ssrc, news.sequences, this.send);
      this.bySsrc.get(news.ssrc)?.reception.news(news, monotonicMs());
    }
  }

  private beat(nowMs: number): void {
    this.options.camera.tick(nowMs, this.send);
    this.options.microphone.tick(nowMs, this.send);
    if (nowMs < this.housekeepingDueMs) return;
    this.housekeepingDueMs = nowMs + HOUSEKEEPING_MS;
    const reporter = this.options.microphone.ssrc;
    for (const { reception } of this.bySsrc.values()) {
      const missing = reception.takeMissing();
      if (missing.length > 0) this.receive.sendRtcp(negativeAcknowledgement(reporter, reception.ssrc, missing));
      if (reception.wantsKeyFrame(nowMs, KEY_FRAME_ASK_MS)) this.receive.sendRtcp(pictureLoss(reporter, reception.ssrc));
    }
    if (nowMs < this.reportDueMs) return;
    this.reportDueMs = nowMs + REPORT_EVERY_MS;
    const blocks = this.incoming.map(({ reception }) => reception.block(nowMs)).filter((block): block is ReceiverBlock => block !== null);
    for (let at = 0; at < blocks.length; at += BLOCKS_PER_REPORT)
      this.receive.sendRtcp(receiverReport(reporter, blocks.slice(at, at + BLOCKS_PER_REPORT)));
  }

  private lost(why: string): void {
    if (this.closed) return;
    this.close();
    this.options.onLost(why);
  }
}
