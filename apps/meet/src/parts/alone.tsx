import { IconCheck, IconLink } from '@tabler/icons-react';
import { useState } from 'react';
import { pathOfAlias } from '../state/room-link.js';
import { useMeeting, useMeetingState, useRoster } from '../state/use-meeting.js';
import type { Rect } from './stage-layout.js';

/** What the stage shows while nobody else is there: how to bring them. */
export const Alone = ({ rect }: { readonly rect: Rect }) => {
  const meeting = useMeeting();
  const alias = useMeetingState((state) => state.alias);
  const others = useRoster().filter(({ you }) => !you);
  const [copied, setCopied] = useState(false);
  const link = `${location.origin}${pathOfAlias(alias)}`;

  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
      setTimeout(() => setCopied(false), 2_500);
    } catch {
      meeting.toast('meet.clipboard', `The browser does not let us copy. The link is ${link}`);
    }
  };

  return (
    <div
      className="alone"
      style={{ transform: `translate(${rect.x}px, ${rect.y}px)`, width: rect.width, height: rect.height }}
      data-testid="alone"
    >
      <div className="alone-card">
        <h2>{others.length === 0 ? 'You are the first one here' : 'Nobody is in view just now'}</h2>
        <p>{others.length === 0 ? 'Send this link to whoever should join.' : 'They come back into view as soon as they can be reached.'}</p>
        <div className="alone-link">
          <span className="alone-url">{link.replace(/^https?:\/\//, '')}</span>
          <button type="button" className="button button-accent" onClick={() => void copy()}>
            {copied ? <IconCheck size={18} aria-hidden="true" /> : <IconLink size={18} aria-hidden="true" />}
            {copied ? 'Copied' : 'Copy link'}
          </button>
        </div>
      </div>
    </div>
  );
};
