import { CAMERA_LAYERS, type Source } from '@isthmus/protocol';
import type { types } from 'mediasoup-client';
import type { Wanted } from './media-session.js';

/** Which camera layers somebody watches. */
export interface WatchedLayers {
  readonly large: boolean;
  readonly small: boolean;
}

/** Both camera encodings, thumbnail first (CAMERA_LAYERS says why these). One temporal layer: a crossing carries a layer whole. */
const cameraEncodings = (): RTCRtpEncodingParameters[] =>
  [
    { scaleResolutionDownBy: CAMERA_LAYERS.large.width / CAMERA_LAYERS.small.width, layer: CAMERA_LAYERS.small },
    { scaleResolutionDownBy: 1, layer: CAMERA_LAYERS.large },
  ].map(({ scaleResolutionDownBy, layer }) => ({
    scaleResolutionDownBy,
    maxBitrate: layer.bitrate,
    maxFramerate: layer.framesPerSecond,
    scalabilityMode: 'L1T1',
  }));

/**
 * Makes what one send transport carries equal to what is wanted: produces, pauses, resumes, swaps tracks and switches
 * layers, one step at a time. It may be told anything at any time; the last word counts.
 */
export class Publisher {
  readonly #producers = new Map<Source, types.Producer>();
  readonly #toldPaused = new Map<Source, boolean>();
  #wanted: Readonly<Record<Source, Wanted>> | null = null;
  #layers: WatchedLayers = { large: true, small: true };
  #working = false;
  #again = false;
  #closed = false;

  constructor(
    private readonly transport: types.Transport,
    private readonly tell: (source: Source, action: 'pause' | 'resume') => Promise<void>,
    private readonly mark: ((moment: string) => void) | undefined,
  ) {}

  send(wanted: Readonly<Record<Source, Wanted>>): void {
    this.#wanted = wanted;
    this.#hush();
    this.#work();
  }

  useLayers(layers: WatchedLayers): void {
    this.#layers = { large: layers.large, small: layers.small };
    this.#work();
  }

  close(): void {
    this.#closed = true;
  }

  /** A mute takes effect in this very turn, whatever else is under way. */
  #hush(): void {
    for (const [source, producer] of this.#producers) {
      if (this.#wanted?.[source].on === false && !producer.closed) producer.pause();
    }
  }

  #work(): void {
    if (this.#working) {
      this.#again = true;
      return;
    }
    this.#working = true;
    void this.#correct().finally(() => {
      this.#working = false;
      if (this.#again && !this.#closed) {
        this.#again = false;
        this.#work();
      }
    });
  }

  async #correct(): Promise<void> {
    for (const source of ['microphone', 'camera'] as const) {
      try {
        await this.#correctOne(source);
      } catch (reason) {
        // A lost transport is noticed and replaced one storey up; anything else must not stop the other source.
        if (!this.#closed && !this.transport.closed) console.warn(`Isthmus: the ${source} could not be sent.`, reason);
      }
    }
  }

  async #correctOne(source: Source): Promise<void> {
    const wanted = this.#wanted?.[source];
    if (wanted === undefined || this.#closed || this.transport.closed) return;
    const producer = this.#producers.get(source) ?? (await this.#produce(source, wanted));
    if (producer === null || producer.closed) return;
    if (producer.track !== wanted.track && (wanted.track === null || wanted.track.readyState === 'live')) {
      await producer.replaceTrack({ track: wanted.track });
    }
    const on = wanted.on && wanted.track !== null;
    if (on) producer.resume();
    else producer.pause();
    if (source === 'camera') await this.#switchLayers(producer, on);
    if (this.#toldPaused.get(source) !== !on) {
      this.#toldPaused.set(source, !on);
      await this.tell(source, on ? 'resume' : 'pause');
    }
  }

  /** The microphone is set up even while muted, so that the first word after unmuting waits for nothing. A camera waits until it is on. */
  async #produce(source: Source, { track, on }: Wanted): Promise<types.Producer | null> {
    if (track === null || track.readyState !== 'live' || (source === 'camera' && !on)) return null;
    if (source === 'microphone') track.enabled = on;
    const producer = await this.transport.produce({
      track,
      // The tracks belong to the page: it shows them in the preview and stops them itself.
      stopTracks: false,
      appData: { source },
      ...(source === 'camera'
        ? { encodings: cameraEncodings(), codecOptions: { videoGoogleStartBitrate: 1_000 } }
        : { codecOptions: { opusDtx: true, opusFec: true } }),
    });
    this.#producers.set(source, producer);
    this.#toldPaused.set(source, false);
    this.mark?.(`${source}-sent`);
    return producer;
  }

  async #switchLayers(producer: types.Producer, on: boolean): Promise<void> {
    const sender = producer.rtpSender;
    if (sender === undefined) return;
    const parameters = sender.getParameters();
    const { encodings } = parameters;
    const [small, large] = encodings;
    // A camera too small for two layers sends one, which then serves both.
    const wanted =
      encodings.length === 1 ? [on && (this.#layers.small || this.#layers.large)] : [on && this.#layers.small, on && this.#layers.large];
    if ([small, large].slice(0, encodings.length).every((encoding, at) => encoding?.active === wanted[at])) return;
    encodings.forEach((encoding, at) => (encoding.active = wanted[at] ?? false));
    await sender.setParameters(parameters);
  }
}
