import type { LegId } from '@isthmus/conference';
import type { ClientTransport, Feed, Layer } from '@isthmus/media-mediasoup';
import type { LegDesire } from '@isthmus/placement';
import type { ConsumerOffer, Opaque, Source } from '@isthmus/protocol';
import { keyOf, type Arriving, type Streams } from './streams.js';

/** Cameras that left the stage stay set up, paused: who spoke a minute ago is likely to speak again. */
export const PARKED_MAX = 16;
/** A receiver that loses more than about a seventh of the large picture (score of mediasoup, 10 is perfect). */
const CONGESTED_AT = 5;
const CONGESTED_MS = { least: 5_000, most: 60_000 };
/** How long a viewer may go without the layer it should have before it is asked for once more. */
const POKE_AFTER_MS = 400;
/**
 * A stream that comes over a pipe: from then on its layers can be switched between. mediasoup takes three sender's reports to know
 * how their clocks relate (`RemoteClockOffsetEstimator`), and sends one every 1 to 1.5 s (ADR 0006).
 */
const CLOCKS_KNOWN_AFTER_MS = 6_000;
/** Until then, nobody is shown the wrong layer, to be stuck with it, while the right one may still be on its way; no longer than this. */
const LAYER_WITHIN_MS = 1_000;

/** What one viewer gets of one stream. */
interface Shown {
  readonly arriving: Arriving;
  readonly feed: Feed;
  /** The client has said that it is set up for it. */
  ready: boolean;
  wanted: boolean;
  parkedAt: number;
  askedAt: number;
  readonly since: number;
}

interface Want {
  readonly arriving: Arriving;
  readonly large: boolean;
}

type Wants = ReadonlyMap<string, Want>;

/** What a viewer is told of its feeds, outside of an answer. */
export interface ViewerHandlers {
  offered(offers: readonly ConsumerOffer[]): void;
  closed(feeds: readonly string[]): void;
}

/**
 * The receiving side of one leg: brings what it is fed in line with its stage and what it hears. Feeds appear when their
 * stream does, so nothing here waits for anybody.
 */
export class Viewer {
  private readonly shown = new Map<string, Shown>();
  /** What was wanted when it was last looked at, and of what that follows: nearly always of the same again. */
  private known: { readonly desire: LegDesire; readonly streams: Streams; readonly version: number; readonly wants: Wants } | undefined;
  private congestedUntil = 0;
  private congestedForMs = CONGESTED_MS.least;

  constructor(
    private readonly transport: ClientTransport,
    private readonly rtpCapabilities: Opaque,
    private readonly handlers: ViewerHandlers,
    private readonly now: () => number,
  ) {}

  /** Makes it so. True if something could not be settled yet, and should be looked at again soon. */
  async reconcile(desire: LegDesire, streams: Streams): Promise<boolean> {
    const wants = this.wantsOf(desire, streams);
    if (this.missing(wants).length === 0) return this.settle(wants);
    const offers = await this.addMissing(wants);
    if (offers.length > 0) this.handlers.offered(offers);
    return this.settle(this.wantsOf(desire, streams));
  }

  /** All that the client should set up at once, when it attaches. */
  async begin(desire: LegDesire, streams: Streams): Promise<readonly ConsumerOffer[]> {
    return this.addMissing(this.wantsOf(desire, streams));
  }

  /** The client is set up for these; those that it should see now begin with a key frame. */
  async ready(feeds: readonly string[]): Promise<void> {
    const named = new Set(feeds);
    const now = [...this.shown.values()].filter(({ feed, ready }) => !ready && named.has(feed.id));
    for (const shown of now) shown.ready = true;
    await Promise.all(now.filter((shown) => shown.wanted && this.mayBegin(shown)).map(({ feed }) => feed.gate(true)));
  }

  private wantsOf(desire: LegDesire, streams: Streams): Wants {
    const { known } = this;
    if (known?.desire === desire && known.streams === streams && known.version === streams.version) return known.wants;
    const wants = wantsOf(desire, streams);
    this.known = { desire, streams, version: streams.version, wants };
    return wants;
  }

  private async addMissing(wants: Wants): Promise<readonly ConsumerOffer[]> {
    const offers = await Promise.all(this.missing(wants).map(([key, want]) => this.add(key, want)));
    return offers.filter((offer) => offer !== undefined);
  }

  private missing(wants: Wants): readonly (readonly [string, Want])[] {
    const missing: [string, Want][] = [];
    for (const [key, want] of wants) if (this.shown.get(key)?.arriving !== want.arriving) missing.push([key, want]);
    return missing;
  }

  private async add(key: string, { arriving, large }: Want): Promise<ConsumerOffer | undefined> {
    const { stream, leg, source } = arriving;
    if (stream.closed || this.transport.closed) return undefined;
    const feed = await this.transport.consume(stream, this.rtpCapabilities, large ? 1 : 0);
    this.drop(key);
    const now = this.now();
    const shown: Shown = { arriving, feed, ready: false, wanted: true, parkedAt: 0, askedAt: now, since: now };
    this.shown.set(key, shown);
    feed.onClosed(() => {
      if (this.shown.get(key) === shown) this.shown.delete(key);
      this.handlers.closed([feed.id]);
    });
    return { id: feed.id, producerId: stream.id, leg, source, kind: stream.kind, rtpParameters: feed.rtpParameters };
  }

  private async settle(wants: Wants): Promise<boolean> {
    let unsettled = false;
    const underWay: Promise<boolean>[] = [];
    // Nearly always nothing has to be done, for any of some twenty feeds, and then nothing is waited for.
    for (const [key, shown] of this.shown) {
      const outcome = this.settleOne(shown, wants.get(key));
      if (typeof outcome === 'boolean') unsettled ||= outcome;
      else underWay.push(outcome);
    }
    this.closeLongParked();
    return (await Promise.all(underWay)).some(Boolean) || unsettled;
  }

  private settleOne(shown: Shown, want: Want | undefined): boolean | Promise<boolean> {
    const wanted = want?.arriving === shown.arriving;
    if (shown.wanted && !wanted) shown.parkedAt = this.now();
    shown.wanted = wanted;
    const steered = wanted && shown.feed.kind === 'video' ? this.steer(shown, want.large) : true;
    return typeof steered === 'boolean' ? this.gate(shown, steered) : steered.then((done) => this.gate(shown, done));
  }

  private gate(shown: Shown, steered: boolean): boolean | Promise<boolean> {
    const { feed, wanted, ready } = shown;
    const mayBegin = this.mayBegin(shown);
    const unsettled = !steered || (wanted && !mayBegin);
    const open = wanted && ready && mayBegin;
    return feed.open === open ? unsettled : feed.gate(open).then(() => unsettled);
  }

  /** A feed takes whatever layer there is when it begins; of a stream that has just come, it could not leave that one again soon. */
  private mayBegin({ feed, arriving: { from, stream, since }, since: fedSince }: Shown): boolean {
    const now = this.now();
    const canSwitch = stream.layers === 1 || from === 'client' || now - since > CLOCKS_KNOWN_AFTER_MS;
    return canSwitch || feed.open || stream.live(feed.preferred ?? 0) || now - fedSince > LAYER_WITHIN_MS;
  }

  /** Large if the viewer's network bears it. False if another layer than that leaves although both arrive. */
  private steer(shown: Shown, large: boolean): boolean | Promise<boolean> {
    const { feed, arriving } = shown;
    if (arriving.stream.layers === 1) return true;
    const layer: Layer = large && !this.congested(feed) ? 1 : 0;
    const now = this.now();
    const settled = () => feed.layer === layer || !feed.open || !arriving.stream.live(layer);
    if (feed.preferred !== layer) {
      shown.askedAt = now;
      return feed.prefer(layer).then(settled);
    }
    if (settled() || now - shown.askedAt < POKE_AFTER_MS) return settled();
    // A layer can only be switched to once its sender's report has told how its clock relates to the other's (RFC 3550
    // §6.4.1); mediasoup does not look again by itself when that comes after the layer (ADR 0006).
    shown.askedAt = now;
    return this.poke(feed, layer);
  }

  private async poke(feed: Feed, layer: Layer): Promise<false> {
    await feed.prefer(layer === 1 ? 0 : 1);
    await feed.prefer(layer);
    return false;
  }

  private congested(feed: Feed): boolean {
    const now = this.now();
    if (feed.layer === 1 && feed.quality <= CONGESTED_AT && now > this.congestedUntil) {
      const relapsed = now - this.congestedUntil < this.congestedForMs;
      this.congestedForMs = relapsed ? Math.min(this.congestedForMs * 2, CONGESTED_MS.most) : CONGESTED_MS.least;
      this.congestedUntil = now + this.congestedForMs;
    }
    return now < this.congestedUntil;
  }

  private closeLongParked(): void {
    let count = 0;
    for (const { wanted, feed } of this.shown.values()) if (!wanted && feed.kind === 'video') count++;
    if (count <= PARKED_MAX) return;
    const parked = [...this.shown].filter(([, { wanted, feed }]) => !wanted && feed.kind === 'video');
    parked.sort(([, a], [, b]) => a.parkedAt - b.parkedAt);
    for (const [key] of parked.slice(0, parked.length - PARKED_MAX)) this.drop(key);
  }

  private drop(key: string): void {
    const shown = this.shown.get(key);
    this.shown.delete(key);
    shown?.feed.close();
  }
}

const wantsOf = ({ leg: viewer, stage, hears }: LegDesire, streams: Streams): Wants => {
  const wants = new Map<string, Want>();
  const want = (leg: LegId, source: Source, large: boolean) => {
    const arriving = leg === viewer ? undefined : streams.get(leg, source);
    if (arriving && !arriving.stream.closed) wants.set(keyOf(leg, source), { arriving, large });
  };
  for (const leg of stage.thumbnails) want(leg, 'camera', false);
  if (stage.main !== null) want(stage.main, 'camera', true);
  for (const leg of hears) want(leg, 'microphone', false);
  return wants;
};
