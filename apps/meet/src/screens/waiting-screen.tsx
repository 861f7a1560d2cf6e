import { Door } from '../parts/door.js';
import { Preview } from '../parts/preview.js';
import { useMeeting, useMeetingState } from '../state/use-meeting.js';
import { WAITING } from '../state/words.js';

/** Before the meeting, with the reason why. */
export const WaitingScreen = () => {
  const meeting = useMeeting();
  const reason = useMeetingState((state) =>
    state.phase === 'meeting' ? (`held-${state.view?.heldFor ?? 'lock'}` as const) : state.waitingFor,
  );
  const alias = useMeetingState((state) => state.room ?? state.alias);
  const name = useMeetingState((state) => state.name);
  const gateway = useMeetingState((state) => state.gateway);
  const { title, text } = WAITING[reason];
  return (
    <Door>
      <Preview name={name} />
      <section className="door-form" data-testid="waiting" data-reason={reason} aria-live="polite">
        <div className="door-title">
          <p className="eyebrow">{alias}</p>
          <h1>{title}</h1>
          <p className="lede">{text}</p>
        </div>
        <div className="tide" aria-hidden="true">
          <span />
          <span />
          <span />
        </div>
        <p className="door-site" role="status">
          <span className="dot" data-state={gateway} aria-hidden="true" />
          {gateway === 'open' ? `You are waiting as ${name}` : 'The connection was lost. Your place is asked for again…'}
        </p>
        <button type="button" className="button" onClick={() => meeting.leave()} data-testid="leave-waiting">
          Leave
        </button>
      </section>
    </Door>
  );
};
