import type { ReactNode } from 'react';
import { Wordmark } from './wordmark.js';

/** What one sees before one is in. */
export const Gate = ({ children }: { readonly children: ReactNode }) => (
  <main className="gate">
    <div className="card gate-card">
      <Wordmark />
      {children}
    </div>
  </main>
);
