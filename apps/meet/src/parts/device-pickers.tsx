import { useDevices, useMeeting } from '../state/use-meeting.js';

interface PickerProps {
  readonly label: string;
  readonly devices: readonly MediaDeviceInfo[];
  readonly chosen: string | null;
  readonly using: MediaStreamTrack | null;
  readonly onChoose: (deviceId: string) => void;
}

const Picker = ({ label, devices, chosen, using, onChoose }: PickerProps) => {
  const current = using?.getSettings().deviceId ?? chosen ?? '';
  return (
    <label className="field field-inline">
      <span className="field-label">{label}</span>
      <select
        className="select"
        value={devices.some(({ deviceId }) => deviceId === current) ? current : ''}
        onChange={(event) => onChoose(event.target.value)}
        disabled={devices.length === 0}
      >
        {devices.some(({ deviceId }) => deviceId === current) ? null : (
          <option value="">{devices.length === 0 ? 'None to choose from' : 'Choose one'}</option>
        )}
        {devices.map(({ deviceId, label: name }, at) => (
          <option key={deviceId} value={deviceId}>
            {name === '' ? `${label} ${at + 1}` : name}
          </option>
        ))}
      </select>
    </label>
  );
};

/** Which camera and which microphone: the same choice at the door and in the meeting. */
export const DevicePickers = () => {
  const { local } = useMeeting();
  const { camera, microphone, cameras, microphones } = useDevices();
  return (
    <div className="pickers">
      <Picker
        label="Camera"
        devices={cameras}
        chosen={camera.deviceId}
        using={camera.track}
        onChoose={(id) => void local.choose('camera', id)}
      />
      <Picker
        label="Microphone"
        devices={microphones}
        chosen={microphone.deviceId}
        using={microphone.track}
        onChoose={(id) => void local.choose('microphone', id)}
      />
    </div>
  );
};
