import type { ReactNode } from 'react';
import { ThemeToggle } from './theme-toggle.js';
import { Wordmark } from './wordmark.js';

/** The frame of every page outside the meeting itself. */
export const Door = ({ children, narrow = false }: { readonly children: ReactNode; readonly narrow?: boolean }) => (
  <div className="door">
    <header className="door-head">
      <Wordmark />
      <ThemeToggle />
    </header>
    <main className={narrow ? 'door-main door-narrow' : 'door-main'}>{children}</main>
  </div>
);
