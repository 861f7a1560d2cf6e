import { useEffect } from 'react';
import { ToastList } from './parts/toast-list.js';
import { EndedScreen } from './screens/ended-screen.js';
import { JoinScreen } from './screens/join-screen.js';
import { MeetingScreen } from './screens/meeting-screen.js';
import { PinScreen } from './screens/pin-screen.js';
import { WaitingScreen } from './screens/waiting-screen.js';
import type { Meeting } from './state/meeting.js';
import { pathOfAlias } from './state/room-link.js';
import { MeetingProvider, useMeetingState } from './state/use-meeting.js';

const Screen = () => {
  const phase = useMeetingState((state) => state.phase);
  const held = useMeetingState((state) => state.view?.held ?? false);
  switch (phase) {
    case 'lobby':
      return <JoinScreen />;
    case 'pin':
      return <PinScreen />;
    case 'waiting':
      return <WaitingScreen />;
    case 'meeting':
      return held ? <WaitingScreen /> : <MeetingScreen />;
    case 'ended':
      return <EndedScreen />;
  }
};

/** The address bar and the tab's title say where one is, so that both can be shared and found again. */
const useAddress = (): void => {
  const alias = useMeetingState((state) => state.alias);
  const room = useMeetingState((state) => state.room);
  const phase = useMeetingState((state) => state.phase);
  useEffect(() => {
    document.title = phase === 'meeting' && room !== null ? `${room} · Isthmus` : 'Isthmus';
    if (phase !== 'lobby' && alias !== '' && location.pathname !== pathOfAlias(alias)) history.replaceState(null, '', pathOfAlias(alias));
  }, [alias, room, phase]);
};

const Page = () => {
  useAddress();
  return (
    <>
      <Screen />
      <ToastList />
    </>
  );
};

export const App = ({ meeting }: { readonly meeting: Meeting }) => (
  <MeetingProvider value={meeting}>
    <Page />
  </MeetingProvider>
);
