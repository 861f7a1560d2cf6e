import { useMeeting, useYou } from '../state/use-meeting.js';
import { Dialog } from './dialog.js';

/** Asks before leaving; a host may also end the meeting for everyone. */
export const LeaveDialog = ({ onClose }: { readonly onClose: () => void }) => {
  const meeting = useMeeting();
  const host = useYou()?.role === 'host';
  return (
    <Dialog
      title="Leave the meeting?"
      onClose={onClose}
      actions={
        <>
          <button type="button" className="button button-quiet" onClick={onClose}>
            Stay
          </button>
          {host ? (
            <button
              type="button"
              className="button button-danger-quiet"
              onClick={() => void meeting.act({ type: 'end-for-all' }).then(onClose)}
              data-testid="end-for-all"
            >
              End for everyone
            </button>
          ) : null}
          <button type="button" className="button button-danger" onClick={() => meeting.leave()} data-first data-testid="confirm-leave">
            Leave
          </button>
        </>
      }
    >
      <p>
        {host
          ? 'The others can go on without you, unless you end it for everyone.'
          : 'The others go on. You can come back as long as the meeting lasts.'}
      </p>
    </Dialog>
  );
};
