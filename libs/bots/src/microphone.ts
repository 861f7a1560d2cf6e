import { randomInt } from 'node:crypto';
import type { AudioClip } from './clips.js';
import { senderReport } from './rtcp.js';
import { writeRtpHeader } from './rtp.js';
import type { BotTransport } from './transport.js';

/**
 * Sends speech while told to speak, and otherwise what a browser with discontinuous transmission sends: one comfort frame
 * every 400 ms (RFC 6716 §2.1.9). Every packet says how loud it is (RFC 6464): levels come from the clip's samples.
 */
export const AUDIO_PAYLOAD_TYPE = 111;
export const AUDIO_LEVEL_EXTENSION_ID = 10;
const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const FRAME_MS = 20;
const FRAME_TICKS = 960;
const COMFORT_EVERY_MS = 400;
const REPORT_EVERY_MS = 1_000;
const LATE_MS = 200;
/** An Opus frame of silence: CELT fullband, 20 ms. */
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);
/** Quieter than this for so long ends a talk spurt, -dBov and frames. */
const QUIET_LEVEL = 60;
const HANGOVER_FRAMES = 8;

export class MicrophoneSender {
  readonly ssrc = randomInt(1, 2 ** 32 - 1);
  private sequence = randomInt(0, 2 ** 15);
  private timestamp = randomInt(0, 2 ** 32);
  private readonly sent = { packets: 0, octets: 0 };
  private dueMs = 0;
  private comfortDueMs = 0;
  private reportDueMs = 0;
  private speakingUntilMs = 0;
  private next = 0;
  private quietFrames = 0;
  private inSpurt = false;
  muted = false;

  constructor(
    private readonly clip: AudioClip,
    private readonly cname: string,
  ) {}

  get rtpParameters(): Record<string, unknown> {
    return {
      codecs: [
        {
          mimeType: 'audio/opus',
          payloadType: AUDIO_PAYLOAD_TYPE,
          clockRate: 48_000,
          channels: 2,
          parameters: { useinbandfec: 1, usedtx: 1 },
          rtcpFeedback: [],
        },
      ],
      headerExtensions: [{ uri: AUDIO_LEVEL_URI, id: AUDIO_LEVEL_EXTENSION_ID, encrypt: false, parameters: {} }],
      encodings: [{ ssrc: this.ssrc, dtx: true }],
      rtcp: { cname: this.cname, reducedSize: true },
    };
  }

  /** Begins with the first syllable of what the persona says. */
  speak(forMs: number, nowMs: number): void {
    if (this.speakingUntilMs <= nowMs) this.next = 0;
    this.speakingUntilMs = nowMs + forMs;
  }

  quiet(): void {
    this.speakingUntilMs = 0;
  }

  /** How long it goes on, ms; 0 if it is quiet. */
  speaksForMs(nowMs: number): number {
    return Math.max(0, this.speakingUntilMs - nowMs);
  }

  speaking(nowMs: number): boolean {
    return !this.muted && nowMs < this.speakingUntilMs;
  }

  tick(nowMs: number, transport: BotTransport): void {
    if (this.dueMs === 0 || nowMs - this.dueMs > LATE_MS) this.dueMs = nowMs;
    while (this.dueMs <= nowMs) {
      this.frame(this.dueMs, transport);
      this.dueMs += FRAME_MS;
    }
    if (nowMs < this.reportDueMs) return;
    this.reportDueMs = nowMs + REPORT_EVERY_MS;
    transport.sendRtcp(
      senderReport({ ssrc: this.ssrc, timestamp: this.timestamp, ...this.sent }, this.cname, performance.timeOrigin + nowMs),
    );
  }

  private frame(atMs: number, transport: BotTransport): void {
    this.timestamp = (this.timestamp + FRAME_TICKS) >>> 0;
    if (this.muted) {
      this.inSpurt = false;
      return;
    }
    if (atMs < this.speakingUntilMs) {
      const level = this.clip.levels[this.next] ?? 127;
      const packet = this.clip.packets[this.next]!;
      this.next = (this.next + 1) % this.clip.packets.length;
      this.quietFrames = level < QUIET_LEVEL ? 0 : this.quietFrames + 1;
      if (this.quietFrames <= HANGOVER_FRAMES) return this.send(packet, level, transport);
    }
    if (this.inSpurt || atMs >= this.comfortDueMs) {
      this.comfortDueMs = atMs + COMFORT_EVERY_MS;
      this.send(SILENCE, 127, transport);
      this.inSpurt = false;
    }
  }

  private send(payload: Buffer, level: number, transport: BotTransport): void {
    const begins = payload !== SILENCE && !this.inSpurt;
    if (payload !== SILENCE) this.inSpurt = true;
    // The marker begins a talk spurt (RFC 3551 §4.1).
    const header = writeRtpHeader(
      { payloadType: AUDIO_PAYLOAD_TYPE, marker: begins, sequence: this.sequence, timestamp: this.timestamp, ssrc: this.ssrc },
      { id: AUDIO_LEVEL_EXTENSION_ID, level, voice: level < QUIET_LEVEL },
    );
    transport.sendRtp(header, payload);
    this.sequence = (this.sequence + 1) & 0xffff;
    this.sent.packets++;
    this.sent.octets += payload.length;
  }
}
