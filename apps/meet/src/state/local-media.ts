import { devicesReachable, listDevices, openBoth, openDevice, type DeviceKind, type DeviceProblem, type Opened } from '../net/devices.js';
import type { Keep } from '../net/identity.js';
import type { DeviceState, OwnDevice } from './meeting-state.js';
import { Store } from './store.js';

const KINDS = ['microphone', 'camera'] as const;

/**
 * This person's camera and microphone from the preview to the end of the meeting: which are chosen, whether they are on,
 * and why one is not to be had. A camera that is off is really off: its light goes out.
 */
export class LocalMedia {
  readonly store: Store<DeviceState>;
  readonly #openings: Record<DeviceKind, number> = { microphone: 0, camera: 0 };
  #listening = false;

  constructor(
    private readonly keep: Keep,
    /** A device that was in use went away by itself, or was replaced by another. */
    private readonly onUnplugged: (kind: DeviceKind, replacement: string | null) => void,
  ) {
    const device = (kind: DeviceKind): OwnDevice => ({
      on: keep.get(`${kind}-on`) !== 'no',
      track: null,
      opening: false,
      problem: null,
      deviceId: keep.get(`${kind}-id`),
    });
    this.store = new Store<DeviceState>({ microphone: device('microphone'), camera: device('camera'), microphones: [], cameras: [] });
  }

  /** For the preview: opens what was on the last time, with a single question to the person. */
  async open(): Promise<void> {
    this.#listen();
    const { microphone, camera } = this.store.get();
    if (microphone.on && camera.on) {
      const tickets = { microphone: this.#begin('microphone'), camera: this.#begin('camera') };
      const opened = await openBoth({ microphone: microphone.deviceId, camera: camera.deviceId });
      for (const kind of KINDS) this.#opened(kind, tickets[kind], opened[kind]);
    } else {
      await Promise.all(KINDS.map(async (kind) => (this.store.get()[kind].on ? this.#openOne(kind) : undefined)));
    }
    await this.#list();
  }

  async turn(kind: DeviceKind, on: boolean): Promise<void> {
    this.keep.set(`${kind}-on`, on ? 'yes' : 'no');
    this.#set(kind, { on });
    if (on) await this.#openOne(kind);
    else if (kind === 'camera') this.#drop('camera');
    await this.#list();
  }

  /** Keeps the reason on the screen after the switch fell back to off. */
  explain(kind: DeviceKind, problem: DeviceProblem): void {
    this.#set(kind, { problem });
  }

  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    this.keep.set(`${kind}-id`, deviceId);
    this.#drop(kind);
    this.#set(kind, { deviceId });
    if (this.store.get()[kind].on || kind === 'microphone') await this.#openOne(kind);
  }

  close(): void {
    for (const kind of KINDS) this.#drop(kind);
    if (this.#listening) navigator.mediaDevices.removeEventListener('devicechange', this.#changed);
    this.#listening = false;
  }

  async #openOne(kind: DeviceKind): Promise<void> {
    if (this.store.get()[kind].track?.readyState === 'live') return;
    const ticket = this.#begin(kind);
    this.#opened(kind, ticket, await openDevice(kind, this.store.get()[kind].deviceId));
  }

  #begin(kind: DeviceKind): number {
    this.#set(kind, { opening: true, problem: null });
    return ++this.#openings[kind];
  }

  #opened(kind: DeviceKind, ticket: number, { track, problem }: Opened): void {
    // Somebody changed their mind while the browser was asking.
    if (ticket !== this.#openings[kind] || (kind === 'camera' && !this.store.get().camera.on)) {
      track?.stop();
      if (ticket === this.#openings[kind]) this.#set(kind, { opening: false });
      return;
    }
    track?.addEventListener('ended', () => void this.#ended(kind, track));
    if (track !== null && kind === 'camera') track.contentHint = 'motion';
    this.#set(kind, { track, problem, opening: false });
  }

  async #ended(kind: DeviceKind, track: MediaStreamTrack): Promise<void> {
    if (this.store.get()[kind].track !== track) return;
    this.#set(kind, { track: null });
    if (this.store.get()[kind].on) await this.#openOne(kind);
    await this.#list();
    this.onUnplugged(kind, this.store.get()[kind].track?.label ?? null);
  }

  #drop(kind: DeviceKind): void {
    this.#openings[kind] += 1;
    const { track } = this.store.get()[kind];
    this.#set(kind, { track: null, opening: false });
    track?.stop();
  }

  #listen(): void {
    if (this.#listening || !devicesReachable()) return;
    this.#listening = true;
    navigator.mediaDevices.addEventListener('devicechange', this.#changed);
  }

  readonly #changed = (): void => {
    void this.#list().then(async () => {
      // Plugged in at last: what was wanted and missing is opened without another click.
      for (const kind of KINDS) {
        const device = this.store.get()[kind];
        if (device.on && device.problem === 'none' && !device.opening) await this.#openOne(kind);
      }
    });
  };

  async #list(): Promise<void> {
    const devices = await listDevices();
    this.store.set({
      microphones: devices.filter(({ kind }) => kind === 'audioinput'),
      cameras: devices.filter(({ kind }) => kind === 'videoinput'),
    });
  }

  #set(kind: DeviceKind, change: Partial<OwnDevice>): void {
    this.store.set({ [kind]: { ...this.store.get()[kind], ...change } });
  }
}
