import { usePresence } from './api/session.js';
import { LiveProvider } from './live/use-live.js';
import { AccountPage } from './pages/account-page.js';
import { AdministratorsPage } from './pages/administrators-page.js';
import { Gate } from './parts/gate.js';
import { LivePage } from './pages/live-page.js';
import { LostPage } from './pages/lost-page.js';
import { NewPasswordPage } from './pages/new-password-page.js';
import { RoomPage } from './pages/room-page.js';
import { RoomsPage } from './pages/rooms-page.js';
import { SignInPage } from './pages/sign-in-page.js';
import { SitesPage } from './pages/sites-page.js';
import { Frame } from './parts/frame.js';
import { Pending } from './parts/notice.js';
import { usePlace } from './parts/route.js';
import { Toasts } from './parts/toasts.js';

export const App = () => {
  const presence = usePresence();
  const now = presence.data;
  if (!now) {
    return (
      <Gate>
        <Pending error={presence.error} again={presence.refetch} />
      </Gate>
    );
  }
  if (now.state === 'out') return <SignInPage because={now.because} />;
  if (now.session.mustChangePassword) return <NewPasswordPage name={now.session.administrator.name} />;
  return (
    <LiveProvider>
      <Frame name={now.session.administrator.name}>
        <Page me={now.session.administrator} />
      </Frame>
      <Toasts />
    </LiveProvider>
  );
};

/** The page that an address leads to. */
const Page = ({ me }: { readonly me: { readonly id: string; readonly name: string } }) => {
  const { parts } = usePlace();
  const [page, id, ...more] = parts;
  if (more.length > 0) return <LostPage />;
  if (page === undefined) return <LivePage />;
  if (page === 'rooms' && id !== undefined) return <RoomPage key={id} id={id === 'new' ? undefined : id} />;
  if (id !== undefined) return <LostPage />;
  if (page === 'rooms') return <RoomsPage />;
  if (page === 'sites') return <SitesPage />;
  if (page === 'administrators') return <AdministratorsPage me={me.id} />;
  if (page === 'account') return <AccountPage name={me.name} />;
  return <LostPage />;
};
