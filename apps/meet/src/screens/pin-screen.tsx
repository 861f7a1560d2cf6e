import { IconAlertCircle, IconArrowRight, IconLoader2 } from '@tabler/icons-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Door } from '../parts/door.js';
import { useMeeting, useMeetingState } from '../state/use-meeting.js';

/** Asks for the PIN. An unknown room asks the same and says the same, so that nobody can find out which rooms exist. */
export const PinScreen = () => {
  const meeting = useMeeting();
  const alias = useMeetingState((state) => state.alias);
  const name = useMeetingState((state) => state.name);
  const asking = useMeetingState((state) => state.asking);
  const failed = useMeetingState((state) => state.pinFailed);
  const [pin, setPin] = useState('');
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (asking) return;
    setPin('');
    input.current?.focus();
  }, [asking]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!asking) void meeting.join(alias, name, pin);
  };

  return (
    <Door narrow>
      <form className="door-form card" onSubmit={submit} data-testid="pin-form">
        <div className="door-title">
          <p className="eyebrow">{alias}</p>
          <h1>Enter the PIN</h1>
          <p className="lede">It came with your invitation. If you were given none, continue without.</p>
        </div>
        <label className="field">
          <span className="field-label">PIN</span>
          <input
            ref={input}
            className="input input-pin"
            type="password"
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={32}
            value={pin}
            onChange={(event) => setPin(event.target.value)}
            aria-invalid={failed && pin === ''}
            aria-describedby={failed ? 'pin-failed' : undefined}
            data-testid="pin"
          />
        </label>
        {failed ? (
          <div className="notice notice-danger" role="alert" id="pin-failed" data-testid="pin-failed">
            <IconAlertCircle size={20} aria-hidden="true" />
            <p>That did not work. Check the meeting name and the PIN, and try again.</p>
          </div>
        ) : null}
        <button type="submit" className="button button-accent button-large" disabled={asking} data-testid="join">
          {asking ? <IconLoader2 className="spin" size={20} aria-hidden="true" /> : null}
          {asking ? 'Checking…' : 'Continue'}
          {asking ? null : <IconArrowRight size={20} aria-hidden="true" />}
        </button>
        <button type="button" className="button button-quiet" onClick={() => meeting.leave()}>
          Back
        </button>
      </form>
    </Door>
  );
};
