import { randomBytes } from 'node:crypto';
import { classes, Message, methods, parseMessage } from 'werift';

/**
 * The controlling half of ICE against an ICE-lite server (RFC 8445 §2.5): such a server only answers, so checks with
 * USE-CANDIDATE from one socket to each of its candidates are the whole procedure; the first answer selects. Consent is the
 * same check, repeated (RFC 7675 §5.1).
 */
export interface IceRemote {
  readonly usernameFragment: string;
  readonly password: string;
}

export interface IceCandidate {
  readonly address: string;
  readonly port: number;
  readonly priority: number;
}

export const CHECK_EVERY_MS = 200;
export const CONSENT_EVERY_MS = 2_500;
/** RFC 7675 §5.1: without an answer for so long we may no longer send. */
export const CONSENT_LOST_MS = 15_000;

export class IceAgent {
  readonly usernameFragment = randomBytes(3).toString('hex');
  readonly password = randomBytes(12).toString('hex');
  private readonly tieBreaker = randomBytes(8).readBigUInt64BE();
  private readonly pending = new Map<string, IceCandidate>();
  private selected: IceCandidate | null = null;
  private lastAnswerMs = 0;

  constructor(
    private readonly remote: IceRemote,
    private readonly candidates: readonly IceCandidate[],
    private readonly send: (bytes: Buffer, to: IceCandidate) => void,
  ) {}

  get pair(): IceCandidate | null {
    return this.selected;
  }

  /** Sends what is due: a check to every candidate until one answers, then consent to that one. */
  check(): void {
    for (const candidate of this.selected ? [this.selected] : this.candidates) {
      const request = new Message(methods.BINDING, classes.REQUEST);
      request.setAttribute('USERNAME', `${this.remote.usernameFragment}:${this.usernameFragment}`);
      request.setAttribute('PRIORITY', 0x6e7f1eff);
      request.setAttribute('ICE-CONTROLLING', this.tieBreaker);
      request.setAttribute('USE-CANDIDATE', null);
      request.addMessageIntegrity(Buffer.from(this.remote.password)).addFingerprint();
      if (this.pending.size > 64) this.pending.clear();
      this.pending.set(request.transactionIdHex, candidate);
      this.send(request.bytes, candidate);
    }
  }

  /** True if this answer proves, now or again, that the server takes our packets. */
  receive(bytes: Buffer, nowMs: number): boolean {
    const message = parseMessage(bytes, Buffer.from(this.remote.password));
    if (!message || message.messageMethod !== methods.BINDING || message.messageClass !== classes.RESPONSE) return false;
    const candidate = this.pending.get(message.transactionIdHex);
    if (!candidate) return false;
    this.pending.delete(message.transactionIdHex);
    this.selected ??= candidate;
    this.lastAnswerMs = nowMs;
    return true;
  }

  consentLost(nowMs: number): boolean {
    return this.selected !== null && nowMs - this.lastAnswerMs > CONSENT_LOST_MS;
  }
}
