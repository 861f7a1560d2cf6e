import { IconAlertCircle, IconArrowRight, IconLoader2 } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { Door } from '../parts/door.js';
import { Preview } from '../parts/preview.js';
import { aliasOfInput, aliasOfPath } from '../state/room-link.js';
import { useMeeting, useMeetingState } from '../state/use-meeting.js';

/** The door: which meeting, under which name, with which camera and microphone. */
export const JoinScreen = () => {
  const meeting = useMeeting();
  const known = useMeetingState((state) => state.alias);
  const lastName = useMeetingState((state) => state.name);
  const asking = useMeetingState((state) => state.asking);
  const refusal = useMeetingState((state) => state.refusal);
  const gateway = useMeetingState((state) => state.gateway);
  const siteName = useMeetingState((state) => state.siteName);
  const unsupported = useMeetingState((state) => state.unsupported);
  const [alias, setAlias] = useState(known);
  const [name, setName] = useState(lastName);
  const invited = aliasOfPath(location.pathname) !== '';
  const ready = alias.trim() !== '' && name.trim() !== '' && !asking && !unsupported;

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) void meeting.join(aliasOfInput(alias), name.trim());
  };

  return (
    <Door>
      <Preview name={name} />
      <form className="door-form" onSubmit={submit} aria-label="Join the meeting">
        <div className="door-title">
          <p className="eyebrow">{invited ? 'You are invited to' : 'Welcome'}</p>
          <h1>{invited ? known : 'Join a meeting'}</h1>
        </div>
        {invited ? null : (
          <label className="field">
            <span className="field-label">Meeting name or link</span>
            <input
              className="input"
              value={alias}
              onChange={(event) => setAlias(event.target.value)}
              maxLength={400}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="for example: demo"
              autoFocus
              data-testid="alias"
            />
          </label>
        )}
        <label className="field">
          <span className="field-label">Your name</span>
          <input
            className="input"
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={60}
            autoComplete="name"
            placeholder="How the others will see you"
            autoFocus={invited}
            data-testid="name"
          />
        </label>
        {refusal === null ? null : (
          <div className="notice notice-danger" role="alert" data-testid="refusal">
            <IconAlertCircle size={20} aria-hidden="true" />
            <p>{refusal}</p>
          </div>
        )}
        {unsupported ? (
          <div className="notice notice-danger" role="alert">
            <IconAlertCircle size={20} aria-hidden="true" />
            <p>This browser cannot take part in video meetings. A current Chrome, Edge, Firefox or Safari can.</p>
          </div>
        ) : null}
        <button type="submit" className="button button-accent button-large" disabled={!ready} data-testid="join">
          {asking ? <IconLoader2 className="spin" size={20} aria-hidden="true" /> : null}
          {asking ? 'Joining…' : 'Join now'}
          {asking ? null : <IconArrowRight size={20} aria-hidden="true" />}
        </button>
        <p className="door-site" role="status">
          <span className="dot" data-state={gateway} aria-hidden="true" />
          {gateway === 'open'
            ? `Connected through ${siteName ?? 'the nearest site'}`
            : gateway === 'connecting'
              ? 'Looking for the meeting server…'
              : 'The meeting server does not answer. Trying again…'}
        </p>
      </form>
    </Door>
  );
};
