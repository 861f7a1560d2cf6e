import { useEffect, useRef } from 'react';
import { Door } from '../parts/door.js';
import { Mark } from '../parts/wordmark.js';
import { useMeeting, useMeetingState } from '../state/use-meeting.js';
import { ENDINGS } from '../state/words.js';

/** After the meeting: why, in plain words, and the way back where there is one. */
export const EndedScreen = () => {
  const meeting = useMeeting();
  const ended = useMeetingState((state) => state.ended);
  const room = useMeetingState((state) => state.room ?? state.alias);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const reason = ended?.reason ?? 'left';
  const { title, text, back } = ENDINGS[reason];
  return (
    <Door narrow>
      <section className="door-form card card-centred" data-testid="ended" data-reason={reason}>
        <Mark size={44} />
        <div className="door-title">
          <p className="eyebrow">{room}</p>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          <p className="lede">{text}</p>
        </div>
        {back === 'rejoin' ? (
          <button type="button" className="button button-accent button-large" onClick={() => meeting.again()} data-testid="again">
            Back to the meeting
          </button>
        ) : null}
        <a className={back === 'rejoin' ? 'button button-quiet' : 'button button-accent button-large'} href="/">
          {back === 'rejoin' ? 'Join another meeting' : 'To the start page'}
        </a>
      </section>
    </Door>
  );
};
