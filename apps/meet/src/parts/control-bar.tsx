import {
  IconDots,
  IconKeyboard,
  IconLock,
  IconLockOpen,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhoneOff,
  IconShieldHalf,
  IconUsers,
  IconVideo,
  IconVideoOff,
  IconVolumeOff,
} from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useDevices, useMeeting, useMeetingState, useRoster, useYou } from '../state/use-meeting.js';
import { DevicePickers } from './device-pickers.js';
import { Popover } from './popover.js';

interface ControlProps {
  readonly label: string;
  readonly hint: string;
  readonly icon: ReactNode;
  readonly onClick: () => void;
  readonly testId: string;
  readonly tone?: 'off' | 'on' | 'danger';
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly badge?: number;
  /** The badge counts something that waits for this person. */
  readonly urgent?: boolean;
}

const Control = ({ label, hint, icon, onClick, testId, tone, pressed, expanded, badge, urgent = false }: ControlProps) => (
  <button
    type="button"
    className="control"
    data-tone={tone}
    onClick={onClick}
    aria-pressed={pressed}
    aria-expanded={expanded}
    aria-label={hint}
    title={hint}
    data-testid={testId}
  >
    <span className="control-icon">
      {icon}
      {badge === undefined || badge === 0 ? null : <span className="badge" data-count={badge} data-urgent={urgent} />}
    </span>
    <span className="control-label" aria-hidden="true">
      {label}
    </span>
  </button>
);

/** For hosts: what concerns everybody at once. */
const HostMenu = ({ onEnd, onClose }: { readonly onEnd: () => void; readonly onClose: () => void }) => {
  const meeting = useMeeting();
  const locked = useMeetingState((state) => state.view?.locked ?? false);
  const act = (type: 'lock' | 'unlock' | 'mute-all-guests'): void => {
    void meeting.act({ type });
    onClose();
  };
  return (
    <Popover label="Host controls" onClose={onClose}>
      <p className="popover-title">Host controls</p>
      <button type="button" className="menu-item" onClick={() => act(locked ? 'unlock' : 'lock')} data-testid="lock">
        {locked ? <IconLockOpen size={20} aria-hidden="true" /> : <IconLock size={20} aria-hidden="true" />}
        <span>
          {locked ? 'Unlock the room' : 'Lock the room'}
          <small>{locked ? 'Anyone with the link may come in again' : 'Newcomers wait until you let them in'}</small>
        </span>
      </button>
      <button type="button" className="menu-item" onClick={() => act('mute-all-guests')} data-testid="mute-all-guests">
        <IconVolumeOff size={20} aria-hidden="true" />
        <span>
          Mute all guests
          <small>They may unmute when you allow it</small>
        </span>
      </button>
      <hr />
      <button
        type="button"
        className="menu-item menu-item-danger"
        onClick={() => {
          onClose();
          onEnd();
        }}
        data-testid="end-menu"
      >
        <IconPhoneOff size={20} aria-hidden="true" />
        <span>
          End for everyone…
          <small>Asks once more before it does</small>
        </span>
      </button>
    </Popover>
  );
};

const MoreMenu = ({ onHelp, onClose }: { readonly onHelp: () => void; readonly onClose: () => void }) => (
  <Popover label="More" onClose={onClose}>
    <p className="popover-title">Camera and microphone</p>
    <DevicePickers />
    <hr />
    <button
      type="button"
      className="menu-item"
      onClick={() => {
        onClose();
        onHelp();
      }}
    >
      <IconKeyboard size={20} aria-hidden="true" />
      <span>Keyboard shortcuts</span>
    </button>
  </Popover>
);

interface ControlBarProps {
  readonly rosterOpen: boolean;
  readonly onRoster: () => void;
  readonly onLeave: () => void;
  readonly onHelp: () => void;
}

/** Everything one does in a meeting, at the thumb. */
export const ControlBar = ({ rosterOpen, onRoster, onLeave, onHelp }: ControlBarProps) => {
  const meeting = useMeeting();
  const { microphone, camera } = useDevices();
  const roster = useRoster();
  const waiting = useMeetingState((state) => state.view?.waiting.length ?? 0);
  const you = useYou();
  const [menu, setMenu] = useState<'host' | 'more' | null>(null);
  const close = (): void => setMenu(null);
  const speaking = microphone.on && microphone.track !== null && you?.muted !== 'host';
  const shown = camera.on && camera.track !== null;
  return (
    <div className="bar" role="toolbar" aria-label="Meeting controls">
      <Control
        label={speaking ? 'Mute' : 'Unmute'}
        hint={speaking ? 'Mute (M)' : you?.muted === 'host' ? 'Muted by a host. Ask to unmute (M)' : 'Unmute (M)'}
        icon={speaking ? <IconMicrophone size={22} aria-hidden="true" /> : <IconMicrophoneOff size={22} aria-hidden="true" />}
        tone={speaking ? 'on' : 'off'}
        pressed={speaking}
        onClick={() => void meeting.toggle('microphone')}
        testId="microphone"
      />
      <Control
        label={shown ? 'Stop video' : 'Start video'}
        hint={shown ? 'Stop video (V)' : 'Start video (V)'}
        icon={shown ? <IconVideo size={22} aria-hidden="true" /> : <IconVideoOff size={22} aria-hidden="true" />}
        tone={shown ? 'on' : 'off'}
        pressed={shown}
        onClick={() => void meeting.toggle('camera')}
        testId="camera"
      />
      <span className="bar-gap" />
      <Control
        label="People"
        hint={`People: ${rosterOpen ? 'hide' : 'show'} who is here (R), ${roster.length}${waiting > 0 ? `, ${waiting} waiting` : ''}`}
        icon={<IconUsers size={22} aria-hidden="true" />}
        pressed={rosterOpen}
        onClick={onRoster}
        testId="roster-toggle"
        badge={waiting > 0 ? waiting : roster.length}
        urgent={waiting > 0}
      />
      {you?.role === 'host' ? (
        <div className="bar-menu">
          <Control
            label="Host"
            hint="Host controls"
            icon={<IconShieldHalf size={22} aria-hidden="true" />}
            expanded={menu === 'host'}
            onClick={() => setMenu(menu === 'host' ? null : 'host')}
            testId="host-menu"
          />
          {menu === 'host' ? <HostMenu onEnd={onLeave} onClose={close} /> : null}
        </div>
      ) : null}
      <div className="bar-menu">
        <Control
          label="More"
          hint="More: camera, microphone and shortcuts"
          icon={<IconDots size={22} aria-hidden="true" />}
          expanded={menu === 'more'}
          onClick={() => setMenu(menu === 'more' ? null : 'more')}
          testId="more"
        />
        {menu === 'more' ? <MoreMenu onHelp={onHelp} onClose={close} /> : null}
      </div>
      <span className="bar-gap" />
      <Control
        label="Leave"
        hint="Leave (L)"
        icon={<IconPhoneOff size={22} aria-hidden="true" />}
        tone="danger"
        onClick={onLeave}
        testId="leave"
      />
    </div>
  );
};
