import '@mantine/core/styles.css';
import './style/tokens.css';
import './style/base.css';
import './style/frame.css';
import './style/live.css';
import './style/split.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { newClient } from './api/client.js';
import { App } from './app.js';
import { theme } from './parts/theme.js';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no root to draw into.');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={newClient()}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
