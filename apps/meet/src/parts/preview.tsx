import { IconAlertTriangle, IconMicrophone, IconMicrophoneOff, IconVideo, IconVideoOff } from '@tabler/icons-react';
import type { DeviceKind, DeviceProblem } from '../net/devices.js';
import type { DeviceState } from '../state/meeting-state.js';
import { useDevices, useMeeting } from '../state/use-meeting.js';
import { problemWords } from '../state/words.js';
import { Avatar } from './avatar.js';
import { DevicePickers } from './device-pickers.js';
import { LevelMeter } from './level-meter.js';
import { Video } from './video.js';

interface Problem {
  readonly what: DeviceKind | 'both';
  readonly problem: DeviceProblem;
}

/** One notice where one will do. */
const problemsOf = ({ camera, microphone }: DeviceState): readonly Problem[] => {
  if (camera.problem !== null && camera.problem === microphone.problem) return [{ what: 'both', problem: camera.problem }];
  return [
    { what: 'camera' as const, problem: camera.problem },
    { what: 'microphone' as const, problem: microphone.problem },
  ].flatMap(({ what, problem }) => (problem === null ? [] : [{ what, problem }]));
};

/** The mirror at the door: what the others will see and hear, and the switches for both. */
export const Preview = ({ name }: { readonly name: string }) => {
  const meeting = useMeeting();
  const devices = useDevices();
  const { camera, microphone } = devices;
  const picture = camera.on && camera.track !== null;
  return (
    <section className="preview" aria-label="Your camera and microphone">
      <div className="preview-picture" data-testid="preview">
        {picture && camera.track !== null ? (
          <Video track={camera.track} mirrored label="Your camera" />
        ) : (
          <div className="preview-empty">
            <Avatar name={name.trim() === '' ? '·' : name} size="large" />
            <p>{camera.opening ? 'Starting the camera…' : 'Your camera is off'}</p>
          </div>
        )}
        <div className="preview-controls">
          <button
            type="button"
            className="round"
            aria-pressed={microphone.on}
            data-off={!microphone.on || microphone.track === null}
            data-testid="preview-microphone"
            onClick={() => void meeting.toggle('microphone')}
            aria-label={microphone.on ? 'Turn the microphone off' : 'Turn the microphone on'}
          >
            {microphone.on && microphone.track !== null ? (
              <IconMicrophone size={22} aria-hidden="true" />
            ) : (
              <IconMicrophoneOff size={22} aria-hidden="true" />
            )}
          </button>
          <button
            type="button"
            className="round"
            aria-pressed={camera.on}
            data-off={!picture}
            data-testid="preview-camera"
            onClick={() => void meeting.toggle('camera')}
            aria-label={camera.on ? 'Turn the camera off' : 'Turn the camera on'}
          >
            {picture ? <IconVideo size={22} aria-hidden="true" /> : <IconVideoOff size={22} aria-hidden="true" />}
          </button>
        </div>
        <LevelMeter track={microphone.track} on={microphone.on} />
      </div>
      {problemsOf(devices).map(({ what, problem }) => {
        const { title, text } = problemWords(what, problem);
        return (
          <div className="notice" role="status" key={what} data-testid={`problem-${what}`}>
            <IconAlertTriangle size={20} aria-hidden="true" />
            <p>
              <strong>{title}.</strong> {text}
            </p>
          </div>
        );
      })}
      <DevicePickers />
    </section>
  );
};
