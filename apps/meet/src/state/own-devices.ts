import type { Act, RosterEntry } from '@isthmus/protocol';
import type { DeviceKind } from '../net/devices.js';
import { now } from '../net/trace.js';
import type { LocalMedia } from './local-media.js';
import { problemWords } from './words.js';

export type ActOutcome = 'done' | 'refused' | 'unsent';

export interface OwnDevicesParts {
  readonly local: LocalMedia;
  readonly you: () => RosterEntry | undefined;
  readonly act: (act: Act) => Promise<ActOutcome>;
  readonly toast: (code: string, text: string) => void;
}

/** The roster may lag behind what this browser just told by so long, ms. */
const STALE_AFTER_MS = 2_000;

/**
 * Keeps three things in step: what this person switched, what the roster says of them, and what a host decided. Switching
 * off acts here and at once; switching on against a host's word asks first.
 */
export class OwnDevices {
  readonly #lastTold = { microphone: -Infinity, camera: -Infinity };

  constructor(private readonly parts: OwnDevicesParts) {}

  async toggle(kind: DeviceKind): Promise<void> {
    const { local, you, act, toast } = this.parts;
    const turningOn = !local.store.get()[kind].on;
    const self = you();
    // Only the server knows whether a host's mute may be lifted; until it says so nobody hears anything.
    if (kind === 'microphone' && turningOn && self?.muted === 'host' && (await act({ type: 'unmute', leg: self.leg })) !== 'done') return;
    await local.turn(kind, turningOn);
    const { problem } = local.store.get()[kind];
    if (turningOn && problem !== null) {
      await local.turn(kind, false);
      local.explain(kind, problem);
      const { title, text } = problemWords(kind, problem);
      if (self !== undefined) toast(`meet.${kind}`, `${title}. ${text}`);
    }
    if ((await this.tell(kind)) === 'refused' && turningOn) await local.turn(kind, false);
  }

  /** Follows what hosts did to this person, and tells the roster where it is wrong about them. */
  seen(before: RosterEntry | undefined, after: RosterEntry | undefined): void {
    if (after === undefined) return;
    const { local, toast } = this.parts;
    const { microphone, camera } = local.store.get();
    if (after.muted === 'host' && before?.muted !== 'host' && microphone.on) {
      void local.turn('microphone', false);
      toast('meet.muted-by-host', 'A host muted you.');
    }
    // Nobody's microphone opens by somebody else's hand.
    if (after.muted === false && before?.muted === 'host' && !microphone.on) {
      toast('meet.may-speak', 'A host lets you speak again. Press M when you want to.');
    }
    if (after.cameraOff && before?.cameraOff === false && camera.on && this.#settled('camera')) {
      void local.turn('camera', false);
      toast('meet.camera-off-by-host', 'A host turned your camera off.');
    }
    void this.#tellIfStale('microphone', after);
    void this.#tellIfStale('camera', after);
  }

  unplugged(kind: DeviceKind, replacement: string | null): void {
    const gone = `Your ${kind} is gone`;
    this.parts.toast(
      `meet.${kind}`,
      replacement === null ? `${gone}. Plug it in again or choose another.` : `${gone}; using ${replacement}.`,
    );
    void this.tell(kind);
  }

  async tell(kind: DeviceKind): Promise<ActOutcome> {
    const you = this.parts.you();
    if (you === undefined) return 'unsent';
    this.#lastTold[kind] = now();
    const sending = this.#sending(kind);
    if (kind === 'camera') return this.parts.act({ type: sending ? 'camera-on' : 'camera-off', leg: you.leg });
    return you.muted === 'host' ? 'done' : this.parts.act({ type: sending ? 'unmute' : 'mute', leg: you.leg });
  }

  /** After a resume or a host's doing, the roster and this browser may disagree; told no oftener than the roster can follow. */
  async #tellIfStale(kind: DeviceKind, you: RosterEntry): Promise<void> {
    if (!this.#settled(kind) || this.parts.local.store.get()[kind].opening) return;
    if (kind === 'microphone' && you.muted === 'host') return;
    const said = kind === 'camera' ? !you.cameraOff : you.muted === false;
    if (said !== this.#sending(kind)) await this.tell(kind);
  }

  #sending(kind: DeviceKind): boolean {
    const { on, track } = this.parts.local.store.get()[kind];
    return on && track !== null;
  }

  #settled(kind: DeviceKind): boolean {
    return now() - this.#lastTold[kind] > STALE_AFTER_MS;
  }
}
