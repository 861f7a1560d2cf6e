import { IconX } from '@tabler/icons-react';
import { useMeeting, useMeetingState } from '../state/use-meeting.js';

/** A few quiet words at the edge of the screen, read aloud politely. */
export const ToastList = () => {
  const meeting = useMeeting();
  const toasts = useMeetingState((state) => state.toasts);
  return (
    <div className="toasts" role="status" aria-live="polite" data-testid="toasts">
      {toasts.map(({ id, text }) => (
        <div className="toast" key={id}>
          <p>{text}</p>
          <button type="button" className="icon-button" onClick={() => meeting.dismiss(id)} aria-label="Dismiss">
            <IconX size={16} aria-hidden="true" />
          </button>
        </div>
      ))}
    </div>
  );
};
