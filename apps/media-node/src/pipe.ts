import { randomUUID } from 'node:crypto';
import type { LegId } from '@isthmus/conference';
import { Refusal, type SiteId } from '@isthmus/kernel';
import type { MediaRoom, PipeTransport, Stream } from '@isthmus/media-mediasoup';
import type { NodeId, PipeDesire } from '@isthmus/placement';
import type { MediaLinkMessage } from '@isthmus/protocol';
import { Offers, type OfferedVoice } from './offers.js';
import { keyOf, type Arriving, type Streams } from './streams.js';
import { Tally, type Traffic } from './tally.js';

type PipeMessage = Extract<MediaLinkMessage, { type: 'pipe' | 'pipe-gone' | 'streams' }>;

export interface PipeOptions {
  readonly room: MediaRoom;
  readonly site: SiteId;
  readonly self: NodeId;
  readonly to: PipeDesire['to'];
  readonly conference: PipeMessage['conference'];
  readonly streams: Streams;
  readonly send: (message: PipeMessage) => void;
  /** Another site's hosts may be reached under another address. */
  readonly translate: (host: string) => string;
  /** Voices that should not be carried now. */
  readonly hushed: (offered: readonly OfferedVoice[]) => ReadonlySet<LegId>;
  /** Whether a voice may have been heard lately. */
  readonly spoke: (streamId: string) => boolean;
  readonly failed: (error: unknown) => void;
  readonly now: () => number;
}

/**
 * One end of the pipe to another node of the conference. The node with the lesser id leads: it offers a transport, the
 * other answers with one of its own that is bound to it; whenever either is lost, the leader begins afresh and the old pair
 * is forgotten. Which streams exist is told when they appear; which of them flow is then opened and closed at the sender
 * alone, so that a picture crosses the moment somebody there looks at it.
 */
export class Pipe {
  private readonly leads: boolean;
  private transport: PipeTransport | undefined;
  private incarnation = '';
  /** The other end's incarnation that this transport is connected to. */
  private boundTo: string | undefined;
  private offers: Offers | undefined;
  private readonly accepted = new Map<string, { readonly parameters: string; readonly stream: Stream }>();
  private readonly tally: Tally;
  private sends: PipeDesire['sends'] = [];
  private work: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(private readonly options: PipeOptions) {
    this.leads = options.self < options.to.node;
    this.tally = new Tally(options.spoke, options.now);
  }

  /** Offers what may have to cross, and opens what has to. */
  reconcile(sends: PipeDesire['sends']): Promise<void> {
    this.sends = sends;
    return this.inTurn(async () => {
      if (this.leads && !this.transport) await this.begin();
      if (this.boundTo === undefined) return;
      await this.offers?.reconcile(this.sends);
    });
  }

  /** The link to the other node is up, again or for the first time: say what it may have missed. */
  linkUp(): Promise<void> {
    return this.inTurn(async () => {
      if (this.leads) this.sayPipe();
      this.offers?.say();
    });
  }

  message(message: PipeMessage): Promise<void> {
    return this.inTurn(async () => {
      switch (message.type) {
        case 'pipe':
          return this.leads ? this.answered(message) : this.offered(message);
        case 'pipe-gone':
          return this.forget();
        case 'streams':
          if (message.incarnation === this.boundTo) await this.accept(message.streams);
      }
    });
  }

  /** Every second: the leader asks again as long as nobody answers. */
  correct(): Promise<void> {
    return this.inTurn(async () => {
      if (this.leads && this.boundTo === undefined) this.sayPipe();
    });
  }

  async traffic(): Promise<Traffic> {
    const { transport } = this;
    const accepted = [...this.accepted.values()].map(({ stream }) => stream);
    return this.tally.read(transport, this.offers?.feeds() ?? [], accepted);
  }

  get open(): { readonly large: number; readonly small: number; readonly voices: number } {
    return this.offers?.open() ?? { large: 0, small: 0, voices: 0 };
  }

  /** Quiet the second time. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.options.send({ type: 'pipe-gone', conference: this.options.conference });
    this.forget();
  }

  private async begin(): Promise<void> {
    this.transport = await this.options.room.pipeTransport();
    this.incarnation = randomUUID();
    if (this.leads) this.sayPipe();
  }

  /** The other end offers a transport: answer with one that is bound to it. */
  private async offered(message: Extract<PipeMessage, { type: 'pipe' }>): Promise<void> {
    if (this.boundTo !== message.incarnation) {
      this.forget();
      await this.begin();
      await this.bind(message);
    }
    this.sayPipe();
    await this.offers?.reconcile(this.sends);
    this.offers?.say();
  }

  /** The other end has bound a transport to ours. */
  private async answered(message: Extract<PipeMessage, { type: 'pipe' }>): Promise<void> {
    if (message.to !== this.incarnation || this.boundTo === message.incarnation) return;
    if (this.boundTo !== undefined) {
      this.forget();
      return this.begin();
    }
    await this.bind(message);
    await this.offers?.reconcile(this.sends);
    this.offers?.say();
  }

  private async bind({ ip, port, srtpParameters, incarnation }: Extract<PipeMessage, { type: 'pipe' }>): Promise<void> {
    const { transport } = this;
    if (!transport) return;
    await transport.connect({ ip: this.options.translate(ip), port, srtpParameters });
    this.boundTo = incarnation;
    const { conference, streams, site, to, hushed, failed, now } = this.options;
    this.offers = new Offers({
      transport,
      streams,
      to: to.node,
      near: to.site === site,
      hushed,
      failed,
      now,
      say: (offered) => this.options.send({ type: 'streams', conference, incarnation: this.incarnation, streams: [...offered] }),
    });
  }

  private sayPipe(): void {
    const { transport, incarnation, boundTo, options } = this;
    if (!transport) return;
    const { ip, port, srtpParameters } = transport.local;
    const to = boundTo === undefined ? {} : { to: boundTo };
    options.send({ type: 'pipe', conference: options.conference, incarnation, ip, port, srtpParameters, ...to });
  }

  private async accept(offered: Extract<PipeMessage, { type: 'streams' }>['streams']): Promise<void> {
    const { transport, options } = this;
    if (!transport) return;
    const wanted = new Map(
      offered.map((each) => [keyOf(each.leg, each.source), { ...each, parameters: JSON.stringify(each.rtpParameters) }]),
    );
    for (const [key, { parameters, stream }] of [...this.accepted]) {
      if (wanted.get(key)?.parameters === parameters && !stream.closed) continue;
      this.accepted.delete(key);
      this.tally.forget(stream);
      stream.close();
    }
    await Promise.all(
      [...wanted].map(async ([key, { leg, source, rtpParameters, parameters }]) => {
        if (this.accepted.has(key)) return;
        try {
          const stream = await transport.accept(source === 'camera' ? 'video' : 'audio', rtpParameters);
          this.accepted.set(key, { parameters, stream });
          const arriving: Arriving = { leg, source, from: options.to.node, since: options.now(), stream };
          options.streams.add(arriving);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          options.failed(error);
        }
      }),
    );
  }

  /** Lets go of the transport and everything on it; the leader begins again when it next reconciles. */
  private forget(): void {
    this.offers?.close();
    this.offers = undefined;
    for (const { stream } of this.accepted.values()) stream.close();
    this.accepted.clear();
    this.tally.transportGone();
    this.transport?.close();
    this.transport = undefined;
    this.boundTo = undefined;
  }

  /** One thing after another: messages and wishes cross on their way. */
  private inTurn(act: () => Promise<void>): Promise<void> {
    this.work = this.work.then(() => (this.closed ? undefined : act())).catch((error: unknown) => this.options.failed(error));
    return this.work;
  }
}
