import { IconAlertTriangle, IconArrowsSplit2, IconEye, IconLock, IconVolume, IconWall } from '@tabler/icons-react';
import { useState } from 'react';
import { shunsLoopback } from '../net/doors.js';
import { ConnectionChip } from '../parts/connection-chip.js';
import { ControlBar } from '../parts/control-bar.js';
import { HelpDialog } from '../parts/help-dialog.js';
import { LeaveDialog } from '../parts/leave-dialog.js';
import { Roster } from '../parts/roster.js';
import { Stage } from '../parts/stage.js';
import { ThemeToggle } from '../parts/theme-toggle.js';
import { useShortcuts } from '../parts/use-shortcuts.js';
import { useWakeLock } from '../parts/use-wake-lock.js';
import { Voices } from '../parts/voices.js';
import { Mark } from '../parts/wordmark.js';
import { useMeeting, useMeetingState, useRoster, useSiteName } from '../state/use-meeting.js';
import { besidesInWords, blockedInWords, outOfReach } from '../state/words.js';

type Open = 'roster' | null;
type Asked = 'leave' | 'help' | null;

const NOWHERE: readonly never[] = [];

/** The meeting: stage, the bar under it, and the roster beside it when wanted. */
export const MeetingScreen = () => {
  const meeting = useMeeting();
  const room = useMeetingState((state) => state.room ?? state.alias);
  const locked = useMeetingState((state) => state.view?.locked ?? false);
  const soundBlocked = useMeetingState((state) => state.soundBlocked);
  const blocked = useMeetingState(({ media }) => media === 'blocked');
  const doors = useMeetingState((state) => state.doors);
  const nameOfSite = useSiteName();
  const banners = outOfReach(useRoster(), nameOfSite);
  const besides = besidesInWords(
    useMeetingState((state) => state.view?.besides ?? NOWHERE),
    locked,
    nameOfSite,
  );
  const [open, setOpen] = useState<Open>(null);
  const [asked, setAsked] = useState<Asked>(null);
  const [selfView, setSelfView] = useState(() => meeting.keep.get('self-view') !== 'no');

  const showSelf = (show: boolean): void => {
    setSelfView(show);
    meeting.keep.set('self-view', show ? 'yes' : 'no');
  };
  const toggleRoster = (): void => setOpen((now) => (now === 'roster' ? null : 'roster'));

  useWakeLock();
  useShortcuts(asked === null, {
    m: () => void meeting.toggle('microphone'),
    v: () => void meeting.toggle('camera'),
    l: () => setAsked('leave'),
    r: toggleRoster,
    '?': () => setAsked('help'),
  });

  return (
    <div className="meeting" data-testid="meeting" data-roster={open === 'roster'}>
      <header className="meeting-head">
        <div className="meeting-room">
          <Mark size={22} />
          <h1>{room}</h1>
          {locked ? (
            <span className="lock" title="The room is locked">
              <IconLock size={16} aria-hidden="true" />
              <span className="lock-text">Locked</span>
            </span>
          ) : null}
        </div>
        <div className="meeting-state">
          {selfView ? null : (
            <button
              type="button"
              className="icon-button"
              onClick={() => showSelf(true)}
              aria-label="Show your own picture"
              title="Show your own picture"
              data-testid="show-self"
            >
              <IconEye size={20} aria-hidden="true" />
            </button>
          )}
          <ConnectionChip />
          <ThemeToggle />
        </div>
      </header>
      <div className="banners">
        {banners.map((text) => (
          <p className="banner" role="status" key={text} data-testid="out-of-reach">
            <IconAlertTriangle size={18} aria-hidden="true" />
            {text}
          </p>
        ))}
        {blocked ? (
          <p className="banner" role="alert" data-testid="blocked">
            <IconWall size={18} aria-hidden="true" />
            {blockedInWords(doors, shunsLoopback(navigator.userAgent))}
          </p>
        ) : null}
        {besides === undefined ? null : (
          <p className="banner" role="status" data-testid="besides">
            <IconArrowsSplit2 size={18} aria-hidden="true" />
            {besides}
          </p>
        )}
        {soundBlocked ? (
          <button
            type="button"
            className="banner banner-action"
            onClick={() => meeting.store.set({ soundBlocked: false })}
            data-testid="sound-blocked"
          >
            <IconVolume size={18} aria-hidden="true" />
            The browser holds the sound back. Press here to hear the others.
          </button>
        ) : null}
      </div>
      <main className="meeting-main">
        <Stage selfView={selfView} onHideSelf={() => showSelf(false)} />
      </main>
      {open === 'roster' ? <Roster onClose={() => setOpen(null)} /> : null}
      <ControlBar
        rosterOpen={open === 'roster'}
        onRoster={toggleRoster}
        onLeave={() => setAsked('leave')}
        onHelp={() => setAsked('help')}
      />
      <Voices />
      {asked === 'leave' ? <LeaveDialog onClose={() => setAsked(null)} /> : null}
      {asked === 'help' ? <HelpDialog onClose={() => setAsked(null)} /> : null}
    </div>
  );
};
