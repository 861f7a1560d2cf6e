import { IconCrown, IconMicrophone, IconMicrophoneOff, IconUserMinus, IconUserStar, IconVideoOff, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import type { MeetingView, RosterEntry } from '@isthmus/protocol';
import { useMeeting, useMeetingState, useRoster, useSiteName, useYou } from '../state/use-meeting.js';
import { Avatar } from './avatar.js';

/** What a host can do about one person, below their line. */
const Actions = ({ entry }: { readonly entry: RosterEntry }) => {
  const meeting = useMeeting();
  const { leg, muted, role, name } = entry;
  return (
    <div className="person-actions" role="group" aria-label={`Controls for ${name}`}>
      <button
        type="button"
        className="button button-small"
        onClick={() => void meeting.act({ type: muted === 'host' ? 'unmute' : 'mute', leg })}
        data-testid="mute-person"
      >
        {muted === 'host' ? <IconMicrophone size={16} aria-hidden="true" /> : <IconMicrophoneOff size={16} aria-hidden="true" />}
        {muted === 'host' ? 'Let speak' : 'Mute'}
      </button>
      <button
        type="button"
        className="button button-small"
        onClick={() => void meeting.act({ type: role === 'host' ? 'make-guest' : 'make-host', leg })}
        data-testid="make-host"
      >
        <IconUserStar size={16} aria-hidden="true" />
        {role === 'host' ? 'Make guest' : 'Make host'}
      </button>
      <button
        type="button"
        className="button button-small button-danger-quiet"
        onClick={() => void meeting.act({ type: 'remove', leg })}
        data-testid="remove-person"
      >
        <IconUserMinus size={16} aria-hidden="true" />
        Remove
      </button>
    </div>
  );
};

const Person = ({ entry, speaking, controls }: { readonly entry: RosterEntry; readonly speaking: boolean; readonly controls: boolean }) => {
  const [open, setOpen] = useState(false);
  const nameOfSite = useSiteName();
  const line = (
    <>
      <span className="person-avatar" data-speaking={speaking}>
        <Avatar name={entry.name} />
      </span>
      <span className="person-words">
        <span className="person-name">
          {entry.name}
          {entry.you ? <span className="quiet"> (you)</span> : null}
        </span>
        <span className="person-more">
          {entry.inReach ? nameOfSite(entry.site) : `${nameOfSite(entry.site)}, out of reach`}
          {entry.role === 'host' ? (
            <span className="role">
              <IconCrown size={13} aria-hidden="true" /> Host
            </span>
          ) : null}
        </span>
      </span>
      <span className="person-signs">
        {entry.cameraOff ? <IconVideoOff size={18} role="img" aria-label="camera off" /> : null}
        {entry.muted === false ? (
          <IconMicrophone size={18} role="img" aria-label="microphone on" />
        ) : (
          <IconMicrophoneOff size={18} role="img" aria-label={entry.muted === 'host' ? 'muted by a host' : 'muted'} />
        )}
      </span>
    </>
  );
  return (
    <li className="person" data-testid="person" data-leg={entry.leg} data-in-reach={entry.inReach} data-open={open && controls}>
      {controls ? (
        <button type="button" className="person-line" aria-expanded={open} onClick={() => setOpen(!open)}>
          {line}
        </button>
      ) : (
        <div className="person-line">{line}</div>
      )}
      {open && controls ? <Actions entry={entry} /> : null}
    </li>
  );
};

const AT_THE_DOOR = { host: 'Waits for a host', lock: 'The room is locked', pin: 'Came by an older PIN' } as const;

const AtTheDoor = ({ waiting }: { readonly waiting: MeetingView['waiting'] }) => {
  const meeting = useMeeting();
  if (waiting.length === 0) return null;
  return (
    <section aria-label="Waiting to come in">
      <h3>Waiting to come in · {waiting.length}</h3>
      <ul className="people">
        {waiting.map(({ leg, name, reason }) => (
          <li className="person person-waiting" key={leg} data-testid="waiting-person" data-leg={leg}>
            <div className="person-line">
              <span className="person-avatar">
                <Avatar name={name} />
              </span>
              <span className="person-words">
                <span className="person-name">{name}</span>
                <span className="person-more">{AT_THE_DOOR[reason]}</span>
              </span>
            </div>
            <div className="person-actions">
              <button
                type="button"
                className="button button-small button-accent"
                onClick={() => void meeting.act({ type: 'admit', leg })}
                data-testid="admit"
              >
                Let in
              </button>
              <button
                type="button"
                className="button button-small"
                onClick={() => void meeting.act({ type: 'reject', leg })}
                data-testid="reject"
              >
                Turn away
              </button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
};

const NOBODY: MeetingView['waiting'] = [];

/** Who is here, who waits, and, for hosts, what to do about it. */
export const Roster = ({ onClose }: { readonly onClose: () => void }) => {
  const roster = useRoster();
  const waiting = useMeetingState((state) => state.view?.waiting ?? NOBODY);
  const speaking = useMeetingState((state) => state.speaking);
  const host = useYou()?.role === 'host';
  return (
    <aside className="roster" aria-label="Who is here" data-testid="roster">
      <header className="roster-head">
        <h2>People</h2>
        <button type="button" className="icon-button" onClick={onClose} aria-label="Close the list (R)">
          <IconX size={20} aria-hidden="true" />
        </button>
      </header>
      <div className="roster-body">
        <AtTheDoor waiting={waiting} />
        <section aria-label="In the meeting">
          <h3>In the meeting · {roster.length}</h3>
          <ul className="people">
            {roster.map((entry) => (
              <Person
                key={entry.leg}
                entry={entry}
                speaking={speaking.includes(entry.leg)}
                controls={host && !entry.you && entry.inReach}
              />
            ))}
          </ul>
        </section>
      </div>
    </aside>
  );
};
