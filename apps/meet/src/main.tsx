import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { Meeting } from './state/meeting.js';
import { aliasOfPath } from './state/room-link.js';
import { applyTheme, themeKept } from './state/theme.js';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/door.css';
import './style/meeting.css';
import './style/stage.css';
import './style/panels.css';

const gatewayUrl = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
const meeting = new Meeting({ gatewayUrl, alias: aliasOfPath(location.pathname) });
applyTheme(themeKept(meeting.keep));
void meeting.local.open();

addEventListener('online', () => meeting.online());
addEventListener('pagehide', ({ persisted }) => {
  if (!persisted) meeting.goodbye();
});

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no root to draw into.');
createRoot(root).render(
  <StrictMode>
    <App meeting={meeting} />
  </StrictMode>,
);
