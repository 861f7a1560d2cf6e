import type { LegId } from '@isthmus/conference';
import { joinedParameters, type Feed, type PipeTransport } from '@isthmus/media-mediasoup';
import type { NodeId, PipeDesire } from '@isthmus/placement';
import type { MediaLinkMessage, Source } from '@isthmus/protocol';
import { keyOf, type Arriving, type Streams } from './streams.js';

type Send = PipeDesire['sends'][number];
export type OfferedStreams = Extract<MediaLinkMessage, { type: 'streams' }>['streams'];

export interface OfferedVoice {
  readonly leg: LegId;
  readonly carried: boolean;
}

export interface OffersOptions {
  readonly transport: PipeTransport;
  readonly streams: Streams;
  readonly to: NodeId;
  /** The other end is in our own site. */
  readonly near: boolean;
  readonly say: (offered: OfferedStreams) => void;
  /** Voices that should not be carried now. */
  readonly hushed: (offered: readonly OfferedVoice[]) => ReadonlySet<LegId>;
  readonly failed: (error: unknown) => void;
  readonly now: () => number;
}

/** Up to here every stream is made ready to cross before anybody looks at it; beyond, when somebody does. */
const READY_LEGS_MAX = 60;
/** mediasoup reports the sender's clock within this time after a layer's first packet (at most 1.5 s between two reports). */
const REPORTED_AFTER_MS = 1_600;
/** Until then the first layer's own clock has been reported, and viewers have begun with it. */
const ACQUAINT_AFTER_MS = 2_000;
const ACQUAINT_AT_ONCE = 4;
const NEAR_MS = 5_000;
const KEY_FRAME_WITHIN_MS = 1_000;

/** One stream, with a feed for each of its layers. */
interface Offer {
  readonly arriving: Arriving;
  readonly feeds: { readonly small?: Feed; readonly large?: Feed; readonly voice?: Feed };
  readonly parameters: OfferedStreams[number]['rtpParameters'];
  /** The far end knows how the clocks of both layers relate. */
  acquainted: 'not yet' | 'busy' | 'yes';
  /** When one of its layers began to cross. */
  openSince: number;
}

/**
 * What this end of a pipe has to give. A layer is a feed of its own, made in advance and closed; opening it is one request
 * to our own worker, and nothing needs to be said to the other end.
 */
export class Offers {
  private readonly offers = new Map<string, Offer>();
  private sends = new Map<LegId, Send>();
  private closed = false;

  constructor(private readonly options: OffersOptions) {}

  async reconcile(sends: readonly Send[]): Promise<void> {
    this.sends = new Map(sends.map((send) => [send.leg, send]));
    const crowded = sends.length > READY_LEGS_MAX;
    const changed = this.dropStale();
    const missing = sends.flatMap((send) => [
      ...(crowded && !send.large && !send.small ? [] : this.missing(send.leg, 'camera')),
      ...(crowded && !send.voice ? [] : this.missing(send.leg, 'microphone')),
    ]);
    const added = await Promise.all(missing.map((arriving) => this.add(arriving)));
    if (changed || added.some(Boolean)) this.say();
    await this.settle();
    this.acquaint();
  }

  /** Tells the other end all that is offered. */
  say(): void {
    if (this.closed) return;
    const offered = [...this.offers.values()];
    this.options.say(offered.map(({ arriving: { leg, source }, parameters }) => ({ leg, source, rtpParameters: parameters })));
  }

  feeds(): readonly Feed[] {
    return [...this.offers.values()].flatMap(({ feeds }) => Object.values<Feed>(feeds));
  }

  open(): { readonly large: number; readonly small: number; readonly voices: number } {
    const count = (layer: 'large' | 'small' | 'voice') => [...this.offers.values()].filter(({ feeds }) => feeds[layer]?.open).length;
    return { large: count('large'), small: count('small'), voices: count('voice') };
  }

  close(): void {
    this.closed = true;
    for (const feed of this.feeds()) feed.close();
    this.offers.clear();
  }

  private missing(leg: LegId, source: Source): readonly Arriving[] {
    const arriving = this.options.streams.get(leg, source);
    // Never back to where it comes from.
    if (!arriving || arriving.stream.closed || arriving.from === this.options.to) return [];
    return this.offers.has(keyOf(leg, source)) ? [] : [arriving];
  }

  private dropStale(): boolean {
    let changed = false;
    for (const [key, { arriving, feeds }] of [...this.offers]) {
      const { leg, source, stream } = arriving;
      if (this.sends.has(leg) && !stream.closed && this.options.streams.get(leg, source) === arriving) continue;
      for (const feed of Object.values<Feed>(feeds)) feed.close();
      this.offers.delete(key);
      changed = true;
    }
    return changed;
  }

  private async add(arriving: Arriving): Promise<boolean> {
    const { transport } = this.options;
    const { leg, source, stream } = arriving;
    try {
      const feeds =
        source === 'microphone'
          ? { voice: await transport.offer(stream, 0) }
          : stream.layers === 1
            ? { small: await transport.offer(stream, 0) }
            : await Promise.all([transport.offer(stream, 0), transport.offer(stream, 1)]).then(([small, large]) => ({ small, large }));
      const parameters = joinedParameters(Object.values(feeds));
      this.offers.set(keyOf(leg, source), {
        arriving,
        feeds,
        parameters,
        acquainted: stream.layers === 2 ? 'not yet' : 'yes',
        openSince: this.options.now(),
      });
      return true;
    } catch (error) {
      this.options.failed(error);
      return false;
    }
  }

  private async settle(): Promise<void> {
    const voices = [...this.offers.values()].flatMap(({ arriving: { leg }, feeds: { voice } }) =>
      voice && this.sends.get(leg)?.voice ? [{ leg, carried: voice.open }] : [],
    );
    const hushed = this.options.hushed(voices);
    await Promise.all([...this.offers.values()].flatMap((offer) => this.settleOne(offer, hushed)));
  }

  /** What has to be done for it, which nearly always is nothing. */
  private settleOne({ arriving: { leg, stream }, feeds, acquainted }: Offer, hushed: ReadonlySet<LegId>): readonly Promise<void>[] {
    const send = this.sends.get(leg);
    const large = send?.large ?? false;
    const small = send?.small ?? false;
    if (feeds.voice) return gate(feeds.voice, (send?.voice ?? false) && !hushed.has(leg));
    if (!feeds.large) return gate(feeds.small, small || large);
    // A feed whose layer is missing takes the other one, and that one would then cross twice: hence `live`.
    const shown = acquainted === 'busy';
    return [
      ...(shown && !small ? [] : gate(feeds.small, small && stream.live(0))),
      ...(shown && !large ? [] : gate(feeds.large, large && stream.live(1))),
    ];
  }

  /**
   * Acquaints the far end with the layer that does not cross while the other does, so that its clock is known when it is
   * wanted; otherwise the first switch to it would wait for its next sender's report, a second or more (ADR 0006). To
   * another site only the beginning of a key frame crosses, twice; within a site the layer crosses long enough that the
   * intermediary can acquaint the other sites with it in turn.
   */
  private acquaint(): void {
    const now = this.options.now();
    let busy = 0;
    for (const offer of this.offers.values()) {
      const { feeds, arriving } = offer;
      if (offer.acquainted === 'busy') busy++;
      if (!feeds.small || !feeds.large || offer.acquainted !== 'not yet') continue;
      const [small, large] = [feeds.small.open, feeds.large.open];
      if (!small && !large) offer.openSince = now;
      if (now - offer.openSince < ACQUAINT_AFTER_MS) continue;
      if (small && large) offer.acquainted = 'yes';
      const other = small ? feeds.large : feeds.small;
      if (offer.acquainted === 'yes' || busy >= ACQUAINT_AT_ONCE || !arriving.stream.live(small ? 1 : 0)) continue;
      busy++;
      offer.acquainted = 'busy';
      void this.show(offer, other)
        .catch((error: unknown) => this.options.failed(error))
        .finally(() => void (this.closed ? undefined : this.settle()));
    }
  }

  private async show(offer: Offer, feed: Feed): Promise<void> {
    const { near } = this.options;
    const wanted = () => {
      const send = this.sends.get(offer.arriving.leg);
      return (feed === offer.feeds.large ? send?.large : send?.small) ?? false;
    };
    const glimpse = async (): Promise<boolean> => {
      const began = feed.keyFrame(KEY_FRAME_WITHIN_MS);
      await feed.gate(true);
      const seen = await began;
      if (!near && !wanted()) await feed.gate(false);
      return seen;
    };
    const seen = await glimpse();
    await new Promise((resolve) => setTimeout(resolve, near ? NEAR_MS : REPORTED_AFTER_MS));
    // The clock is taken over with the first packet after the report.
    const again = seen && !feed.closed && (near || wanted() || (await glimpse()));
    offer.acquainted = again ? 'yes' : 'not yet';
    offer.openSince = this.options.now();
  }
}

const gate = (feed: Feed | undefined, open: boolean): readonly Promise<void>[] =>
  feed === undefined || feed.open === open ? [] : [feed.gate(open)];
