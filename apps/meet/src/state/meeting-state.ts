import type { LegId } from '@isthmus/conference';
import type { EndReason, MeetingView } from '@isthmus/protocol';
import type { DeviceProblem } from '../net/devices.js';
import type { GatewayStatus } from '../net/gateway-connection.js';
import type { Door } from '../net/doors.js';
import type { Streams } from '../net/media-attachment.js';
import type { MediaStatus } from '../net/media-session.js';

/** Where the person is: at the door, asked for a PIN, waiting to be let in, inside, or out again. */
export type Phase = 'lobby' | 'pin' | 'waiting' | 'meeting' | 'ended';

export interface Toast {
  readonly id: number;
  readonly code: string;
  readonly text: string;
}

/** Everything the screens draw, in one plain object. */
export interface MeetingState {
  readonly phase: Phase;
  /** Join was pressed and the answer is not here yet. */
  readonly asking: boolean;
  readonly gateway: GatewayStatus;
  readonly site: string | null;
  readonly siteName: string | null;
  /** Names of the sites, by id, as far as the server told them. */
  readonly siteNames: Readonly<Record<string, string>>;
  /** The browser cannot do WebRTC the way we need it. */
  readonly unsupported: boolean;
  readonly alias: string;
  readonly name: string;
  /** Said on the PIN prompt after a try that did not work. */
  readonly pinFailed: boolean;
  /** Said on the join page after a refusal. */
  readonly refusal: string | null;
  readonly waitingFor: 'host' | 'lock';
  readonly room: string | null;
  readonly leg: LegId | null;
  readonly view: MeetingView | null;
  /** ms since 1970; when this person got in. */
  readonly since: number | null;
  readonly media: MediaStatus | 'idle';
  /** Where media would have to get through, while they are `blocked`. */
  readonly doors: readonly Door[];
  /** Packets are being lost on the way here; pictures may stutter. */
  readonly weak: boolean;
  readonly streams: Streams;
  readonly speaking: readonly LegId[];
  /** The browser wants another click before it plays sound. */
  readonly soundBlocked: boolean;
  readonly ended: { readonly reason: EndReason; readonly message: string } | null;
  readonly toasts: readonly Toast[];
}

export const initialState = (alias: string, name: string): MeetingState => ({
  phase: 'lobby',
  asking: false,
  gateway: 'connecting',
  site: null,
  siteName: null,
  siteNames: {},
  unsupported: false,
  alias,
  name,
  pinFailed: false,
  refusal: null,
  waitingFor: 'host',
  room: null,
  leg: null,
  view: null,
  since: null,
  media: 'idle',
  doors: [],
  weak: false,
  streams: new Map(),
  speaking: [],
  soundBlocked: false,
  ended: null,
  toasts: [],
});

/** This person's own microphone and camera. */
export interface DeviceState {
  readonly microphone: OwnDevice;
  readonly camera: OwnDevice;
  readonly microphones: readonly MediaDeviceInfo[];
  readonly cameras: readonly MediaDeviceInfo[];
}

export interface OwnDevice {
  /** What the person wants, whether or not the device works. */
  readonly on: boolean;
  readonly track: MediaStreamTrack | null;
  readonly opening: boolean;
  readonly problem: DeviceProblem | null;
  readonly deviceId: string | null;
}
