import { randomInt } from 'node:crypto';
import type { Clip, VideoClip } from './clips.js';
import { writeMark, type Layer } from './mark.js';
import { senderReport } from './rtcp.js';
import { writeRtpHeader } from './rtp.js';
import type { BotTransport } from './transport.js';
import { packetise } from './vp8.js';

/** Sends a clip as simulcast VP8: two streams of one camera, each on or off as the node asks. */
export const VIDEO_PAYLOAD_TYPE = 96;
const CLOCK_RATE = 90_000;
const REPORT_EVERY_MS = 500;
/** Packets kept for NACK: a second of HD. */
const HISTORY = 128;
/** After a pause of the process, frames older than this are dropped instead of sent in a burst. */
const LATE_MS = 200;

export interface Sent {
  frames: number;
  packets: number;
  /** RTP header and payload, without SRTP's tag: what the white paper's units count. */
  octets: number;
}

class LayerSender {
  readonly ssrc = randomInt(1, 2 ** 32 - 1);
  readonly sent: Sent = { frames: 0, packets: 0, octets: 0 };
  wanted = false;
  private sequence = randomInt(0, 2 ** 15);
  private pictureId = randomInt(0, 2 ** 15);
  private tl0 = randomInt(0, 2 ** 8);
  private readonly timestampBase = randomInt(0, 2 ** 32);
  private next = 0;
  private dueMs = 0;
  private reportDueMs = 0;
  private readonly history = new Map<number, Buffer>();

  constructor(
    private readonly clip: VideoClip,
    private readonly layer: Layer,
    private readonly sender: number,
    private readonly cname: string,
  ) {}

  /** The next frame will be one that needs no other. */
  jumpToKeyFrame(): void {
    this.next = this.clip.keyFrames.find((frame) => frame >= this.next) ?? 0;
  }

  start(nowMs: number): void {
    this.wanted = true;
    this.dueMs = nowMs;
    this.reportDueMs = nowMs;
    this.jumpToKeyFrame();
  }

  tick(nowMs: number, transport: BotTransport): void {
    if (!this.wanted) return;
    if (nowMs - this.dueMs > LATE_MS) {
      this.dueMs = nowMs;
      this.jumpToKeyFrame();
    }
    while (this.dueMs <= nowMs) {
      this.sendFrame(this.dueMs, transport);
      this.dueMs += 1000 / this.clip.framesPerSecond;
    }
    if (nowMs >= this.reportDueMs) {
      this.reportDueMs = nowMs + REPORT_EVERY_MS;
      const { packets, octets } = this.sent;
      transport.sendRtcp(
        senderReport({ ssrc: this.ssrc, timestamp: this.timestampAt(nowMs), packets, octets }, this.cname, performance.timeOrigin + nowMs),
      );
    }
  }

  resend(sequences: readonly number[], transport: BotTransport): void {
    for (const sequence of sequences) {
      const packet = this.history.get(sequence);
      if (packet) transport.resend(packet);
    }
  }

  private timestampAt(ms: number): number {
    return (this.timestampBase + Math.round((ms * CLOCK_RATE) / 1000)) >>> 0;
  }

  private sendFrame(atMs: number, transport: BotTransport): void {
    const mark = writeMark({ sender: this.sender, layer: this.layer, frame: this.sent.frames });
    const payloads = packetise(Buffer.concat([this.clip.frames[this.next]!, mark]), { id: this.pictureId, tl0: this.tl0 });
    const timestamp = this.timestampAt(atMs);
    payloads.forEach((payload, i) => {
      const header = writeRtpHeader({
        payloadType: VIDEO_PAYLOAD_TYPE,
        marker: i === payloads.length - 1,
        sequence: this.sequence,
        timestamp,
        ssrc: this.ssrc,
      });
      const packet = transport.sendRtp(header, payload);
      if (packet) this.history.set(this.sequence, packet);
      this.history.delete((this.sequence - HISTORY) & 0xffff);
      this.sequence = (this.sequence + 1) & 0xffff;
      this.sent.packets++;
      this.sent.octets += header.length + payload.length;
    });
    this.sent.frames++;
    this.pictureId = (this.pictureId + 1) & 0x7fff;
    this.tl0 = (this.tl0 + 1) & 0xff;
    this.next = (this.next + 1) % this.clip.frames.length;
  }
}

export class CameraSender {
  private readonly small: LayerSender;
  private readonly large: LayerSender;
  /** Nothing is sent while the camera is off, whatever is wanted. */
  on = true;
  private wanted = { large: false, small: false };

  constructor(
    clip: Clip,
    sender: number,
    private readonly cname: string,
  ) {
    this.small = new LayerSender(clip.small, 'small', sender, cname);
    this.large = new LayerSender(clip.large, 'large', sender, cname);
  }

  /** For `produce`: thumbnail first, as every publisher does. */
  get rtpParameters(): Record<string, unknown> {
    const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }];
    return {
      codecs: [{ mimeType: 'video/VP8', payloadType: VIDEO_PAYLOAD_TYPE, clockRate: CLOCK_RATE, parameters: {}, rtcpFeedback: feedback }],
      headerExtensions: [],
      encodings: [this.small, this.large].map(({ ssrc }) => ({ ssrc, scalabilityMode: 'L1T1', dtx: false })),
      rtcp: { cname: this.cname, reducedSize: true },
    };
  }

  get sent(): { readonly small: Readonly<Sent>; readonly large: Readonly<Sent> } {
    return { small: { ...this.small.sent }, large: { ...this.large.sent } };
  }

  layers(wanted: { large: boolean; small: boolean }, nowMs: number): void {
    this.wanted = wanted;
    this.apply(nowMs);
  }

  switch(on: boolean, nowMs: number): void {
    this.on = on;
    this.apply(nowMs);
  }

  tick(nowMs: number, transport: BotTransport): void {
    this.small.tick(nowMs, transport);
    this.large.tick(nowMs, transport);
  }

  keyFrame(ssrc: number): void {
    for (const layer of [this.small, this.large]) if (layer.ssrc === ssrc) layer.jumpToKeyFrame();
  }

  resend(ssrc: number, sequences: readonly number[], transport: BotTransport): void {
    for (const layer of [this.small, this.large]) if (layer.ssrc === ssrc) layer.resend(sequences, transport);
  }

  private apply(nowMs: number): void {
    for (const layer of ['small', 'large'] as const) {
      const sender = this[layer];
      const wanted = this.on && this.wanted[layer];
      if (wanted && !sender.wanted) sender.start(nowMs);
      sender.wanted = wanted;
    }
  }
}
