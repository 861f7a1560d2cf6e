/** Why the browser gives no camera or microphone, as far as a person can do something about it. */
export type DeviceProblem = 'insecure' | 'denied' | 'none' | 'in-use' | 'failed';
export type DeviceKind = 'microphone' | 'camera';

export interface Opened {
  readonly track: MediaStreamTrack | null;
  readonly problem: DeviceProblem | null;
}

/** The names that browsers give (W3C Media Capture §10.2.2, and older ones that Chromium and Safari still use). */
const PROBLEMS: Readonly<Record<string, DeviceProblem>> = {
  NotAllowedError: 'denied',
  PermissionDeniedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'none',
  DevicesNotFoundError: 'none',
  OverconstrainedError: 'none',
  NotReadableError: 'in-use',
  TrackStartError: 'in-use',
  AbortError: 'in-use',
};

export const problemOf = (reason: unknown): DeviceProblem => (reason instanceof Error && PROBLEMS[reason.name]) || 'failed';

/** Browsers hide cameras from pages that came over plain HTTP (except from this very machine); there is not even a function to call. */
export const devicesReachable = (): boolean => globalThis.isSecureContext && typeof navigator.mediaDevices?.getUserMedia === 'function';

const wish = (deviceId: string | null): MediaTrackConstraints => (deviceId === null ? {} : { deviceId: { ideal: deviceId } });

const constraints: Readonly<Record<DeviceKind, (deviceId: string | null) => MediaStreamConstraints>> = {
  microphone: (deviceId) => ({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...wish(deviceId) } }),
  camera: (deviceId) => ({
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, facingMode: 'user', ...wish(deviceId) },
  }),
};

/** Opens one device; never throws. */
export const openDevice = async (kind: DeviceKind, deviceId: string | null): Promise<Opened> => {
  if (!devicesReachable()) return { track: null, problem: 'insecure' };
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraints[kind](deviceId));
    return { track: stream.getTracks()[0] ?? null, problem: null };
  } catch (reason) {
    return { track: null, problem: problemOf(reason) };
  }
};

/** Opens both with one question to the person; asks for each alone when they cannot be had together. */
export const openBoth = async (ids: Readonly<Record<DeviceKind, string | null>>): Promise<Readonly<Record<DeviceKind, Opened>>> => {
  if (devicesReachable()) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        ...constraints.microphone(ids.microphone),
        ...constraints.camera(ids.camera),
      });
      return {
        microphone: { track: stream.getAudioTracks()[0] ?? null, problem: null },
        camera: { track: stream.getVideoTracks()[0] ?? null, problem: null },
      };
    } catch (reason) {
      if (problemOf(reason) === 'denied' && (await decidedTogether()))
        return { microphone: { track: null, problem: 'denied' }, camera: { track: null, problem: 'denied' } };
    }
  }
  const microphone = await openDevice('microphone', ids.microphone);
  const camera = await openDevice('camera', ids.camera);
  return { microphone, camera };
};

/** Whether the refusal covers both devices; asking again for each would only show the same question twice more. */
const decidedTogether = async (): Promise<boolean> => {
  try {
    const states = await Promise.all((['microphone', 'camera'] as const).map((name) => navigator.permissions.query({ name: name })));
    return states.every(({ state }) => state !== 'granted');
  } catch {
    return true;
  }
};

export const listDevices = async (): Promise<readonly MediaDeviceInfo[]> => {
  if (!devicesReachable()) return [];
  try {
    // Until permission is given the entries have no id and no name: nothing to choose from.
    return (await navigator.mediaDevices.enumerateDevices()).filter(({ deviceId }) => deviceId !== '');
  } catch {
    return [];
  }
};
